from __future__ import annotations

from broker.groups.pending import PendingOffsets
from broker.groups.stored import CommittedOffset, OffsetRecord


def record(offset: int, partition: int = 0) -> OffsetRecord:
    return OffsetRecord("g", "t", partition, CommittedOffset(offset, -1, "", 0))


def offsets(found: list[tuple[int, OffsetRecord]]) -> list[int]:
    return [one.committed.offset for _, one in found if one.committed is not None]


def test_the_last_offset_of_a_transaction_counts() -> None:
    pending = PendingOffsets()
    pending.replay(record(1), 7)
    pending.replay(record(2), 7)
    pending.replay(record(3, partition=1), 7)
    assert set(pending.of_group("g")) == {("t", 0), ("t", 1)}
    assert offsets(pending.end(7)) == [2, 3]
    assert pending.of_group("g") == {}
    assert pending.end(7) == []


def test_what_comes_later_in_the_log_wins_whoever_ends_first() -> None:
    pending = PendingOffsets()
    pending.replay(record(1), 7)
    pending.replay(record(2), 8)
    ((number, last),) = pending.end(8)
    pending.overwrite(last, number)
    assert offsets(pending.end(7)) == []

    pending.replay(record(1), 7)
    pending.replay(record(2), 8)
    ((number, first),) = pending.end(7)
    pending.overwrite(first, number)
    assert offsets(pending.end(8)) == [2]


def test_a_commit_without_transaction_overwrites_what_is_pending_which_stays_unstable() -> None:
    pending = PendingOffsets()
    pending.replay(record(1), 7)
    pending.overwrite(record(5))
    assert set(pending.of_group("g")) == {("t", 0)}
    assert offsets(pending.end(7)) == []
