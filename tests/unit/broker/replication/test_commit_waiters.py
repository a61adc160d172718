from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from broker.replication.commit_waiters import OffsetWaiters


def test_released_at_the_offset_and_not_before() -> None:
    waiters = OffsetWaiters(count(1))
    waiter = waiters.add(5)
    assert waiters.release(4) == ()
    assert waiters.release(5) == (waiter,)
    assert waiters.release(9) == ()


def test_forgotten_ones_are_not_released() -> None:
    waiters = OffsetWaiters(count(1))
    first, second = waiters.add(5), waiters.add(5)
    waiters.forget(first)
    waiters.forget(99)
    assert waiters.release(5) == (second,)


def test_taken_in_the_order_of_arrival() -> None:
    waiters = OffsetWaiters(count(1))
    added = (waiters.add(9), waiters.add(3))
    assert waiters.take_all() == added
    assert len(waiters) == 0
    assert waiters.release(10) == ()


def test_those_who_gave_up_do_not_pile_up() -> None:
    waiters = OffsetWaiters(count(1))
    for offset in range(10_000):
        waiters.forget(waiters.add(offset))
    assert len(waiters._heap) < 200


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans())), st.integers(0, 20))
def test_same_as_a_slow_one(entries: list[tuple[int, bool]], high_watermark: int) -> None:
    waiters = OffsetWaiters(count(1))
    expected = set()
    for offset, forgotten in entries:
        waiter = waiters.add(offset)
        if forgotten:
            waiters.forget(waiter)
        elif offset <= high_watermark:
            expected.add(waiter)
    assert set(waiters.release(high_watermark)) == expected
