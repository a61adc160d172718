from __future__ import annotations

import asyncio

import pytest

from broker.coordinator import loading
from broker.coordinator.loading import LoadResult, replay_log, wait_loaded
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.record.build import build_batch
from tests.support.counting_machine import CountingMachine
from tests.support.in_loop import in_loop, turns
from tests.support.memory_partition import MemoryPartition


def append(partition: MemoryPartition, *records: tuple[bytes, bytes | None], **how: bool) -> None:
    batch = build_batch([(key, value, (), 0) for key, value in records], **how)  # type: ignore[arg-type]
    partition.append(
        memoryview(batch), acks=-1, internal=True, expected_leader_epoch=partition.leader_epoch
    )


@in_loop
async def test_everything_to_the_log_end_is_replayed() -> None:
    partition = MemoryPartition(commits_at_once=False)
    append(partition, (b"a", b"1"), (b"b", b"2"))
    append(partition, (b"a", b"3"), (b"?new", b"x"))
    machine = CountingMachine()
    assert await replay_log(machine, partition, 1) == LoadResult(4, 4, 1)
    assert machine.counts == {"a": 3, "b": 2}
    assert machine.loaded_at is None


@in_loop
async def test_control_batches_are_passed_over() -> None:
    partition = MemoryPartition()
    append(partition, (b"\0\0\0\1", b"\0\0\0\0\0\0"), control=True)
    append(partition, (b"a", b"1"))
    machine = CountingMachine()
    assert (await replay_log(machine, partition, 1)).end_offset == 2
    assert machine.counts == {"a": 1}


@in_loop
async def test_a_log_that_starts_inside_a_batch() -> None:
    partition = MemoryPartition()
    append(partition, (b"a", b"1"), (b"b", b"2"), (b"c", b"3"))
    partition.log_start_offset = 2
    machine = CountingMachine()
    assert (await replay_log(machine, partition, 1)).record_count == 1
    assert machine.counts == {"c": 3}


@in_loop
async def test_an_empty_log() -> None:
    partition = MemoryPartition()
    assert await replay_log(CountingMachine(), partition, 1) == LoadResult(0, 0, 0)


class SteppingClock:
    """A record costs a hundredth of a slice, or a whole one."""

    def __init__(self, step_ns: int) -> None:
        self.now_ns = 0
        self._step_ns = step_ns

    def __call__(self) -> int:
        self.now_ns += self._step_ns
        return self.now_ns


@pytest.mark.parametrize(
    ("step_ns", "turns_min", "turns_max"),
    [(loading.SLICE_NS, 12, 100), (loading.SLICE_NS // 1000, 1, 4)],
)
@in_loop
async def test_loading_lets_others_run(step_ns: int, turns_min: int, turns_max: int) -> None:
    partition = MemoryPartition()
    append(partition, *[(b"a", str(n).encode()) for n in range(100)])
    clock = SteppingClock(step_ns)
    task = asyncio.create_task(replay_log(CountingMachine(), partition, 1, clock))
    turns_taken = 0
    while not task.done():
        await asyncio.sleep(0)
        turns_taken += 1
    assert turns_min <= turns_taken <= turns_max


@in_loop
async def test_a_leadership_that_ends_stops_it() -> None:
    partition = MemoryPartition()
    append(partition, *[(b"a", b"1")] * 20)
    clock = SteppingClock(loading.SLICE_NS)
    task = asyncio.create_task(replay_log(CountingMachine(), partition, 1, clock))
    await asyncio.sleep(0)
    partition.change_epoch()
    with pytest.raises(ProtocolError) as raised:
        await task
    assert raised.value.code is ErrorCode.NOT_LEADER_OR_FOLLOWER


@in_loop
async def test_damage_is_told() -> None:
    partition = MemoryPartition()
    append(partition, (b"poison", b"1"))
    with pytest.raises(DecodeError):
        await replay_log(CountingMachine(), partition, 1)


@in_loop
async def test_serving_waits_for_the_commit() -> None:
    partition = MemoryPartition(commits_at_once=False)
    append(partition, (b"a", b"1"))
    result = await replay_log(CountingMachine(), partition, 1)
    task = asyncio.create_task(wait_loaded(partition, 1, result))
    await turns()
    assert not task.done()
    partition.commit()
    await task
    with pytest.raises(ProtocolError):
        await wait_loaded(partition, 0, result)
