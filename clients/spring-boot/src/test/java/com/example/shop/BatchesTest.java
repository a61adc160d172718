package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The listener of batches: what has gathered comes in few calls, and one that fails stops no other. */
class BatchesTest extends ClusterTest {

    @Test
    void whatHasGatheredComesTogether() {
        List<Order> orders = orders(20, "kim");
        int before = Faults.BATCHES.size();
        placeWhileNobodyIsTold(orders);
        awaitTold(orders);
        assertThat(Faults.BATCHES.subList(before, Faults.BATCHES.size())).anyMatch(size -> size >= 10);
        assertThat(orders).allSatisfy(one -> assertThat(mailbox.counted(one.id())).isEqualTo(1));
    }

    @Test
    void oneThatFailsIsDeadAfterItsRetriesAndTheOthersOfItsBatchAreDeliveredOnce() {
        List<Order> orders = orders(10, "leo");
        Order refused = orders.get(4);
        List<Order> others = orders.stream().filter(one -> one != refused).toList();
        mailbox.refuse(refused.id());
        try (TopicReader dead = TopicReader.committed(bootstrap, Topics.DEAD_RESERVATIONS)) {
            placeWhileNobodyIsTold(orders);
            awaitTold(others);
            assertThat(dead.await(refused.id(), 1)).isEqualTo(1);
            assertThat(dead.toItsEnd().counted(refused.id())).isEqualTo(1);
            assertThat(mailbox.attempts(refused.id())).isEqualTo(ATTEMPTS);
            assertThat(mailbox.counted(refused.id())).isZero();
            assertThat(others).allSatisfy(one -> assertThat(mailbox.counted(one.id())).isEqualTo(1));
        }
    }

    /** Places the orders and waits until all are reserved, while the notification service is down. */
    private void placeWhileNobodyIsTold(List<Order> orders) {
        var notification = listeners.getListenerContainer("notification");
        notification.stop();
        try (TopicReader reserved = TopicReader.committed(bootstrap, Topics.RESERVATIONS)) {
            orders.forEach(service::place);
            orders.forEach(one -> assertThat(reserved.await(one.id(), 1)).isEqualTo(1));
        } finally {
            notification.start();
        }
    }
}
