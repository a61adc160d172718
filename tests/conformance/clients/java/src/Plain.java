import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Scenarios that produce, and read back: codecs, keys, headers, sizes, idempotence, admin. */
final class Plain {
    private static final int MIB = 1 << 20;
    private static final String[] WORDS =
            {"order", "payment", "parcel", "invoice", "account", "customer", "window", "river"};

    private final Clients clients;

    Plain(Clients clients) {
        this.clients = clients;
    }

    private int readBack(String topic, Sent sent) throws Exception {
        Map<Integer, List<String>> expected = sent.acknowledged();
        try (var consumer = clients.reader(topic, Map.of())) {
            return Sent.check(expected, Clients.read(consumer, sent.size(), 40));
        }
    }

    private static Contract.Passed passed(String detail, long messages) {
        return new Contract.Passed(detail, Map.of("messages", messages));
    }

    Contract.Passed compression(String codec) throws Exception {
        String topic = clients.create("compressed", 3, Map.of());
        Random random = new Random(codec.hashCode());
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of("compression.type", codec))) {
            Sent sent = new Sent(producer);
            for (int number = 0; number < 1_000; number++) {
                StringBuilder text = new StringBuilder().append(number);
                for (int word = 0; word < 140; word++) {
                    text.append(' ').append(WORDS[random.nextInt(WORDS.length)]);
                }
                sent.send(topic, null, String.valueOf(number), text.toString());
            }
            int count = readBack(topic, sent);
            return passed(count + " messages", count);
        }
    }

    Contract.Passed keyed() throws Exception {
        String topic = clients.create("keyed", 3, Map.of());
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of())) {
            Sent sent = new Sent(producer);
            for (int number = 0; number < 1_000; number++) {
                sent.send(topic, null, "key-" + number % 100, String.valueOf(number));
            }
            Map<String, Set<Integer>> homes = new HashMap<>();
            sent.acknowledged().forEach((partition, contents) -> {
                for (String content : contents) {
                    String key = content.substring(0, content.indexOf('='));
                    homes.computeIfAbsent(key, k -> new HashSet<>()).add(partition);
                }
            });
            Mismatch.expect(homes.size() == 100, homes.size() + " keys");
            Set<Integer> used = new HashSet<>();
            homes.forEach((key, home) -> {
                Mismatch.expect(home.size() == 1, key + " is in partitions " + home);
                used.addAll(home);
            });
            Mismatch.expect(used.size() > 1, "all keys went to partitions " + used);
            int count = readBack(topic, sent);
            return passed(count + " messages, 100 keys", count);
        }
    }

    Contract.Passed roundRobin() throws Exception {
        String topic = clients.create("spread", 3, Map.of());
        Map<String, Object> settings = Map.of("partitioner.class", RoundRobinPartitioner.class.getName());
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(settings)) {
            Sent sent = new Sent(producer);
            for (int number = 0; number < 300; number++) {
                sent.send(topic, null, null, String.valueOf(number));
            }
            Map<Integer, List<String>> expected = sent.acknowledged();
            Mismatch.expect(expected.keySet().equals(Set.of(0, 1, 2)),
                    "only partitions " + expected.keySet() + " got messages");
            int count = readBack(topic, sent);
            String sizes = expected.values().stream()
                    .map(one -> String.valueOf(one.size())).collect(Collectors.joining("/"));
            return passed(count + " messages, by partition " + sizes, count);
        }
    }

    Contract.Passed headers() throws Exception {
        String topic = clients.create("headers", 3, Map.of());
        byte[] every = new byte[256];
        for (int i = 0; i < every.length; i++) {
            every[i] = (byte) i;
        }
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of())) {
            Sent sent = new Sent(producer);
            var one = new ProducerRecord<byte[], byte[]>(topic, Sent.bytes("k"), Sent.bytes("1"));
            one.headers().add("twice", Sent.bytes("first")).add("other", Sent.bytes("between"))
                    .add("twice", Sent.bytes("second"));
            sent.send(one);
            var two = new ProducerRecord<byte[], byte[]>(topic, Sent.bytes("k"), Sent.bytes("2"));
            two.headers().add("empty", new byte[0]).add("null", (byte[]) null).add("bytes", every)
                    .add("überschrift-見出し", Sent.bytes("значение"));
            sent.send(two);
            sent.send(topic, null, "k", "without headers");
            sent.send(topic, 0, null, "without a key");
            sent.send(topic, null, "without a value", null);
            int count = readBack(topic, sent);
            return passed(count + " messages", count);
        }
    }

    Contract.Passed largeMessages() throws Exception {
        String topic = clients.create("large", 3, Map.of("max.message.bytes", String.valueOf(4 * MIB)));
        Random random = new Random(1);
        try (KafkaProducer<byte[], byte[]> producer =
                clients.producer(Map.of("max.request.size", 8 * MIB))) {
            Sent sent = new Sent(producer);
            for (int number = 0; number < 6; number++) {
                sent.send(new ProducerRecord<>(topic, randomBytes(random, 3 * MIB)));
            }
            sent.acknowledged();
            try {
                producer.send(new ProducerRecord<>(topic, randomBytes(random, 5 * MIB))).get();
                throw new Mismatch("5 MiB are taken");
            } catch (ExecutionException error) {
                Mismatch.expect(error.getCause() instanceof RecordTooLargeException,
                        "5 MiB are refused with " + error.getCause());
            }
            int count = readBack(topic, sent);
            return passed(count + " messages of 3 MiB; 5 MiB refused", count);
        }
    }

    private static byte[] randomBytes(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    Contract.Passed idempotent() throws Exception {
        String topic = clients.create("once", 3, Map.of());
        try (KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of("enable.idempotence", true))) {
            Sent sent = new Sent(producer);
            for (int number = 0; number < 5_000; number++) {
                sent.send(topic, null, String.valueOf(number % 50), String.valueOf(number));
            }
            int count = readBack(topic, sent);
            return passed(count + " messages", count);
        }
    }

    Contract.Passed admin() throws Exception {
        String topic = clients.create("managed", 2, Map.of("retention.ms", "123456"));
        try (Admin admin = clients.admin()) {
            try {
                admin.createTopics(List.of(new NewTopic(topic, 2, (short) 3))).all().get();
                throw new Mismatch("the topic could be created twice");
            } catch (ExecutionException error) {
                Mismatch.expect(error.getCause() instanceof TopicExistsException,
                        "created again: " + error.getCause());
            }
            Contract.waitUntil(partitionsAre(admin, topic, 2), 10, "2 partitions, 3 replicas each");
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            String found = config(admin, resource);
            Mismatch.expect("123456".equals(found), "retention.ms is " + found);
            var change = new AlterConfigOp(new ConfigEntry("retention.ms", "654321"), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
            Contract.waitUntil(() -> "654321".equals(config(admin, resource)), 10, "retention.ms=654321");
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all().get();
            Contract.waitUntil(partitionsAre(admin, topic, 4), 10, "4 partitions, 3 replicas each");
            Mismatch.expect(admin.listTopics().names().get().contains(topic), "the topic is not listed");
            admin.deleteTopics(List.of(topic)).all().get();
            Contract.waitUntil(() -> !admin.listTopics().names().get().contains(topic), 10,
                    "the topic is no longer listed");
            return new Contract.Passed("create, describe, alter, more partitions, list, delete", Map.of());
        }
    }

    private static Callable<Boolean> partitionsAre(Admin admin, String topic, int count) {
        return () -> {
            try {
                TopicDescription told = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
                return told.partitions().size() == count && told.partitions().stream()
                        .allMatch(one -> one.leader() != null && one.replicas().size() == 3);
            } catch (ExecutionException error) {
                if (error.getCause() instanceof UnknownTopicOrPartitionException) {
                    return false;  // a broker that has not heard of it yet
                }
                throw error;
            }
        };
    }

    private static String config(Admin admin, ConfigResource resource) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value();
    }
}
