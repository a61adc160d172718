from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from broker.coordinator.machine import Turn
from broker.coordinator.shard import Shard, ShardLimits
from broker.transactions.seams import TransactionMarker
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.counting_machine import CountingMachine
from tests.support.in_loop import in_loop, turns
from tests.support.memory_partition import MemoryPartition


class Fixture:
    """An active shard over a partition that commits when it is told to."""

    def __init__(self, *, batch_bytes_max: int = 1_000_000, is_active: bool = True) -> None:
        self.clock = ManualClock(now_ms=1_000)
        self.partition = MemoryPartition(commits_at_once=False)
        self.machine = CountingMachine()
        limits = ShardLimits(commit_timeout_ms=5_000, batch_bytes_max=batch_bytes_max)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.shard: Shard[CountingMachine] = Shard(
            7, 1, self.partition, self.clock, limits, self.counts
        )
        if is_active:
            self.shard.activate(self.machine, 0)
        self.ticket = 0

    def submit(self, name: str, *arguments: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.ticket += 1

        def decide(machine: CountingMachine, ticket: int, turn: Turn[Any]) -> None:
            getattr(machine, name)(ticket, turn, *arguments)

        self.shard.submit(self.ticket, future, decide)
        return future

    def end(self, *, is_commit: bool = True) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.ticket += 1
        marker = TransactionMarker(7, 1, 0, is_commit=is_commit)
        self.shard.end_transaction(self.ticket, future, marker)
        return future


def code_of(future: asyncio.Future[Any]) -> ErrorCode:
    error = future.exception()
    assert isinstance(error, ProtocolError)
    return error.code


@in_loop
async def test_decided_appended_and_replayed_in_one_step_answered_after_the_commit() -> None:
    fixture = Fixture()
    first, second = fixture.submit("add"), fixture.submit("add")
    assert fixture.machine.counts == {"a": 2}
    assert fixture.partition.records() == [(b"a", b"1"), (b"a", b"2")]
    await turns()
    assert not first.done()
    fixture.partition.commit(1)
    await turns()
    assert first.result() == 1
    assert not second.done()
    fixture.partition.commit()
    await turns()
    assert second.result() == 2


@in_loop
async def test_reads_wait_for_what_they_saw() -> None:
    fixture = Fixture()
    assert fixture.submit("read").result() == 0
    fixture.submit("add")
    read = fixture.submit("read")
    refused = fixture.submit("refuse")
    await turns()
    assert not read.done()
    assert not refused.done()
    fixture.partition.commit()
    await turns()
    assert read.result() == 1
    assert code_of(refused) is ErrorCode.UNKNOWN_MEMBER_ID


@in_loop
async def test_an_answer_that_is_committed_at_once_is_there_at_once() -> None:
    fixture = Fixture()
    fixture.partition.commits_at_once = True
    assert fixture.submit("add").result() == 1


@in_loop
async def test_one_decision_is_one_batch_unless_it_is_too_large() -> None:
    fixture = Fixture()
    fixture.submit("add", "a", 10)
    assert fixture.partition.appends == 1
    fixture = Fixture(batch_bytes_max=100)
    future = fixture.submit("add", "a", 10)
    assert fixture.partition.appends > 1
    assert len(fixture.partition.records()) == 10
    fixture.partition.commit(9)
    await turns()
    assert not future.done()
    fixture.partition.commit()
    await turns()
    assert future.result() == 10


@in_loop
async def test_a_failed_append_discards_the_state_and_tells_everybody() -> None:
    fixture = Fixture()
    committed = fixture.submit("add")
    parked = fixture.submit("park")
    fixture.partition.append_error = ProtocolError(ErrorCode.NOT_ENOUGH_REPLICAS)
    failed = fixture.submit("add")
    assert code_of(failed) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert code_of(parked) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert fixture.shard.machine is None
    assert code_of(fixture.submit("read")) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    # What was in the log before is still answered.
    fixture.partition.commit()
    await turns()
    assert committed.result() == 1


@in_loop
async def test_failures_in_a_row_are_retried_ever_later() -> None:
    fixture = Fixture()
    waits = []
    for _ in range(10):
        waits.append(fixture.shard.note_failure())
        assert fixture.shard.retry_at_ms == 1_000 + waits[-1]
    assert waits == [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]
    fixture.submit("add")
    assert fixture.shard.note_failure() == 50


@in_loop
async def test_the_second_batch_of_a_decision_fails() -> None:
    fixture = Fixture(batch_bytes_max=100)
    append = fixture.partition.append

    def fail_later(*arguments: Any, **options: Any) -> Any:
        if fixture.partition.appends == 1:
            raise OSError("disk")
        return append(*arguments, **options)

    fixture.partition.append = fail_later  # type: ignore[method-assign]
    future = fixture.submit("add", "a", 10)
    assert code_of(future) is ErrorCode.NOT_COORDINATOR
    assert fixture.shard.machine is None


@in_loop
async def test_our_own_bug_discards_the_state_too(caplog: pytest.LogCaptureFixture) -> None:
    fixture = Fixture()
    assert code_of(fixture.submit("fail")) is ErrorCode.UNKNOWN_SERVER_ERROR
    assert fixture.shard.machine is None
    assert "a bug" in caplog.text


@in_loop
async def test_a_new_epoch_is_noticed_before_anybody_is_told() -> None:
    fixture = Fixture()
    fixture.partition.change_epoch()
    assert code_of(fixture.submit("read")) is ErrorCode.NOT_COORDINATOR
    assert code_of(fixture.submit("add")) is ErrorCode.NOT_COORDINATOR
    assert fixture.partition.records() == []
    assert not fixture.shard.tell(lambda machine, turn: turn.append(("a", 1)))


@in_loop
async def test_an_epoch_that_begins_while_deciding_gets_no_records_of_the_former_state() -> None:
    fixture = Fixture()
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def decide(machine: CountingMachine, ticket: int, turn: Turn[Any]) -> None:
        machine.add(ticket, turn)
        fixture.partition.change_epoch()

    fixture.shard.submit(1, future, decide)
    assert code_of(future) is ErrorCode.NOT_COORDINATOR
    assert fixture.partition.records() == []


@in_loop
async def test_waiting_answers_fail_with_the_epoch() -> None:
    fixture = Fixture()
    future = fixture.submit("add")
    fixture.partition.change_epoch()
    await turns()
    assert code_of(future) is ErrorCode.NOT_COORDINATOR


@in_loop
async def test_too_few_replicas_after_the_append_fail_the_answer_and_keep_the_state() -> None:
    fixture = Fixture()
    future = fixture.submit("add")
    fixture.partition.fail_waiters(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    await turns()
    assert code_of(future) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert fixture.machine.counts == {"a": 1}
    # Nobody sees what is not committed.
    read = fixture.submit("read")
    await turns()
    assert not read.done()
    fixture.partition.commit()
    await turns()
    assert read.result() == 1


@in_loop
async def test_answers_do_not_wait_for_ever() -> None:
    fixture = Fixture()
    future = fixture.submit("add")
    assert fixture.shard.next_deadline() == 6_000
    fixture.clock.advance(5_000)
    fixture.shard.on_deadline(6_000)
    assert code_of(future) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert fixture.partition.waiter_count == 0
    assert fixture.machine.counts == {"a": 1}
    await turns()
    assert fixture.shard.next_deadline() is None


@in_loop
async def test_parked_requests_are_answered_by_others() -> None:
    fixture = Fixture()
    parked = fixture.submit("park")
    await turns()
    assert not parked.done()
    fixture.submit("release")
    fixture.partition.commit()
    await turns()
    assert parked.result() == "released"


@in_loop
async def test_a_lost_connection_abandons_only_what_is_parked() -> None:
    fixture = Fixture()
    parked = fixture.submit("park")
    waiting = fixture.submit("add")
    parked.cancel()
    waiting.cancel()
    await turns()
    assert fixture.machine.abandoned == [1]
    fixture.submit("release")
    fixture.partition.commit()
    await turns()


@in_loop
async def test_the_machines_deadline_is_the_shards() -> None:
    fixture = Fixture()
    fixture.machine.deadline_ms = 3_000
    assert fixture.shard.next_deadline() == 3_000
    fixture.shard.on_deadline(2_999)
    assert fixture.machine.deadlines_seen == []
    fixture.clock.advance(2_000)
    fixture.shard.on_deadline(3_000)
    assert fixture.machine.deadlines_seen == [3_000]


@in_loop
async def test_a_closed_shard_answers_nobody() -> None:
    fixture = Fixture()
    parked, waiting = fixture.submit("park"), fixture.submit("add")
    fixture.shard.close()
    assert code_of(parked) is code_of(waiting) is ErrorCode.NOT_COORDINATOR
    assert code_of(fixture.submit("read")) is ErrorCode.NOT_COORDINATOR
    fixture.partition.commit()
    await turns()


@in_loop
async def test_while_it_loads() -> None:
    fixture = Fixture(is_active=False)
    assert code_of(fixture.submit("read")) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    assert not fixture.shard.tell(lambda machine, turn: None)
    assert fixture.shard.wants_load(1_000)
    assert fixture.shard.next_deadline() == 1_000
    fixture.shard.is_loading = True
    assert not fixture.shard.wants_load(1_000)
    assert fixture.shard.next_deadline() is None


@pytest.mark.parametrize(("is_commit", "count"), [(True, 1), (False, 0)])
def test_what_is_in_a_transaction_counts_with_its_marker(is_commit: bool, count: int) -> None:
    @in_loop
    async def test() -> None:
        fixture = Fixture()
        fixture.partition.commits_at_once = True
        await fixture.submit("add_in_transaction", "a", (7, 1))
        assert fixture.machine.counts == {}
        await fixture.end(is_commit=is_commit)
        assert fixture.machine.counts.get("a", 0) == count
        assert fixture.machine.pending == {}
        assert fixture.shard.tail == fixture.partition.log_end_offset

    test()


@in_loop
async def test_a_marker_is_confirmed_once_it_is_committed() -> None:
    fixture = Fixture()
    ended = fixture.end()
    await turns()
    assert not ended.done()
    fixture.partition.commit()
    await turns()
    assert ended.result() is None


@in_loop
async def test_a_producer_that_was_replaced_does_not_cost_the_state() -> None:
    fixture = Fixture()
    fixture.partition.commits_at_once = True
    fixture.submit("add")
    fixture.partition.append_error = ProtocolError(ErrorCode.INVALID_PRODUCER_EPOCH)
    refused = fixture.submit("add_in_transaction", "a", (7, 0))
    fixture.partition.marker_error = ProtocolError(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
    fenced = fixture.end()
    await turns()
    assert code_of(refused) is ErrorCode.INVALID_PRODUCER_EPOCH
    assert code_of(fenced) is ErrorCode.TRANSACTION_COORDINATOR_FENCED
    assert fixture.shard.machine is fixture.machine
    assert (fixture.machine.counts, fixture.machine.pending) == ({"a": 1}, {})


@in_loop
async def test_a_marker_that_cannot_be_appended_discards_the_state() -> None:
    fixture = Fixture()
    fixture.partition.marker_error = ProtocolError(ErrorCode.NOT_ENOUGH_REPLICAS)
    ended = fixture.end()
    await turns()
    assert code_of(ended) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert fixture.shard.machine is None
