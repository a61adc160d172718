package com.example.shop;

import java.util.Map;
import org.springframework.stereotype.Component;

/** Knows what there is and where it lies. */
@Component
public class Warehouse {

    private static final Map<String, String> SHELVES =
            Map.of("pen", "A1", "ink", "A2", "paper", "B1", "stamp", "C4");

    /** IllegalArgumentException for an item that it has not, or for less than one of it. */
    public Reservation reserve(Order order) {
        String shelf = SHELVES.get(order.item());
        if (shelf == null) {
            throw new IllegalArgumentException("there is no " + order.item());
        }
        if (order.quantity() < 1) {
            throw new IllegalArgumentException("cannot reserve " + order.quantity());
        }
        return new Reservation(order.id(), order.customer(), order.item(), order.quantity(), shelf);
    }

    public StockMovement movementOf(Reservation reservation) {
        return new StockMovement(reservation.orderId(), reservation.item(), -reservation.quantity());
    }
}
