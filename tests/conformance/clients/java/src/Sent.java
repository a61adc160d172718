import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** What was sent in order, where it was acknowledged, and whether just that was read. */
final class Sent {
    private final KafkaProducer<byte[], byte[]> producer;
    private final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    private final List<Future<RecordMetadata>> places = new ArrayList<>();

    Sent(KafkaProducer<byte[], byte[]> producer) {
        this.producer = producer;
    }

    int size() {
        return records.size();
    }

    void send(ProducerRecord<byte[], byte[]> record) {
        send(record, null);
    }

    void send(ProducerRecord<byte[], byte[]> record, Callback told) {
        records.add(record);
        places.add(producer.send(record, told));
    }

    void send(String topic, Integer partition, String key, String value) {
        send(new ProducerRecord<>(topic, partition, bytes(key), bytes(value)));
    }

    /** Contents by partition, in the order of sending; fails with the first that failed. */
    Map<Integer, List<String>> acknowledged() throws Exception {
        Map<Integer, List<String>> found = new TreeMap<>();
        for (int i = 0; i < records.size(); i++) {
            RecordMetadata place = places.get(i).get(60, TimeUnit.SECONDS);
            ProducerRecord<byte[], byte[]> record = records.get(i);
            found.computeIfAbsent(place.partition(), p -> new ArrayList<>())
                    .add(content(record.key(), record.value(), record.headers()));
        }
        return found;
    }

    /** All of it, in order, nothing twice; how many. */
    static int check(Map<Integer, List<String>> expected, List<ConsumerRecord<byte[], byte[]>> records) {
        Map<Integer, List<String>> found = new TreeMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            found.computeIfAbsent(record.partition(), p -> new ArrayList<>())
                    .add(content(record.key(), record.value(), record.headers()));
        }
        TreeMap<Integer, List<String>> both = new TreeMap<>(expected);
        both.putAll(found);
        int count = 0;
        for (int partition : both.keySet()) {
            List<String> wanted = expected.getOrDefault(partition, List.of());
            List<String> read = found.getOrDefault(partition, List.of());
            int at = 0;
            while (at < Math.min(wanted.size(), read.size()) && wanted.get(at).equals(read.get(at))) {
                at++;
            }
            Mismatch.expect(wanted.equals(read),
                    "partition " + partition + ": " + wanted.size() + " expected, " + read.size()
                            + " read; the first difference is at " + at + ": " + shown(wanted, at)
                            + ", read " + shown(read, at));
            count += wanted.size();
        }
        return count;
    }

    private static String shown(List<String> contents, int at) {
        if (at >= contents.size()) {
            return "nothing";
        }
        String one = contents.get(at);
        return one.substring(0, Math.min(80, one.length()));
    }

    static String content(byte[] key, byte[] value, Headers headers) {
        StringBuilder text = new StringBuilder(shown(key)).append('=').append(shown(value));
        for (Header header : headers) {
            text.append(", ").append(header.key()).append(':').append(shown(header.value()));
        }
        return text.toString();
    }

    /** As text that no two byte strings share; large ones by their length and two hashes. */
    private static String shown(byte[] bytes) {
        if (bytes == null) {
            return "null";
        }
        if (bytes.length > 4096) {
            java.util.zip.CRC32 crc = new java.util.zip.CRC32();
            crc.update(bytes);
            return bytes.length + " bytes, " + crc.getValue() + ", " + Arrays.hashCode(bytes);
        }
        return '"' + new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1) + '"';
    }

    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
