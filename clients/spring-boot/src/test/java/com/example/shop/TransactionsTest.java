package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/**
 * All or nothing. That a failure comes in the middle is made sure of: it waits until somebody who
 * reads uncommitted records has seen what the transaction has written so far.
 */
class TransactionsTest extends ClusterTest {

    @Test
    void ordersPlacedTogetherAllArrive() {
        List<Order> orders = new ArrayList<>(orders(5, "grace"));
        orders.addAll(orders(5, "heidi"));
        service.placeTogether(orders);
        awaitTold(orders);
        assertThat(orders).allSatisfy(one -> assertThat(mailbox.counted(one.id())).isEqualTo(1));
    }

    @Test
    void ordersPlacedTogetherLeaveNothingWhenTheLastFails() {
        List<Order> orders = orders(3, "ivan");
        Order after = order("ivan");
        try (TopicReader all = TopicReader.uncommitted(bootstrap, Topics.ORDERS);
                TopicReader committed = TopicReader.committed(bootstrap, Topics.ORDERS)) {
            assertThatThrownBy(() -> service.placeTogether(() -> failingAfter(orders, all)))
                    .hasStackTraceContaining("the third is withdrawn");
            assertThat(all.counted(orders.get(0).id())).isEqualTo(1);
            service.place(after).join();
            awaitTold(List.of(after));
            assertThat(committed.await(after.id(), 1)).isEqualTo(1);
            committed.toItsEnd();
            for (Order one : orders) {
                assertThat(committed.counted(one.id())).isZero();
                assertThat(warehouse.attempts(one.id())).isZero();
                assertThat(mailbox.counted(one.id())).isZero();
            }
        }
    }

    /** The first two, and an error once they are in the log. */
    private static Iterator<Order> failingAfter(List<Order> orders, TopicReader all) {
        Iterator<Order> source = orders.iterator();
        return new Iterator<>() {
            private int given;

            @Override
            public boolean hasNext() {
                return source.hasNext();
            }

            @Override
            public Order next() {
                if (given == 2) {
                    assertThat(all.await(orders.get(0).id(), 1)).isEqualTo(1);
                    assertThat(all.await(orders.get(1).id(), 1)).isEqualTo(1);
                    throw new IllegalStateException("the third is withdrawn");
                }
                given++;
                return source.next();
            }
        };
    }

    @Test
    void anExceptionInTheMiddleOfAnOrderLeavesNothingVisibleAndTheOrderIsProcessedExactlyOnce() {
        Order order = order("judy");
        List<Long> visible = new CopyOnWriteArrayList<>();
        warehouse.inTheMiddleOf(
                order.id(),
                () -> {
                    // In the listener's thread, which has written the reservation, uncommitted.
                    try (TopicReader all = TopicReader.uncommitted(bootstrap, Topics.RESERVATIONS);
                            TopicReader committed =
                                    TopicReader.committed(bootstrap, Topics.RESERVATIONS)) {
                        all.fromTheStart();
                        committed.fromTheStart();
                        visible.add(all.await(order.id(), 1));
                        visible.add(committed.toItsEnd().counted(order.id()));
                    }
                    throw new IllegalStateException("in the middle");
                });
        try (TopicReader allReserved = TopicReader.uncommitted(bootstrap, Topics.RESERVATIONS);
                TopicReader reserved = TopicReader.committed(bootstrap, Topics.RESERVATIONS);
                TopicReader moved = TopicReader.committed(bootstrap, Topics.STOCK_MOVEMENTS)) {
            service.place(order);
            awaitTold(List.of(order));
            assertThat(visible).containsExactly(1L, 0L);
            assertThat(warehouse.attempts(order.id())).isEqualTo(2);
            assertThat(moved.await(order.id(), 1)).isEqualTo(1);
            assertThat(allReserved.toItsEnd().counted(order.id())).isEqualTo(2);
            assertThat(reserved.toItsEnd().counted(order.id())).isEqualTo(1);
            assertThat(moved.toItsEnd().counted(order.id())).isEqualTo(1);
            assertThat(mailbox.counted(order.id())).isEqualTo(1);
        }
    }
}
