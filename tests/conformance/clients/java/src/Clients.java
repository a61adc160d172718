import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Producers, consumers and topics of one scenario, with the client's defaults beside acks=all. */
final class Clients {
    final String bootstrap;
    final String prefix;

    Clients(String bootstrap, String prefix) {
        this.bootstrap = bootstrap;
        this.prefix = prefix;
    }

    Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    /** Create a topic with three replicas; its whole name. */
    String create(String name, int partitions, Map<String, String> configs) throws Exception {
        String topic = prefix + "-" + name;
        try (Admin admin = admin()) {
            NewTopic made = new NewTopic(topic, partitions, (short) 3).configs(configs);
            admin.createTopics(List.of(made)).all().get();
        }
        return topic;
    }

    KafkaProducer<byte[], byte[]> producer(Map<String, ?> more) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("acks", "all");
        settings.putAll(more);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    KafkaConsumer<byte[], byte[]> consumer(Map<String, ?> more) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        settings.putAll(more);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** A consumer without a group, with all partitions of a topic. */
    KafkaConsumer<byte[], byte[]> reader(String topic, Map<String, ?> more) {
        KafkaConsumer<byte[], byte[]> consumer = consumer(more);
        List<TopicPartition> partitions = new ArrayList<>();
        for (PartitionInfo info : consumer.partitionsFor(topic)) {
            partitions.add(new TopicPartition(topic, info.partition()));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return consumer;
    }

    /** Poll until that many records came, and then a second more for any that should not. */
    static List<ConsumerRecord<byte[], byte[]>> read(
            KafkaConsumer<byte[], byte[]> consumer, int count, double seconds) {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        long deadline = System.nanoTime() + (long) (seconds * 1e9);
        while (found.size() < count && System.nanoTime() < deadline) {
            consumer.poll(Duration.ofMillis(200)).forEach(found::add);
        }
        long until = System.nanoTime() + 1_000_000_000L;
        while (System.nanoTime() < until) {
            consumer.poll(Duration.ofMillis(200)).forEach(found::add);
        }
        return found;
    }

    /** The cause of a future's failure. */
    static Throwable causeOf(Exception error) {
        return error instanceof ExecutionException ? error.getCause() : error;
    }
}
