package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.support.KafkaHeaders;

/** What becomes of orders: those that are well, and those that nobody can process. */
class OrdersTest extends ClusterTest {

    @Test
    void everyCustomerIsToldOfEachOrderOnceAndInOrder() {
        List<Order> orders = new ArrayList<>();
        for (int number = 0; number < 30; number++) {
            orders.add(order("customer-" + number % 10));
        }
        orders.forEach(service::place);
        awaitTold(orders);
        for (int customer = 0; customer < 10; customer++) {
            String name = "customer-" + customer;
            assertThat(mailbox.delivered().stream().filter(one -> one.customer().equals(name)))
                    .extracting(Reservation::orderId)
                    .containsExactlyElementsOf(
                            orders.stream()
                                    .filter(one -> one.customer().equals(name))
                                    .map(Order::id)
                                    .toList());
        }
    }

    @Test
    void anOrderThatCannotBeProcessedIsDeadAfterItsRetriesAndTheRestFlowsOn() {
        List<Order> before = orders(3, "erin");
        Order poison = new Order(newId(), "erin", "unicorn", 1);
        List<Order> after = orders(3, "erin");
        try (TopicReader dead = TopicReader.committed(bootstrap, Topics.DEAD_ORDERS);
                TopicReader reserved = TopicReader.committed(bootstrap, Topics.RESERVATIONS)) {
            before.forEach(service::place);
            service.place(poison);
            after.forEach(service::place);
            awaitTold(before);
            awaitTold(after);
            assertThat(dead.await(poison.id(), 1)).isEqualTo(1);
            assertThat(dead.toItsEnd().counted(poison.id())).isEqualTo(1);
            assertThat(warehouse.attempts(poison.id())).isEqualTo(ATTEMPTS);
            assertThat(reserved.toItsEnd().counted(poison.id())).isZero();
            ConsumerRecord<String, byte[]> letter = dead.with(poison.id()).get(0);
            assertThat(letter.key()).isEqualTo("erin");
            assertThat(letter.headers().lastHeader(KafkaHeaders.DLT_ORIGINAL_TOPIC).value())
                    .asString()
                    .isEqualTo(Topics.ORDERS);
            assertThat(letter.headers().lastHeader(KafkaHeaders.DLT_EXCEPTION_CAUSE_FQCN).value())
                    .asString()
                    .isEqualTo(IllegalArgumentException.class.getName());
        }
    }

    @Test
    void whatIsNoOrderAtAllIsDeadAtOnceByteForByte() {
        String garbage = "no JSON " + newId();
        Order after = order("frank");
        try (TopicReader dead = TopicReader.committed(bootstrap, Topics.DEAD_ORDERS)) {
            template.send(Topics.ORDERS, "frank", garbage.getBytes());
            service.place(after);
            awaitTold(List.of(after));
            assertThat(dead.await(garbage, 1)).isEqualTo(1);
            assertThat(dead.with(garbage).get(0).value()).asString().isEqualTo(garbage);
            within(60).until(() -> deadLetters.seen().contains(garbage));
        }
    }

    @Test
    void threeConsumersOfOneGroupWorkOnThreePartitionsAtTheSameTime() {
        var container =
                (ConcurrentMessageListenerContainer<?, ?>) listeners.getListenerContainer("inventory");
        assertThat(container.getContainers())
                .hasSize(Topics.PARTITIONS)
                .allSatisfy(one -> assertThat(one.getAssignedPartitions()).hasSize(1));

        Map<Integer, String> customers = new HashMap<>(); // partition → one who orders there
        for (int number = 0; customers.size() < Topics.PARTITIONS; number++) {
            String customer = "somebody-" + number;
            var placed = service.place(order(customer)).join().getRecordMetadata();
            customers.put(placed.partition(), customer);
        }
        CyclicBarrier all = new CyclicBarrier(Topics.PARTITIONS);
        List<Order> orders = customers.values().stream().map(ClusterTest::order).toList();
        orders.forEach(one -> warehouse.inTheMiddleOf(one.id(), () -> meet(all)));
        orders.forEach(service::place);
        awaitTold(orders);
        // Whoever had waited in vain for the two others would have failed, and come again.
        assertThat(orders).allSatisfy(one -> assertThat(warehouse.attempts(one.id())).isEqualTo(1));
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException error) {
            throw new IllegalStateException("the others did not come", error);
        }
    }
}
