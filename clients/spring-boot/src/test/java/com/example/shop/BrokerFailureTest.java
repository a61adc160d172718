package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * A broker dies while orders come in. CLUSTER_CONTROL_URL leads to whoever runs the cluster:
 * {@code POST …/brokers/ID/kill} and {@code …/start} answer once it is done.
 */
@EnabledIfEnvironmentVariable(named = "CLUSTER_CONTROL_URL", matches = "http.+")
class BrokerFailureTest extends ClusterTest {

    private static final int ORDERS = 200;
    private static final long PAUSE_MS = 15;

    @Test
    void aBrokerKilledInTheMiddleLosesNoOrder() throws Exception {
        List<Order> orders = new ArrayList<>();
        for (int number = 0; number < ORDERS; number++) {
            orders.add(order("buyer-" + number % 20));
        }
        List<CompletableFuture<?>> placed = new ArrayList<>();
        int victim = leaderOfTheFirstPartition();
        try (TopicReader reserved = TopicReader.committed(bootstrap, Topics.RESERVATIONS)) {
            placeAll(orders.subList(0, ORDERS / 3), placed);
            CompletableFuture<Void> killed =
                    CompletableFuture.runAsync(() -> control(victim, "kill"));
            placeAll(orders.subList(ORDERS / 3, ORDERS), placed);
            killed.join();
            try {
                assertThat(leaderOfTheFirstPartition()).isNotEqualTo(victim);
                CompletableFuture.allOf(placed.toArray(CompletableFuture[]::new)).join();
                within(60).until(() -> orders.stream().allMatch(one -> mailbox.counted(one.id()) > 0));
            } finally {
                control(victim, "start");
            }
            reserved.toItsEnd();
            assertThat(orders)
                    .allSatisfy(one -> assertThat(reserved.counted(one.id())).isEqualTo(1));
        }
    }

    private void placeAll(List<Order> orders, List<CompletableFuture<?>> placed)
            throws InterruptedException {
        for (Order one : orders) {
            placed.add(service.place(one));
            Thread.sleep(PAUSE_MS);
        }
    }

    private int leaderOfTheFirstPartition() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            var topic = admin.describeTopics(List.of(Topics.ORDERS)).allTopicNames().get();
            return topic.get(Topics.ORDERS).partitions().get(0).leader().id();
        }
    }

    private static void control(int broker, String action) {
        URI address =
                URI.create(System.getenv("CLUSTER_CONTROL_URL") + "/brokers/" + broker + "/" + action);
        HttpRequest request =
                HttpRequest.newBuilder(address)
                        .timeout(Duration.ofSeconds(90))
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build();
        try {
            HttpResponse<String> answer =
                    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(204);
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }
}
