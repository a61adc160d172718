"""KIP-101 and KIP-279, with a slow oracle: logs as lists of epochs, compared one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.replication.frames import Subscribe
from broker.replication.truncation import (
    Diverging,
    EpochEntry,
    Matched,
    ResetTo,
    decide_truncation,
    decide_verdict,
    end_offset_for,
    last_record_epoch,
)


def ask(log_end: int, last_epoch: int | None, log_start: int = 0) -> Subscribe:
    return Subscribe(bytes(16), 0, 9, 1, log_end, last_epoch, log_start)


def entries_of(log: list[int]) -> list[EpochEntry]:
    return [
        (epoch, offset)
        for offset, epoch in enumerate(log)
        if offset == 0 or log[offset - 1] != epoch
    ]


def test_end_of_the_largest_epoch_at_or_below() -> None:
    entries = [(1, 0), (3, 5), (4, 9)]
    assert end_offset_for(entries, 4, 12) == (4, 12)
    assert end_offset_for(entries, 9, 12) == (4, 12)
    assert end_offset_for(entries, 3, 12) == (3, 9)
    assert end_offset_for(entries, 2, 12) == (1, 5)
    assert end_offset_for(entries, 0, 12) is None


def test_an_epoch_without_records_is_not_the_last() -> None:
    assert last_record_epoch([(1, 0), (3, 5)], 0, 5) == 1
    assert last_record_epoch([(1, 0), (3, 5)], 0, 6) == 3
    assert last_record_epoch([(3, 5)], 5, 5) is None


def test_an_empty_log_matches_within_the_leaders_range() -> None:
    assert decide_verdict(ask(5, None, 5), [(1, 3)], 3, 9) == Matched()
    assert decide_verdict(ask(0, None), [(1, 3)], 3, 9) == ResetTo(3)
    assert decide_verdict(ask(10, None, 10), [(1, 3)], 3, 9) == ResetTo(3)


def test_below_the_leaders_log_start_it_starts_anew() -> None:
    assert decide_verdict(ask(2, 1), [(1, 0)], 3, 9) == ResetTo(3)
    assert decide_verdict(ask(5, 0), [(1, 3)], 3, 9) == ResetTo(3)


def test_longer_than_the_leader_in_the_same_epoch() -> None:
    assert decide_verdict(ask(12, 1), [(1, 0)], 0, 9) == Diverging(1, 9)
    assert decide_truncation(Diverging(1, 9), [(1, 0)], 0, 12) == 9


def test_an_epoch_that_the_leader_never_saw() -> None:
    assert decide_verdict(ask(12, 2), [(1, 0), (3, 7)], 0, 9) == Diverging(1, 7)
    assert decide_truncation(Diverging(1, 7), [(1, 0), (2, 5)], 0, 12) == 5


def test_an_epoch_that_the_follower_never_saw() -> None:
    assert decide_verdict(ask(5, 2), [(0, 0), (1, 2), (3, 10)], 0, 12) == Diverging(1, 10)
    assert decide_truncation(Diverging(1, 10), [(0, 0), (2, 2)], 0, 5) == 2


def test_a_follower_with_later_epochs_only_has_nothing_of_use() -> None:
    assert decide_truncation(Diverging(1, 9), [(2, 6)], 6, 12) == 6
    assert decide_truncation(Diverging(1, 4), [(2, 6)], 6, 12) == 4


@st.composite
def replicas(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Two logs out of a history: the leader of each epoch goes on from a prefix of some log that
    was there, so an epoch's records always follow the same ones."""
    logs: list[list[int]] = [[]]
    for epoch in range(draw(st.integers(1, 5))):
        parent = draw(st.sampled_from(logs))
        prefix = parent[: draw(st.integers(0, len(parent)))]
        logs.append(prefix + [epoch] * draw(st.integers(0, 3)))
    first, second = draw(st.sampled_from(logs)), draw(st.sampled_from(logs))
    return first, second[: draw(st.integers(0, len(second)))]


@settings(max_examples=400)
@given(replicas())
def test_rounds_end_at_a_common_prefix(logs: tuple[list[int], list[int]]) -> None:
    leader, follower = logs
    for _ in range(20):
        entries = entries_of(follower)
        last = last_record_epoch(entries, 0, len(follower))
        verdict = decide_verdict(ask(len(follower), last), entries_of(leader), 0, len(leader))
        if verdict == Matched():
            assert follower == leader[: len(follower)]
            return
        before = len(follower)
        if isinstance(verdict, ResetTo):
            follower = []
        else:
            assert isinstance(verdict, Diverging)
            follower = follower[: decide_truncation(verdict, entries, 0, len(follower))]
        assert len(follower) < before, "a round must drop something"
    raise AssertionError("the rounds did not end")


@given(replicas())
def test_nothing_is_dropped_that_the_leader_has(logs: tuple[list[int], list[int]]) -> None:
    leader, follower = logs
    agreed = 0
    while agreed < min(len(leader), len(follower)) and leader[agreed] == follower[agreed]:
        agreed += 1
    while True:
        entries = entries_of(follower)
        last = last_record_epoch(entries, 0, len(follower))
        verdict = decide_verdict(ask(len(follower), last), entries_of(leader), 0, len(leader))
        if not isinstance(verdict, Diverging):
            break
        follower = follower[: decide_truncation(verdict, entries, 0, len(follower))]
        assert len(follower) >= agreed
    assert verdict == Matched() or agreed == 0


@given(replicas(), st.integers(0, 8))
def test_a_prefix_always_matches(logs: tuple[list[int], list[int]], length: int) -> None:
    leader = logs[0]
    follower = leader[:length]
    last = last_record_epoch(entries_of(follower), 0, len(follower))
    verdict = decide_verdict(ask(len(follower), last), entries_of(leader), 0, len(leader))
    assert verdict == Matched()
