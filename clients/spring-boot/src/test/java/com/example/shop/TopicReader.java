package com.example.shop;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads all partitions of a topic from where they end when it is made; for one thread. */
class TopicReader implements AutoCloseable {

    private static final Duration WAIT_MAX = Duration.ofSeconds(60);

    private final KafkaConsumer<String, byte[]> consumer;
    private final List<TopicPartition> partitions;
    private final List<ConsumerRecord<String, byte[]>> records = new ArrayList<>();

    static TopicReader committed(String bootstrap, String topic) {
        return new TopicReader(bootstrap, topic, "read_committed");
    }

    /** Sees what a transaction has written before it ends, and what was aborted. */
    static TopicReader uncommitted(String bootstrap, String topic) {
        return new TopicReader(bootstrap, topic, "read_uncommitted");
    }

    private TopicReader(String bootstrap, String topic, String isolation) {
        Map<String, Object> settings =
                Map.of("bootstrap.servers", bootstrap, "isolation.level", isolation);
        consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        partitions =
                consumer.partitionsFor(topic).stream()
                        .map(info -> new TopicPartition(topic, info.partition()))
                        .toList();
        consumer.assign(partitions);
        consumer.seekToEnd(partitions);
        partitions.forEach(consumer::position);
    }

    void fromTheStart() {
        consumer.seekToBeginning(partitions);
    }

    /** How many of the records so far hold this text in their values, once there are `count`. */
    long await(String text, long count) {
        Instant deadline = Instant.now().plus(WAIT_MAX);
        while (counted(text) < count && Instant.now().isBefore(deadline)) {
            consumer.poll(Duration.ofMillis(100)).forEach(records::add);
        }
        return counted(text);
    }

    /** Reads all that the topic holds for this isolation level now. */
    TopicReader toItsEnd() {
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        Instant deadline = Instant.now().plus(WAIT_MAX);
        while (partitions.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
            if (Instant.now().isAfter(deadline)) {
                throw new AssertionError("not read to the end: " + ends);
            }
            consumer.poll(Duration.ofMillis(100)).forEach(records::add);
        }
        return this;
    }

    List<ConsumerRecord<String, byte[]>> with(String text) {
        return records.stream()
                .filter(one -> new String(one.value(), StandardCharsets.UTF_8).contains(text))
                .toList();
    }

    long counted(String text) {
        return with(text).size();
    }

    @Override
    public void close() {
        consumer.close();
    }
}
