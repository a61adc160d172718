from __future__ import annotations

from broker.coordinator.machine import Moment, Turn


def test_a_turn_keeps_the_order_of_its_effects() -> None:
    turn: Turn[str] = Turn(Moment(1, 2))
    turn.append("a")
    turn.append("b")
    turn.answer(7, "later")
    turn.answer(3, None)
    turn.note("why")
    assert turn.records == ["a", "b"]
    assert turn.answers == [(7, "later"), (3, None)]
    assert turn.notes == ["why"]
