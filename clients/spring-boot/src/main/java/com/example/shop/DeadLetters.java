package com.example.shop;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.KafkaHeaders;
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
    void look(ConsumerRecord<String, byte[]> letter) {
        // Nothing but the record as a parameter: then nobody tries to make an object of its value.
        String value = new String(letter.value(), StandardCharsets.UTF_8);
        String source = header(letter, KafkaHeaders.DLT_ORIGINAL_TOPIC);
        LOG.info("from {}: {}: {}", source, value, header(letter, KafkaHeaders.DLT_EXCEPTION_MESSAGE));
        seen.add(value);
    }

    private static String header(ConsumerRecord<?, ?> letter, String name) {
        Header header = letter.headers().lastHeader(name);
        return header == null ? "?" : new String(header.value(), StandardCharsets.UTF_8);
    }

    /** The values, as text. */
    public List<String> seen() {
        return List.copyOf(seen);
    }
}
