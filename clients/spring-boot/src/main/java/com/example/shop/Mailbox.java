package com.example.shop;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** Where notifications go: the log, and a list for whoever wants to look. */
@Component
public class Mailbox {

    private static final Logger LOG = LoggerFactory.getLogger(Mailbox.class);

    private final List<Reservation> delivered = new CopyOnWriteArrayList<>();

    public void deliver(Reservation reservation) {
        LOG.info(
                "to {}: order {}: {} x {} reserved, shelf {}",
                reservation.customer(),
                reservation.orderId(),
                reservation.quantity(),
                reservation.item(),
                reservation.shelf());
        delivered.add(reservation);
    }

    /** In the order of delivery. */
    public List<Reservation> delivered() {
        return List.copyOf(delivered);
    }
}
