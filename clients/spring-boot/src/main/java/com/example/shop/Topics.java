package com.example.shop;

import org.apache.kafka.clients.admin.NewTopic;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.KafkaAdmin.NewTopics;

/** The topics, made at the start where they are missing; replicas as the brokers' default says. */
@Configuration
public class Topics {

    public static final int PARTITIONS = 3;
    public static final String ORDERS = "orders";
    public static final String RESERVATIONS = "reservations";
    public static final String STOCK_MOVEMENTS = "stock-movements";
    /** The dead-letter topics have Spring's default names and as many partitions as their sources. */
    public static final String DEAD_ORDERS = ORDERS + "-dlt";
    public static final String DEAD_RESERVATIONS = RESERVATIONS + "-dlt";

    @Bean
    NewTopics shopTopics() {
        return new NewTopics(
                topic(ORDERS),
                topic(RESERVATIONS),
                topic(STOCK_MOVEMENTS),
                topic(DEAD_ORDERS),
                topic(DEAD_RESERVATIONS));
    }

    private static NewTopic topic(String name) {
        return TopicBuilder.name(name).partitions(PARTITIONS).build();
    }
}
