import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Scenarios of consumers and groups: positions, commits, rebalances, transactions, protocols. */
final class Groups {
    private static final double STABLE_SECONDS_MAX = 40;

    private final Clients clients;

    Groups(Clients clients) {
        this.clients = clients;
    }

    Contract.Passed seekPauseOffsetsForTimes() throws Exception {
        String topic = clients.create("timed", 3, Map.of());
        long first = System.currentTimeMillis() - 3_600_000;
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of());
                KafkaConsumer<byte[], byte[]> consumer = clients.reader(topic, Map.of())) {
            Sent sent = new Sent(producer);
            for (int number = 0; number < 100; number++) {
                for (int partition = 0; partition < 3; partition++) {
                    byte[] value = Sent.bytes(String.valueOf(number));
                    sent.send(new ProducerRecord<>(topic, partition, first + number * 1_000L, null, value));
                }
            }
            Map<Integer, List<String>> expected = sent.acknowledged();
            TopicPartition zero = new TopicPartition(topic, 0);
            Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(Map.of(
                    zero, first + 70_500,
                    new TopicPartition(topic, 1), first + 70_000,
                    new TopicPartition(topic, 2), first + 200_000));
            Mismatch.expect(found.get(zero).offset() == 71
                    && found.get(new TopicPartition(topic, 1)).offset() == 70
                    && found.get(new TopicPartition(topic, 2)) == null, "offsets for times: " + found);

            consumer.seek(zero, 50);
            expected.put(0, expected.get(0).subList(50, 100));
            Sent.check(expected, Clients.read(consumer, 250, 40));

            consumer.pause(List.of(zero));
            Sent more = new Sent(producer);
            for (int number = 0; number < 20; number++) {
                for (int partition = 0; partition < 3; partition++) {
                    more.send(topic, partition, null, "more " + number);
                }
            }
            Map<Integer, List<String>> later = more.acknowledged();
            Map<Integer, List<String>> others = new TreeMap<>(later);
            others.remove(0);
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            long until = System.nanoTime() + 2_000_000_000L;
            while (System.nanoTime() < until
                    || (records.size() < 40 && System.nanoTime() < until + 20_000_000_000L)) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
            Sent.check(others, records);
            consumer.resume(List.of(zero));
            Sent.check(Map.of(0, later.get(0)), Clients.read(consumer, 20, 40));
        }
        return new Contract.Passed("offsets for times, seek, pause, resume", Map.of("messages", 310L));
    }

    Contract.Passed commitAndResume() throws Exception {
        String topic = clients.create("resumed", 3, Map.of());
        Map<String, Object> settings = Map.of("group.id", clients.prefix + "-readers");
        Map<Integer, List<String>> expected = produced(topic, 1_000);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> first = clients.consumer(settings)) {
            first.subscribe(List.of(topic));
            long deadline = System.nanoTime() + (long) (STABLE_SECONDS_MAX * 1e9);
            while (records.size() < 400 && System.nanoTime() < deadline) {
                first.poll(Duration.ofMillis(500)).forEach(records::add);
            }
            int count = records.size();
            Mismatch.expect(count >= 400 && count < 1_000, "the first member read " + count);
            first.commitSync();
            ends(topic, records).forEach((partition, end) -> {
                OffsetAndMetadata told = first.committed(Set.of(partition)).get(partition);
                Mismatch.expect(end.equals(told), partition + " is committed at " + told + ", not " + end);
            });
        }
        int before = records.size();
        try (KafkaConsumer<byte[], byte[]> second = clients.consumer(settings)) {
            second.subscribe(List.of(topic));
            records.addAll(Clients.read(second, 1_000 - before, 40));
        }
        Sent.check(expected, records);
        return new Contract.Passed(
                before + " read, then the other " + (1_000 - before), Map.of("messages", 1_000L));
    }

    Contract.Passed transactions() throws Exception {
        String source = clients.create("input", 3, Map.of());
        String results = clients.create("output", 3, Map.of());
        Map<Integer, List<String>> expected = new TreeMap<>();
        produced(source, 300).forEach((partition, contents) -> expected.put(
                partition, contents.stream().map(one -> one.replace("=\"", "=\"done ")).toList()));
        Map<String, Object> reading = Map.of(
                "group.id", clients.prefix + "-workers", "isolation.level", "read_committed");
        try (KafkaConsumer<byte[], byte[]> consumer = clients.consumer(reading);
                KafkaProducer<byte[], byte[]> producer =
                        clients.producer(Map.of("transactional.id", clients.prefix + "-worker"))) {
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            List<ConsumerRecord<byte[], byte[]>> waiting = new ArrayList<>();
            int done = 0;
            long deadline = System.nanoTime() + 60_000_000_000L;
            while (done < 300 && System.nanoTime() < deadline) {
                if (waiting.size() < 50) {
                    consumer.poll(Duration.ofMillis(500)).forEach(waiting::add);
                    continue;
                }
                List<ConsumerRecord<byte[], byte[]>> work = new ArrayList<>(waiting.subList(0, 50));
                waiting.subList(0, 50).clear();
                if (done == 100) {
                    transform(producer, results, work);
                    producer.flush();
                    producer.abortTransaction();
                }
                transform(producer, results, work);
                producer.sendOffsetsToTransaction(ends(source, work), consumer.groupMetadata());
                producer.commitTransaction();
                done += work.size();
            }
            Mismatch.expect(done == 300 && waiting.isEmpty(), done + " done, " + waiting.size() + " left");
            for (int partition = 0; partition < 3; partition++) {
                TopicPartition place = new TopicPartition(source, partition);
                OffsetAndMetadata told = consumer.committed(Set.of(place)).get(place);
                Mismatch.expect(told != null && told.offset() == 100, place + " is committed at " + told);
            }
        }
        int count;
        try (var reader = clients.reader(results, Map.of("isolation.level", "read_committed"))) {
            count = Sent.check(expected, Clients.read(reader, 300, 40));
        }
        try (var reader = clients.reader(results, Map.of())) {
            int seen = Clients.read(reader, 350, 40).size();
            Mismatch.expect(seen == 350, "read_uncommitted sees " + seen + " records, not 350");
        }
        return new Contract.Passed(
                count + " results in 6 transactions, one aborted", Map.of("messages", (long) count));
    }

    private static void transform(KafkaProducer<byte[], byte[]> producer, String topic,
            List<ConsumerRecord<byte[], byte[]>> work) {
        producer.beginTransaction();
        for (ConsumerRecord<byte[], byte[]> record : work) {
            byte[] value = Sent.bytes("done " + new String(record.value()));
            producer.send(new ProducerRecord<>(topic, record.partition(), null, value));
        }
    }

    private static Map<TopicPartition, OffsetAndMetadata> ends(
            String topic, List<ConsumerRecord<byte[], byte[]>> records) {
        Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            ends.put(new TopicPartition(topic, record.partition()),
                    new OffsetAndMetadata(record.offset() + 1, record.leaderEpoch(), ""));
        }
        return ends;
    }

    /** Numbers, spread over three partitions. */
    private Map<Integer, List<String>> produced(String topic, int count) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of())) {
            Sent sent = new Sent(producer);
            for (int number = 0; number < count; number++) {
                sent.send(topic, number % 3, null, String.valueOf(number));
            }
            return sent.acknowledged();
        }
    }

    Contract.Passed rebalance() throws Exception {
        String topic = clients.create("shared", 6, Map.of());
        Map<String, Object> settings = Map.of("group.id", clients.prefix + "-members");
        Set<Integer> every = Set.of(0, 1, 2, 3, 4, 5);
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of())) {
            Sent sent = new Sent(producer);
            Member first = new Member(clients, topic, settings);
            produceUntil(sent, topic, () -> {
                first.check();
                return first.assignment.equals(every) && first.records.size() > 50;
            }, "the first has all");
            Member second = new Member(clients, topic, settings);
            produceUntil(sent, topic, () -> {
                first.check();
                second.check();
                return isSplit(first.assignment, second.assignment, every) && second.records.size() > 20;
            }, "both have some and read");
            int before = first.records.size();
            produceUntil(sent, topic, () -> first.records.size() > before + 20,
                    "the first reads on beside the second");
            second.leave();
            produceUntil(sent, topic, () -> {
                first.check();
                return first.assignment.equals(every);
            }, "the first has all again");
            for (int number = 0; number < 100; number++) {
                sent.send(topic, sent.size() % 6, null, String.valueOf(sent.size()));
            }
            Map<Integer, List<String>> expected = sent.acknowledged();
            Contract.waitUntil(() -> distinct(first, second).size() >= sent.size(), STABLE_SECONDS_MAX,
                    "all is read");
            Thread.sleep(1_000);
            first.leave();
            TreeMap<String, ConsumerRecord<byte[], byte[]>> read = distinct(first, second);
            Sent.check(expected, new ArrayList<>(read.values()));
            long duplicates = first.records.size() + second.records.size() - read.size();
            Mismatch.expect(duplicates == 0, duplicates + " messages were read twice");
            return new Contract.Passed(
                    sent.size() + " messages, " + second.records.size() + " by the second member",
                    Map.of("messages", (long) sent.size(), "duplicates", duplicates));
        }
    }

    /** By partition and offset, in their order. */
    private static TreeMap<String, ConsumerRecord<byte[], byte[]>> distinct(Member... members) {
        TreeMap<String, ConsumerRecord<byte[], byte[]>> found = new TreeMap<>();
        for (Member member : members) {
            for (ConsumerRecord<byte[], byte[]> record : member.records) {
                found.put(String.format("%d %010d", record.partition(), record.offset()), record);
            }
        }
        return found;
    }

    private static void produceUntil(Sent sent, String topic, Callable<Boolean> condition, String what)
            throws Exception {
        long deadline = System.nanoTime() + (long) (STABLE_SECONDS_MAX * 1e9);
        while (!condition.call()) {
            Mismatch.expect(System.nanoTime() < deadline, "not so after 40 s: " + what);
            sent.send(topic, sent.size() % 6, null, String.valueOf(sent.size()));
            Thread.sleep(10);
        }
    }

    private static boolean isSplit(Set<Integer> one, Set<Integer> other, Set<Integer> every) {
        Set<Integer> union = new HashSet<>(one);
        union.addAll(other);
        return !one.isEmpty() && !other.isEmpty() && union.equals(every)
                && one.size() + other.size() == every.size();
    }

    Contract.Passed groupProtocol(String protocol) throws Exception {
        String topic = clients.create("split", 3, Map.of());
        Map<String, Object> settings =
                Map.of("group.id", clients.prefix + "-pair", "group.protocol", protocol);
        Member one = new Member(clients, topic, settings);
        Member other = new Member(clients, topic, settings);
        Contract.waitUntil(() -> {
            one.check();
            other.check();
            return isSplit(one.assignment, other.assignment, Set.of(0, 1, 2));
        }, STABLE_SECONDS_MAX, "both members have partitions");
        Map<Integer, List<String>> expected = produced(topic, 600);
        Contract.waitUntil(
                () -> one.records.size() + other.records.size() >= 600, STABLE_SECONDS_MAX, "all read");
        Thread.sleep(1_000);
        one.leave();
        other.leave();
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(one.records);
        records.addAll(other.records);
        records.sort((left, right) -> Long.compare(left.offset(), right.offset()));
        Sent.check(expected, records);
        try (KafkaConsumer<byte[], byte[]> follower = clients.consumer(settings)) {
            follower.subscribe(List.of(topic));
            int rest = Clients.read(follower, 1, 3).size();
            Mismatch.expect(rest == 0, rest + " were read although they were committed");
            for (int partition = 0; partition < 3; partition++) {
                TopicPartition place = new TopicPartition(topic, partition);
                OffsetAndMetadata told = follower.committed(Set.of(place)).get(place);
                Mismatch.expect(told != null && told.offset() == 200, place + " is committed at " + told);
            }
        }
        return new Contract.Passed(
                "600 messages, by member " + one.records.size() + "/" + other.records.size(),
                Map.of("messages", 600L));
    }
}
