package com.example.shop;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.stereotype.Service;

/**
 * Reserves what is ordered, exactly once: both records that it writes for an order and the offset up
 * to which it has read are one transaction, begun by the listener's container.
 */
@Service
public class InventoryService {

    private final KafkaTemplate<String, Object> template;
    private final Warehouse warehouse;

    InventoryService(KafkaTemplate<String, Object> template, Warehouse warehouse) {
        this.template = template;
        this.warehouse = warehouse;
    }

    @KafkaListener(id = "inventory", topics = Topics.ORDERS, groupId = "inventory", concurrency = "3")
    void reserve(Order order) {
        Reservation reservation = warehouse.reserve(order);
        template.send(Topics.RESERVATIONS, order.customer(), reservation);
        template.send(Topics.STOCK_MOVEMENTS, order.item(), warehouse.movementOf(reservation));
    }
}
