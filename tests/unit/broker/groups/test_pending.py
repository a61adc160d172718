from __future__ import annotations

from broker.groups.pending import PendingOffsets
from broker.groups.requests import OffsetToCommit
from broker.groups.stored import CommittedOffset, OffsetRecord
from ottla.core.errors import ErrorCode
from tests.support.group_driver import GROUP, GroupDriver

ID_1, ID_2 = bytes([1] * 16), bytes([2] * 16)


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


def in_transaction(driver: GroupDriver, producer_id: int, offset: int, topic_id: bytes) -> None:
    committed = CommittedOffset(offset, -1, "", 0, topic_id=topic_id)
    driver.machine.replay(OffsetRecord(GROUP, "t", 0, committed), producer_id)


def test_a_deleted_offset_does_not_come_back_with_a_marker() -> None:
    driver = GroupDriver()
    in_transaction(driver, 7, 5, ID_1)
    ticket = driver.decide(lambda m, t, turn: m.delete_offsets(GROUP, [("t", 0)], t, turn))
    assert driver.answer(ticket) == [ErrorCode.NONE]
    driver.machine.replay_end(7, is_commit=True)
    assert driver.committed() is None


def test_nor_does_that_of_a_deleted_topic_while_its_successors_stays() -> None:
    driver = GroupDriver()
    in_transaction(driver, 7, 5, ID_1)
    driver.decide(lambda m, t, turn: m.forget_topics({ID_1: "t"}, turn, just_now=True))
    driver.machine.replay_end(7, is_commit=True)
    assert driver.committed() is None

    driver.commit(OffsetToCommit("t", 0, 3, topic_id=ID_1))
    in_transaction(driver, 8, 6, ID_2)
    driver.decide(lambda m, t, turn: m.forget_topics({ID_1: "t"}, turn, just_now=True))
    driver.machine.replay_end(8, is_commit=True)
    assert driver.committed() == 6
