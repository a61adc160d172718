from __future__ import annotations

from broker.replication import tail
from broker.replication.tail import Tail, TailBudget


def filled(budget: TailBudget, count: int = 3, size: int = 10) -> Tail:
    kept = Tail(budget)
    for number in range(count):
        kept.append(2 * number, 2 * number + 2, memoryview(bytes([number]) * size))
    return kept


def test_reads_from_any_batch_on() -> None:
    kept = filled(TailBudget(100))
    assert kept.read(0, 100) == ([b"\0" * 10, b"\1" * 10, b"\2" * 10], 6)
    assert kept.read(2, 20) == ([b"\1" * 10, b"\2" * 10], 6)
    assert kept.read(2, 19) == ([b"\1" * 10], 4)


def test_at_least_one_batch() -> None:
    assert filled(TailBudget(100)).read(0, 1) == ([b"\0" * 10], 2)


def test_what_is_not_kept_is_asked_of_the_log() -> None:
    kept = filled(TailBudget(100))
    assert kept.read(1, 100) is None
    assert kept.read(6, 100) is None


def test_released_when_all_have_sent_it() -> None:
    budget = TailBudget(100)
    kept = filled(budget)
    kept.release(3)
    assert budget.free_bytes == 80
    assert kept.read(0, 100) is None
    assert kept.read(2, 100) is not None
    kept.release(6)
    assert budget.free_bytes == 100


def test_never_more_than_the_budget() -> None:
    budget = TailBudget(25)
    kept = filled(budget)
    assert kept.read(4, 100) == ([b"\2" * 10], 6)
    assert budget.free_bytes == 15
    kept.append(6, 8, memoryview(bytes(26)))
    assert kept.read(6, 100) is None
    assert budget.free_bytes == 25


def test_never_more_than_a_partitions_share() -> None:
    budget = TailBudget(10 * tail.PARTITION_BYTES_MAX)
    kept = filled(budget, 5, tail.PARTITION_BYTES_MAX // 2)
    assert budget.free_bytes >= 9 * tail.PARTITION_BYTES_MAX
    assert kept.read(8, 1) is not None


def test_a_gap_ends_what_was_kept() -> None:
    kept = filled(TailBudget(100))
    kept.append(9, 10, memoryview(b"new"))
    assert kept.read(4, 100) is None
    assert kept.read(9, 100) == ([b"new"], 10)
