from __future__ import annotations

import pytest

from ottla.core.errors import InvariantError
from storage.epochs import LeaderEpochCache

ENTRIES = ((1, 0), (3, 10), (5, 20))


def test_assigning() -> None:
    cache = LeaderEpochCache()
    assert cache.latest() is None
    for leader_epoch, start_offset in ENTRIES:
        cache.assign(leader_epoch, start_offset)
    cache.assign(5, 25)
    assert list(cache.entries) == list(ENTRIES)
    assert cache.latest() == 5


def test_an_epoch_without_records_is_replaced() -> None:
    cache = LeaderEpochCache(ENTRIES)
    cache.assign(6, 20)
    assert cache.entries == ((1, 0), (3, 10), (6, 20))


@pytest.mark.parametrize("entry", [(4, 30), (6, 19)])
def test_epochs_never_fall(entry: tuple[int, int]) -> None:
    with pytest.raises(InvariantError):
        LeaderEpochCache(ENTRIES).assign(*entry)


def test_the_epoch_of_an_offset() -> None:
    cache = LeaderEpochCache(ENTRIES)
    assert [cache.epoch_at(offset) for offset in (0, 9, 10, 19, 20, 99)] == [1, 1, 3, 3, 5, 5]
    assert LeaderEpochCache([(1, 5)]).epoch_at(4) is None


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (5, (5, 33)),  # the newest ends at the log end
        (3, (3, 20)),
        (1, (1, 10)),
        (4, (3, 20)),  # unknown between: the largest below it (KIP-279)
        (2, (1, 10)),
        (0, (0, 0)),  # before the first: it ends where the first begins
        (6, None),  # newer than all: nothing is known
        (-1, None),
    ],
)
def test_where_an_epoch_ends(asked: int, answer: tuple[int, int] | None) -> None:
    assert LeaderEpochCache(ENTRIES).end_offset_for(asked, 33) == answer


def test_an_empty_cache_knows_no_end() -> None:
    assert LeaderEpochCache().end_offset_for(0, 10) is None


def test_truncating_drops_what_starts_at_or_above() -> None:
    cache = LeaderEpochCache(ENTRIES)
    cache.truncate_to(20)
    assert list(cache.entries) == list(ENTRIES[:2])
    cache.truncate_to(11)
    assert list(cache.entries) == list(ENTRIES[:2])
    cache.truncate_to(10)
    assert list(cache.entries) == list(ENTRIES[:1])
    cache.truncate_to(0)
    assert not cache.entries


def test_forgetting_keeps_the_epoch_of_the_start_and_the_newest() -> None:
    cache = LeaderEpochCache(ENTRIES)
    cache.forget_below(9)
    assert list(cache.entries) == list(ENTRIES)
    cache.forget_below(10)
    assert list(cache.entries) == list(ENTRIES[1:])
    cache.forget_below(99)
    assert list(cache.entries) == list(ENTRIES[2:])
    cache.clear()
    assert not cache.entries
