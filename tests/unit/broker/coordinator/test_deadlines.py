from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broker.coordinator.deadlines import Deadlines


def test_the_earliest_comes_first() -> None:
    deadlines: Deadlines[str] = Deadlines()
    assert deadlines.next_deadline() is None
    deadlines.wake_by("b", 20)
    deadlines.wake_by("a", 10)
    assert deadlines.next_deadline() == 10
    assert deadlines.pop_due(9) is None
    assert [deadlines.pop_due(20) for _ in range(3)] == ["a", "b", None]
    assert len(deadlines) == 0


def test_only_an_earlier_time_replaces_an_entry() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.wake_by("a", 20)
    deadlines.wake_by("a", 30)
    assert deadlines.next_deadline() == 20
    deadlines.wake_by("a", 10)
    assert deadlines.pop_due(40) == "a"
    assert deadlines.pop_due(40) is None


def test_a_forgotten_key_does_not_wake() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.wake_by("a", 20)
    deadlines.forget("a")
    deadlines.forget("b")
    assert deadlines.next_deadline() is None
    deadlines.wake_by("a", 20)  # the same number as the dead entry's
    assert deadlines.pop_due(20) == "a"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100)), max_size=300))
def test_as_a_dictionary_would_have_it(calls: list[tuple[int, int]]) -> None:
    deadlines: Deadlines[int] = Deadlines()
    slow: dict[int, int] = {}
    for key, due in calls:
        deadlines.wake_by(key, due)
        slow[key] = min(due, slow.get(key, due))
        assert deadlines.next_deadline() == min(slow.values())
    for _ in range(len(slow)):
        first = min(slow.values())
        popped = deadlines.pop_due(first)
        assert popped is not None
        assert slow.pop(popped) == first
