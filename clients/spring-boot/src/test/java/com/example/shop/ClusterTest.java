package com.example.shop;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.BeforeEach;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.MessageListenerContainer;

/** The whole shop against the cluster at spring.kafka.bootstrap-servers; one shop for all tests. */
@SpringBootTest
@Import(Faults.class)
abstract class ClusterTest {

    /** As application.yml says: the first attempt and two more. */
    static final int ATTEMPTS = 3;

    @Value("${spring.kafka.bootstrap-servers:localhost:9092}")
    String bootstrap;

    @Autowired OrderService service;
    @Autowired Faults.BreakableWarehouse warehouse;
    @Autowired Faults.BreakableMailbox mailbox;
    @Autowired DeadLetters deadLetters;
    @Autowired KafkaTemplate<String, Object> template;
    @Autowired KafkaListenerEndpointRegistry listeners;

    @BeforeEach
    void everyPartitionHasItsConsumer() {
        within(60).until(() -> assigned("inventory") == 3 && assigned("notification") == 3);
    }

    private int assigned(String listener) {
        MessageListenerContainer container = listeners.getListenerContainer(listener);
        return container.isRunning() ? container.getAssignedPartitions().size() : 0;
    }

    static String newId() {
        return UUID.randomUUID().toString();
    }

    static Order order(String customer) {
        return new Order(newId(), customer, "pen", 1);
    }

    static List<Order> orders(int count, String customer) {
        return IntStream.range(0, count).mapToObj(number -> order(customer)).toList();
    }

    static ConditionFactory within(int seconds) {
        return Awaitility.await().atMost(Duration.ofSeconds(seconds)).pollInterval(Duration.ofMillis(20));
    }

    void awaitTold(List<Order> orders) {
        within(60).until(() -> orders.stream().allMatch(one -> mailbox.counted(one.id()) > 0));
    }
}
