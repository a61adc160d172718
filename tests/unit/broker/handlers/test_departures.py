from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.handlers.departures import DEAD_MS_MAX, LINGER_MS, Departures


def state(**fenced: bool) -> Any:
    """Brokers b1, b2, … with broker epoch 10 times their id."""
    return cast(
        Any,
        SimpleNamespace(
            brokers={
                int(name[1:]): SimpleNamespace(fenced=is_fenced, broker_epoch=10 * int(name[1:]))
                for name, is_fenced in fenced.items()
            }
        ),
    )


@pytest.fixture
def departures() -> Departures:
    departures = Departures()
    departures.note_metadata(state(b1=False, b2=False), [1, 2], 0)
    return departures


def test_who_is_fenced_lingers_for_a_while(departures: Departures) -> None:
    assert departures.lingering(100) == frozenset()
    departures.note_metadata(state(b1=False, b2=True), [2], 100)
    assert departures.lingering(100) == {2}
    assert departures.lingering(100 + LINGER_MS - 1) == {2}
    assert departures.lingering(100 + LINGER_MS) == frozenset()


def test_a_second_change_of_a_fenced_broker_does_not_start_the_time_anew(
    departures: Departures,
) -> None:
    departures.note_metadata(state(b2=True), [2], 100)
    departures.note_metadata(state(b2=True), [2], 100 + LINGER_MS - 1)
    assert departures.lingering(100 + LINGER_MS) == frozenset()


def test_who_is_back_does_not_linger(departures: Departures) -> None:
    departures.note_metadata(state(b2=True), [2], 100)
    departures.note_metadata(state(b2=False), [2], 200)
    assert departures.lingering(200) == frozenset()


def test_who_was_never_seen_alive_does_not_linger() -> None:
    departures = Departures()
    departures.note_metadata(state(b3=True), [3], 100)
    assert departures.lingering(100) == frozenset()


def test_a_dead_process_counts_until_it_is_fenced_or_replaced(departures: Departures) -> None:
    departures.note_dead(2, 20, 100)
    assert departures.dead(state(b1=False, b2=False), 101) == {2}
    assert departures.dead(state(b1=False, b2=True), 102) == frozenset()
    departures.note_dead(2, 19, 103)
    assert departures.dead(state(b2=False), 104) == frozenset()  # a newer process serves
    departures.note_dead(9, 90, 105)
    assert departures.dead(state(b2=False), 106) == frozenset()


def test_a_refusal_is_not_believed_for_ever(departures: Departures) -> None:
    departures.note_dead(2, 20, 100)
    assert departures.dead(state(b2=False), 100 + DEAD_MS_MAX - 1) == {2}
    assert departures.dead(state(b2=False), 100 + DEAD_MS_MAX) == frozenset()
