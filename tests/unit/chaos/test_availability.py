from __future__ import annotations

from tests.chaos.availability import (
    REJOIN_SECONDS,
    STEADY_SECONDS,
    Injury,
    allowed_seconds,
    gaps,
    longest_gap,
    merged,
)


def injury(
    began_at: float,
    healed_at: float | None,
    *nodes: int,
    bound: float = 10.0,
    stops: bool = False,
) -> Injury:
    return Injury("kind", "", began_at, bound, stops, frozenset(nodes), healed_at)


def test_without_a_fault_only_the_steady_time_is_allowed() -> None:
    assert allowed_seconds((100.0, 106.0), []) == STEADY_SECONDS
    (gap,) = gaps([99.0, 100.0, 106.0, 106.5], [])
    assert gap.is_too_long
    assert (gap.began_at, gap.ended_at) == (100.0, 106.0)


def test_short_gaps_are_none() -> None:
    assert gaps([1.0, 2.0, 4.0, 8.0], []) == []


def test_a_fault_in_the_way_allows_its_bound() -> None:
    dead = injury(101.0, 103.0, 1)
    assert allowed_seconds((100.0, 110.0), [dead]) == STEADY_SECONDS + 10.0
    assert not gaps([100.0, 114.0], [dead])[0].is_too_long
    assert gaps([100.0, 116.0], [dead])[0].is_too_long


def test_a_fault_elsewhere_in_time_allows_nothing() -> None:
    before = injury(10.0, 20.0, 1)
    after = injury(200.0, 210.0, 1)
    assert allowed_seconds((100.0, 110.0), [before, after]) == STEADY_SECONDS


def test_one_fault_of_one_node_excuses_no_time() -> None:
    long = injury(100.0, 130.0, 1)
    assert gaps([100.0, 125.0], [long])[0].is_too_long


def test_two_nodes_at_once_excuse_the_time_until_the_first_is_back() -> None:
    one, other = injury(100.0, 104.0, 1), injury(102.0, 110.0, 2)
    until = 104.0 + REJOIN_SECONDS
    expected = STEADY_SECONDS + 20.0 + (until - 102.0)
    assert allowed_seconds((100.0, 200.0), [one, other]) == expected


def test_two_faults_of_the_same_node_excuse_no_time() -> None:
    one, other = injury(100.0, 104.0, 1), injury(102.0, 110.0, 1)
    assert allowed_seconds((100.0, 200.0), [one, other]) == STEADY_SECONDS + 20.0


def test_one_fault_of_two_nodes_excuses_its_time() -> None:
    both = injury(100.0, 104.0, 1, 2)
    until = 104.0 + REJOIN_SECONDS
    assert allowed_seconds((99.0, 200.0), [both]) == STEADY_SECONDS + 10.0 + (until - 100.0)


def test_what_stops_writing_excuses_its_time() -> None:
    lossy = injury(100.0, 104.0, 1, stops=True)
    expected = STEADY_SECONDS + 10.0 + 4.0 + REJOIN_SECONDS
    assert allowed_seconds((90.0, 200.0), [lossy]) == expected


def test_what_was_never_healed_lasts_to_the_end_of_the_gap() -> None:
    both = injury(100.0, None, 1, 2)
    assert allowed_seconds((100.0, 150.0), [both]) == STEADY_SECONDS + 10.0 + 50.0


def test_a_busy_machine_lengthens_bounds_and_not_what_is_excused() -> None:
    both = injury(100.0, 104.0, 1, 2)
    idle = allowed_seconds((100.0, 200.0), [both])
    assert allowed_seconds((100.0, 200.0), [both], slack=2.0) == idle + STEADY_SECONDS + 10.0


def test_the_longest_gap_that_reaches_into_a_window() -> None:
    times = [0.0, 10.0, 12.0, 15.0, 40.0]
    assert longest_gap(times, (11.0, 14.0)) == 3.0
    assert longest_gap(times, (5.0, 11.0)) == 10.0
    assert longest_gap(times, (50.0, 60.0)) == 0.0


def test_merged() -> None:
    assert merged([(5.0, 6.0), (1.0, 3.0), (2.0, 4.0), (1.5, 2.0)]) == [(1.0, 4.0), (5.0, 6.0)]
