from __future__ import annotations

import asyncio
from typing import Any

import pytest

from broker.coordinator.runtime import CoordinatorRuntime
from ottla.core.clock import ManualClock, SystemClock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.record.build import build_batch
from tests.support.counting_machine import CountingMachine
from tests.support.in_loop import in_loop, turns
from tests.support.memory_partition import MemoryPartition


class Fixture:
    def __init__(self, *, partitions: int = 2, **options: Any) -> None:
        self.clock = ManualClock(now_ms=1_000)
        self.partitions = {n: MemoryPartition() for n in range(partitions)}
        self.machines: list[CountingMachine] = []
        self.runtime: CoordinatorRuntime[CountingMachine] = CoordinatorRuntime(
            "__test", self._make, self._at, options.pop("clock", self.clock)
        )
        self.task: asyncio.Task[None] | None = None

    def _make(self, index: int) -> CountingMachine:
        self.machines.append(CountingMachine())
        return self.machines[-1]

    def _at(self, index: int) -> MemoryPartition:
        if index not in self.partitions:
            raise ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR)
        return self.partitions[index]

    async def __aenter__(self) -> Fixture:
        self.task = asyncio.create_task(self.runtime.run())
        await turns()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait([self.task])

    async def lead(self, index: int = 0) -> None:
        self.runtime.on_leadership(index, self.partitions[index].leader_epoch, True)
        await turns()

    async def pass_time(self, milliseconds: int) -> None:
        """The shell sleeps by the loop's time: call what it would."""
        self.clock.advance(milliseconds)
        self.runtime.on_deadline(self.clock.now_ms())
        self.runtime._wake.set()
        await turns()

    def add(self, index: int = 0) -> asyncio.Future[Any]:
        return self.runtime.submit(index, CountingMachine.add)

    def read(self, index: int = 0) -> asyncio.Future[Any]:
        return self.runtime.submit(index, CountingMachine.read)


def code_of(future: asyncio.Future[Any]) -> ErrorCode:
    error = future.exception()
    assert isinstance(error, ProtocolError)
    return error.code


@in_loop
async def test_requests_before_while_and_after_loading() -> None:
    async with Fixture() as fixture:
        assert code_of(fixture.read()) is ErrorCode.NOT_COORDINATOR
        fixture.runtime.on_leadership(0, 1, True)
        assert code_of(fixture.read()) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        assert fixture.runtime.indexes == (0,)
        assert not fixture.runtime.is_active(0)
        await turns()
        assert fixture.runtime.is_active(0)
        assert fixture.read().result() == 0
        assert code_of(fixture.read(1)) is ErrorCode.NOT_COORDINATOR


@in_loop
async def test_the_next_epoch_reloads() -> None:
    async with Fixture() as fixture:
        await fixture.lead()
        assert fixture.add().result() == 1
        fixture.runtime.on_leadership(0, 1, True)  # nothing new
        assert fixture.read().result() == 1
        fixture.partitions[0].change_epoch()
        await fixture.lead()
        assert len(fixture.machines) == 2
        assert fixture.read().result() == 1


@in_loop
async def test_a_lost_leadership_ends_all_waiting() -> None:
    async with Fixture() as fixture:
        await fixture.lead()
        parked = fixture.runtime.submit(0, CountingMachine.park)
        fixture.runtime.on_leadership(0, 2, False)
        assert code_of(parked) is ErrorCode.NOT_COORDINATOR
        assert fixture.runtime.indexes == ()


@in_loop
async def test_serving_waits_for_the_high_watermark() -> None:
    async with Fixture() as fixture:
        partition = fixture.partitions[0]
        partition.commits_at_once = False
        batch = build_batch([(b"a", b"5", (), 0)])
        partition.append(memoryview(batch), acks=-1, internal=True, expected_leader_epoch=1)
        await fixture.lead()
        assert code_of(fixture.read()) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        partition.commit()
        await turns()
        assert fixture.read().result() == 5


@in_loop
async def test_partitions_that_wait_for_a_replica_do_not_keep_others_from_loading() -> None:
    async with Fixture(partitions=6) as fixture:
        for index in range(5):
            partition = fixture.partitions[index]
            partition.commits_at_once = False
            batch = build_batch([(b"a", b"5", (), 0)])
            partition.append(memoryview(batch), acks=-1, internal=True, expected_leader_epoch=1)
        for index in range(6):
            await fixture.lead(index)
        assert fixture.runtime.is_active(5)
        assert not fixture.runtime.is_active(0)


@in_loop
async def test_a_failed_append_reloads_after_a_while() -> None:
    async with Fixture() as fixture:
        await fixture.lead()
        fixture.add()
        fixture.partitions[0].append_error = ProtocolError(ErrorCode.NOT_ENOUGH_REPLICAS)
        assert code_of(fixture.add()) is ErrorCode.COORDINATOR_NOT_AVAILABLE
        await turns()
        assert code_of(fixture.read()) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        assert fixture.runtime.next_deadline() == 1_050
        await fixture.pass_time(50)
        assert fixture.read().result() == 1


@in_loop
async def test_a_log_that_cannot_be_loaded_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Fixture() as fixture:
        batch = build_batch([(b"poison", b"1", (), 0)])
        partition = fixture.partitions[0]
        partition.append(memoryview(batch), acks=-1, internal=True, expected_leader_epoch=1)
        await fixture.lead()
        assert "not loaded, next try in 50 ms: poison" in caplog.text
        assert code_of(fixture.read()) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        partition.batches.clear()
        await fixture.pass_time(50)
        assert fixture.read().result() == 0


@in_loop
async def test_a_leadership_that_ends_while_loading() -> None:
    async with Fixture() as fixture:
        partition = fixture.partitions[0]
        partition.commits_at_once = False
        batch = build_batch([(b"a", b"5", (), 0)])
        partition.append(memoryview(batch), acks=-1, internal=True, expected_leader_epoch=1)
        await fixture.lead()
        partition.change_epoch(is_leader=False)
        fixture.runtime.on_leadership(0, 2, False)
        await turns()
        assert fixture.runtime.next_deadline() is None


@in_loop
async def test_a_partition_that_cannot_be_used(caplog: pytest.LogCaptureFixture) -> None:
    async with Fixture() as fixture:
        fixture.runtime.on_leadership(9, 1, True)
        assert "__test-9 is led here but cannot be used" in caplog.text
        assert fixture.runtime.indexes == ()


@in_loop
async def test_decisions_that_nobody_waits_for() -> None:
    async with Fixture() as fixture:
        await fixture.lead()
        assert fixture.runtime.tell(0, lambda machine, turn: turn.append(("a", 9)))
        assert fixture.read().result() == 9
        assert not fixture.runtime.tell(1, lambda machine, turn: None)


@in_loop
async def test_deadlines_are_kept_by_the_running_shell() -> None:
    async with Fixture(clock=SystemClock()) as fixture:
        await fixture.lead()

        def set_deadline(machine: CountingMachine, ticket: int, turn: Any) -> None:
            machine.deadline_ms = turn.moment.now_ms + 10
            machine.parked.append(ticket)

        async with asyncio.timeout(5):
            assert await fixture.runtime.submit(0, set_deadline) == "due"


@in_loop
async def test_stopping_ends_all_waiting() -> None:
    fixture = Fixture()
    async with fixture:
        await fixture.lead()
        parked = fixture.runtime.submit(0, CountingMachine.park)
    assert code_of(parked) is ErrorCode.NOT_COORDINATOR
    assert fixture.task is not None
    assert fixture.task.cancelled()
