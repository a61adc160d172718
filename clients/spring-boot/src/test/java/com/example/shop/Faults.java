package com.example.shop;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;
import org.springframework.kafka.listener.BatchInterceptor;

/** The shop with a warehouse and a mailbox that fail on command, and a look at the batches. */
@TestConfiguration
class Faults {

    /** Sizes of the batches that the listener of reservations was given. */
    static final List<Integer> BATCHES = new CopyOnWriteArrayList<>();

    @Bean
    @Primary
    BreakableWarehouse breakableWarehouse() {
        return new BreakableWarehouse();
    }

    @Bean
    @Primary
    BreakableMailbox breakableMailbox() {
        return new BreakableMailbox();
    }

    @Bean
    BatchInterceptor<Object, Object> batchSizes() {
        return (records, consumer) -> {
            BATCHES.add(records.count());
            return records;
        };
    }

    static class BreakableWarehouse extends Warehouse {

        private final Map<String, Integer> attempts = new ConcurrentHashMap<>();
        private final Map<String, Runnable> hooks = new ConcurrentHashMap<>();

        /** Run once, between both records that are written for the order. */
        void inTheMiddleOf(String orderId, Runnable hook) {
            hooks.put(orderId, hook);
        }

        int attempts(String orderId) {
            return attempts.getOrDefault(orderId, 0);
        }

        @Override
        public Reservation reserve(Order order) {
            attempts.merge(order.id(), 1, Integer::sum);
            return super.reserve(order);
        }

        @Override
        public StockMovement movementOf(Reservation reservation) {
            Runnable hook = hooks.remove(reservation.orderId());
            if (hook != null) {
                hook.run();
            }
            return super.movementOf(reservation);
        }
    }

    static class BreakableMailbox extends Mailbox {

        private final Map<String, Integer> refused = new ConcurrentHashMap<>();

        void refuse(String orderId) {
            refused.put(orderId, 0);
        }

        int attempts(String orderId) {
            return refused.get(orderId);
        }

        @Override
        public void deliver(Reservation reservation) {
            if (refused.computeIfPresent(reservation.orderId(), (id, tries) -> tries + 1) != null) {
                throw new IllegalStateException("no such address");
            }
            super.deliver(reservation);
        }

        long counted(String orderId) {
            return delivered().stream().filter(one -> one.orderId().equals(orderId)).count();
        }
    }
}
