package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Needs no cluster. */
class WarehouseTest {

    private final Warehouse warehouse = new Warehouse();

    @Test
    void reservesWhatItHas() {
        Reservation reservation = warehouse.reserve(new Order("1", "alice", "pen", 3));
        assertThat(reservation).isEqualTo(new Reservation("1", "alice", "pen", 3, "A1"));
        assertThat(warehouse.movementOf(reservation)).isEqualTo(new StockMovement("1", "pen", -3));
    }

    @Test
    void refusesWhatItHasNot() {
        assertThatThrownBy(() -> warehouse.reserve(new Order("1", "alice", "unicorn", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("unicorn");
        assertThatThrownBy(() -> warehouse.reserve(new Order("1", "alice", "pen", 0)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
