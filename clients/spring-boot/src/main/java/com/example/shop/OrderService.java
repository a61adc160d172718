package com.example.shop;

import java.util.concurrent.CompletableFuture;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.SendResult;
import org.springframework.stereotype.Service;

/** Takes orders. */
@Service
public class OrderService {

    private final KafkaTemplate<String, Object> template;

    OrderService(KafkaTemplate<String, Object> template) {
        this.template = template;
    }

    /** Done once every in-sync replica has the order. */
    public CompletableFuture<SendResult<String, Object>> place(Order order) {
        return template.send(Topics.ORDERS, order.customer(), order);
    }

    /** All of them or, where anything fails before the last, none. */
    public void placeTogether(Iterable<Order> orders) {
        template.executeInTransaction(
                transaction -> {
                    for (Order order : orders) {
                        transaction.send(Topics.ORDERS, order.customer(), order);
                    }
                    return null;
                });
    }
}
