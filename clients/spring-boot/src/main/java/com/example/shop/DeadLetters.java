package com.example.shop;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.stereotype.Service;

/** Says what nobody could process, and why; a shop would have somebody look at it. */
@Service
public class DeadLetters {

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);

    private final List<String> seen = new CopyOnWriteArrayList<>();

    @KafkaListener(
            id = "dead-letters",
            topics = {Topics.DEAD_ORDERS, Topics.DEAD_RESERVATIONS},
            groupId = "dead-letters",
            containerFactory = "batches",
            batch = "false")
    void look(
            ConsumerRecord<String, byte[]> letter,
            @Header(KafkaHeaders.DLT_ORIGINAL_TOPIC) String source,
            @Header(KafkaHeaders.DLT_EXCEPTION_MESSAGE) String cause) {
        String value = new String(letter.value(), StandardCharsets.UTF_8);
        LOG.info("from {}: {}: {}", source, value, cause);
        seen.add(value);
    }

    /** The values, as text. */
    public List<String> seen() {
        return List.copyOf(seen);
    }
}
