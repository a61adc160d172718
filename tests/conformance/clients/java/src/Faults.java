import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Scenarios that change the cluster under a client: a killed leader, a topic made again. */
final class Faults {
    private static final long SECOND = 1_000_000_000L;

    private final Clients clients;

    Faults(Clients clients) {
        this.clients = clients;
    }

    Contract.Passed leaderKilled() throws Exception {
        String topic = clients.create("survives", 1, Map.of("min.insync.replicas", "2"));
        List<Long> times = Collections.synchronizedList(new ArrayList<>());
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of("enable.idempotence", true))) {
            Sent sent = new Sent(producer);
            long begun = System.nanoTime();
            long next = begun;
            String killed = null;
            while (System.nanoTime() < begun + 6 * SECOND) {
                if (killed == null && System.nanoTime() > begun + 2 * SECOND) {
                    killed = Contract.ask("kill-leader " + topic + " 0");
                    next = System.nanoTime();
                }
                byte[] value = Sent.bytes(String.valueOf(sent.size()));
                sent.send(new ProducerRecord<>(topic, value), (place, error) -> {
                    if (error == null) {
                        times.add(System.nanoTime());
                    }
                });
                next += SECOND / 200;
                TimeUnit.NANOSECONDS.sleep(next - System.nanoTime());
            }
            sent.acknowledged();
            long gap = 0;
            for (int i = 1; i < times.size(); i++) {
                gap = Math.max(gap, times.get(i) - times.get(i - 1));
            }
            Contract.ask("restart");
            for (int number = 0; number < 100; number++) {
                sent.send(topic, null, null, String.valueOf(sent.size()));
            }
            Map<Integer, List<String>> expected = sent.acknowledged();
            try (var consumer = clients.reader(topic, Map.of())) {
                long count = Sent.check(expected, Clients.read(consumer, sent.size(), 40));
                long gapMs = gap / 1_000_000;
                return new Contract.Passed(
                        count + " messages, broker " + killed + " killed, gap " + gapMs + " ms",
                        Map.of("messages", count, "longest_gap_ms", gapMs));
            }
        }
    }

    Contract.Passed topicRecreated() throws Exception {
        String topic = clients.create("again", 3, Map.of());
        try (Admin admin = clients.admin();
                KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of());
                KafkaConsumer<byte[], byte[]> consumer = clients.reader(topic, Map.of())) {
            Sent first = new Sent(producer);
            for (int number = 0; number < 100; number++) {
                first.send(topic, number % 3, null, "first " + number);
            }
            Sent.check(first.acknowledged(), Clients.read(consumer, 100, 40));
            admin.deleteTopics(List.of(topic)).all().get();
            Contract.waitUntil(() -> !admin.listTopics().names().get().contains(topic), 10,
                    "the topic is deleted");
            clients.create("again", 3, Map.of());
            long begun = System.nanoTime();
            long failed = 0;
            Set<String> wanted = new HashSet<>();
            for (int number = 0; number < 40; number++) {
                String value = "second " + number;
                wanted.add(value);
                while (true) {
                    try {
                        producer.send(new ProducerRecord<>(topic, number % 3, null, Sent.bytes(value)))
                                .get(30, TimeUnit.SECONDS);
                        break;
                    } catch (Exception error) {
                        failed++;
                        System.err.println(Clients.causeOf(error));
                        Mismatch.expect(System.nanoTime() < begun + 60 * SECOND,
                                "the producer does not find the new topic");
                        Thread.sleep(100);
                    }
                }
            }
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            long deadline = System.nanoTime() + 30 * SECOND;
            while (records.size() < 40 && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
            long afterMs = (System.nanoTime() - begun) / 1_000_000;
            consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
            Set<String> found = records.stream()
                    .map(record -> new String(record.value())).collect(Collectors.toSet());
            Mismatch.expect(found.equals(wanted), found.size() + " of the new 40 are read");
            Mismatch.expect(records.size() == 40 || failed > 0, records.size() + " records are read");
            return new Contract.Passed(
                    "read " + afterMs + " ms after, " + failed + " sends failed before",
                    Map.of("messages", 140L, "failed_sends", failed, "seen_after_ms", afterMs));
        }
    }
}
