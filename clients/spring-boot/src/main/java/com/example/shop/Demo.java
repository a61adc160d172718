package com.example.shop;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.stereotype.Component;

/**
 * Places {@code shop.orders} orders and one for an item that nobody has, waits until the customers
 * are told and the dead letter is seen, and ends the application; without the setting the services wait for orders of others.
 */
@Component
@ConditionalOnProperty("shop.orders")
class Demo implements ApplicationRunner {

    private static final Logger LOG = LoggerFactory.getLogger(Demo.class);
    private static final Duration WAIT_MAX = Duration.ofSeconds(60);
    private static final List<String> CUSTOMERS = List.of("alice", "bob", "carol");
    private static final List<String> ITEMS = List.of("pen", "ink", "paper", "stamp");

    private final int count;
    private final OrderService service;
    private final Mailbox mailbox;
    private final DeadLetters deadLetters;
    private final ConfigurableApplicationContext context;

    Demo(
            @Value("${shop.orders}") int count,
            OrderService service,
            Mailbox mailbox,
            DeadLetters deadLetters,
            ConfigurableApplicationContext context) {
        this.count = count;
        this.service = service;
        this.mailbox = mailbox;
        this.deadLetters = deadLetters;
        this.context = context;
    }

    @Override
    public void run(ApplicationArguments arguments) throws InterruptedException {
        List<Order> orders = IntStream.range(0, count).mapToObj(Demo::order).toList();
        Order impossible = new Order(newId(), "dave", "unicorn", 1);
        service.place(impossible).join();
        orders.subList(0, count / 2).forEach(order -> service.place(order).join());
        service.placeTogether(orders.subList(count / 2, count));
        LOG.info("{} orders placed, and one for a unicorn", count);
        waitUntil("customers are told", () -> told().containsAll(orders.stream().map(Order::id).toList()));
        waitUntil(
                "the unicorn is given up",
                () -> deadLetters.seen().stream().anyMatch(value -> value.contains(impossible.id())));
        LOG.info("customers were told of all {}; the unicorn is in {}", count, Topics.DEAD_ORDERS);
        context.close();
    }

    private Set<String> told() {
        return mailbox.delivered().stream().map(Reservation::orderId).collect(Collectors.toSet());
    }

    private static void waitUntil(String what, BooleanSupplier done) throws InterruptedException {
        Instant deadline = Instant.now().plus(WAIT_MAX);
        while (!done.getAsBoolean()) {
            if (Instant.now().isAfter(deadline)) {
                throw new IllegalStateException("not within " + WAIT_MAX + ": " + what);
            }
            Thread.sleep(50);
        }
    }

    private static String newId() {
        return UUID.randomUUID().toString().substring(0, 8);
    }

    private static Order order(int number) {
        return new Order(
                newId(),
                CUSTOMERS.get(number % CUSTOMERS.size()),
                ITEMS.get(number % ITEMS.size()),
                1 + number % 5);
    }
}
