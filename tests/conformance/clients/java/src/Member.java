import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** A member of a group that polls in a thread of its own; it commits before it gives partitions up. */
final class Member implements ConsumerRebalanceListener {
    final List<ConsumerRecord<byte[], byte[]>> records = new CopyOnWriteArrayList<>();
    volatile Set<Integer> assignment = Set.of();

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread;
    private volatile boolean leaving;
    private volatile Throwable error;

    Member(Clients clients, String topic, Map<String, ?> settings) {
        consumer = clients.consumer(settings);
        consumer.subscribe(List.of(topic), this);
        thread = new Thread(this::run);
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try (consumer) {
            while (!leaving) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    records.add(record);
                }
                assignment = consumer.assignment().stream()
                        .map(TopicPartition::partition).collect(Collectors.toSet());
            }
            consumer.commitSync();
        } catch (Throwable failure) {
            error = failure;
        }
        assignment = Set.of();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            consumer.commitSync();
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

    void leave() throws Exception {
        leaving = true;
        thread.join(30_000);
        Mismatch.expect(!thread.isAlive(), "a member does not close in 30 s");
        check();
    }

    /** Fails with what ended it. */
    void check() {
        if (error != null) {
            throw new IllegalStateException("a member ended", error);
        }
    }
}
