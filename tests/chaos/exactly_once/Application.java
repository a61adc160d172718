// Consume, transform, produce with the Java client: the application that is killed.
//
//     java Application.java BOOTSTRAP TRANSACTIONAL_ID SEED
//
// See application.py, which does the same.
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApplicationRecoverableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Application {
    static final String INPUT = "input";
    static final String OUTPUT = "output";
    static final byte[] ABORTED = "aborted".getBytes();
    static final double ABORT_RATE = 0.15;

    public static void main(String[] args) {
        Properties common = new Properties();
        common.put("bootstrap.servers", args[0]);
        Properties reading = new Properties();
        reading.putAll(common);
        reading.put("group.id", "transformers");
        reading.put("isolation.level", "read_committed");
        reading.put("enable.auto.commit", "false");
        reading.put("auto.offset.reset", "earliest");
        reading.put("session.timeout.ms", "6000");
        reading.put("max.poll.records", "20");
        Properties writing = new Properties();
        writing.putAll(common);
        writing.put("transactional.id", args[1]);
        writing.put("transaction.timeout.ms", "10000");
        Random random = new Random(Long.parseLong(args[2]));
        var reader = new ByteArrayDeserializer();
        var writer = new ByteArraySerializer();
        try (var consumer = new KafkaConsumer<byte[], byte[]>(reading, reader, reader);
                var producer = new KafkaProducer<byte[], byte[]>(writing, writer, writer)) {
            producer.initTransactions();
            consumer.subscribe(List.of(INPUT));
            System.out.println("ready");
            while (true) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
                if (!records.isEmpty()) {
                    transform(consumer, producer, records, random.nextDouble() < ABORT_RATE);
                }
            }
        }
    }

    static void transform(
            KafkaConsumer<byte[], byte[]> consumer,
            KafkaProducer<byte[], byte[]> producer,
            ConsumerRecords<byte[], byte[]> records,
            boolean aborts) {
        producer.beginTransaction();
        try {
            Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
            for (ConsumerRecord<byte[], byte[]> record : records) {
                byte[] value = aborts ? ABORTED : record.value();
                producer.send(new ProducerRecord<>(OUTPUT, record.partition(), record.key(), value));
                ends.put(
                        new TopicPartition(record.topic(), record.partition()),
                        new OffsetAndMetadata(record.offset() + 1));
            }
            if (aborts) {
                producer.flush();
                producer.abortTransaction();
                rewind(consumer, records);
                return;
            }
            producer.sendOffsetsToTransaction(ends, consumer.groupMetadata());
            while (true) {
                try {
                    producer.commitTransaction();
                    return;
                } catch (TimeoutException late) {
                    // Whether it was committed is not known: the same is asked again.
                }
            }
        } catch (ApplicationRecoverableException fatal) {
            throw fatal; // fenced, or of an unknown state: a new process begins anew
        } catch (KafkaException error) {
            producer.abortTransaction();
            rewind(consumer, records);
        }
    }

    static void rewind(
            KafkaConsumer<byte[], byte[]> consumer, ConsumerRecords<byte[], byte[]> records) {
        for (TopicPartition partition : new ArrayList<>(records.partitions())) {
            if (consumer.assignment().contains(partition)) {
                consumer.seek(partition, records.records(partition).get(0).offset());
            }
        }
    }
}
