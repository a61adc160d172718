from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.handlers import produce
from broker.handlers.spec import CloseConnection
from broker.transactions.admission import BatchOrigin
from ottla.core.errors import ErrorCode, ProtocolError, RecordsRefused
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.produce_request import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from ottla.protocol.messages.produce_response import ProduceResponse
from ottla.record.build import build_batch

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import FakePartition, World

BATCH = bytes(22) + b"\0" + bytes(60)


def request(
    *indexes: int, acks: int = -1, topic: str = "t", batch: bytes | None = BATCH, **fields: Any
) -> ProduceRequest:
    data = [
        PartitionProduceData(index, None if batch is None else memoryview(bytearray(batch)))
        for index in indexes
    ]
    topics = [TopicProduceData(topic, topic.encode().ljust(16, b"."), data)]
    return ProduceRequest(acks=acks, timeout_ms=10_000, topic_data=topics, **fields)


def call(world: World, asked: ProduceRequest, version: int = 12) -> Any:
    return produce.handle(world.services, world.context(ApiKey.PRODUCE, version), asked)


def codes(response: ProduceResponse) -> list[int]:
    return [p.error_code for topic in response.responses for p in topic.partition_responses]


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run `test`; an error in a callback fails it too, and no timer may stay behind."""
    timers: list[asyncio.TimerHandle] = []
    errors: list[dict[str, Any]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        call_later = loop.call_later

        def remember(*args: Any) -> asyncio.TimerHandle:
            timers.append(call_later(*args))
            return timers[-1]

        loop.call_later = remember  # type: ignore[assignment]
        loop.set_exception_handler(lambda _, error: errors.append(error))
        await test
        now = loop.time()
        assert all(timer.cancelled() or timer.when() <= now for timer in timers)

    asyncio.run(main())
    assert errors == []


def test_a_topic_of_the_clusters_own_is_not_for_clients(world: World) -> None:
    (partition,) = world.add_topic("__consumer_offsets", internal=True)
    asked = request(0, topic="__consumer_offsets", acks=1)
    assert codes(call(world, asked)) == [ErrorCode.INVALID_TOPIC_EXCEPTION]
    assert partition.batches == []


@pytest.mark.parametrize("version", [7, 8, 13])
def test_refused_records_are_named_from_version_8_on(world: World, version: int) -> None:
    (partition,) = world.add_topic("t")
    partition.error = RecordsRefused(
        ErrorCode.INVALID_RECORD, "2 of 5 records", ((1, "no key"), (4, "no key"))
    )
    response = call(world, request(0), version)
    result = ProduceResponse.decode(response.encode(version), version).responses[0]
    (answer,) = result.partition_responses
    assert answer.error_code == ErrorCode.INVALID_RECORD
    named = [(e.batch_index, e.batch_index_error_message) for e in answer.record_errors]
    assert named == ([] if version < 8 else [(1, "no key"), (4, "no key")])
    assert answer.error_message == (None if version < 8 else "2 of 5 records")


@pytest.mark.parametrize("version", [3, 8, 9, 12, 13])
def test_acks_1_appends_and_answers_at_once(world: World, version: int) -> None:
    partitions = world.add_topic("t", 2)
    partitions[1].batches = [b"before"]
    response = call(world, request(0, 1, acks=1), version)
    assert codes(response) == [0, 0]
    offsets = [p.base_offset for p in response.responses[0].partition_responses]
    assert offsets == [0, 1]
    assert partitions[0].batches == [BATCH]
    assert ProduceResponse.decode(response.encode(version), version).responses[0].name == (
        "t" if version < 13 else ""
    )


def test_acks_all_appends_at_once_and_answers_when_all_are_committed(world: World) -> None:
    async def test() -> None:
        first, second = world.add_topic("t", 2)
        answer = call(world, request(0, 1))
        assert (len(first.batches), len(second.batches)) == (1, 1)
        assert first.commits[0][:2] == (1, 5)
        first.commit(1)
        await asyncio.sleep(0)
        assert not answer.done()
        second.commit(1)
        response = await answer
        assert codes(response) == [0, 0]

    run(test())


def test_batches_are_appended_before_the_handler_returns(world: World) -> None:
    async def test() -> None:
        (partition,) = world.add_topic("t")
        context = world.context(ApiKey.PRODUCE, 9)
        answers = [
            produce.HANDLER.handle(world.services, context, request(0, acks=1)) for _ in range(3)
        ]
        # Nothing has waited yet: the next request of the connection cannot overtake.
        assert len(partition.batches) == len(answers)

    run(test())


def test_a_duplicate_waits_for_the_original_batch(world: World) -> None:
    async def test() -> None:
        (partition,) = world.add_topic("t")
        partition.duplicate_at = 41
        answer = call(world, request(0))
        assert partition.commits[0][0] == 42
        partition.commit(42)
        assert (await answer).responses[0].partition_responses[0].base_offset == 41

    run(test())


@pytest.mark.parametrize(
    "code", [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND]
)
def test_a_failed_commit_is_the_error_of_its_partition_alone(world: World, code: ErrorCode) -> None:
    async def test() -> None:
        first, second = world.add_topic("t", 2)
        answer = call(world, request(0, 1))
        first.commits[0][2].set_exception(ProtocolError(code, "why"))
        second.commit(1)
        response = await answer
        assert codes(response) == [code, 0]
        failed = response.responses[0].partition_responses[0]
        assert (failed.base_offset, failed.error_message) == (-1, "why")

    run(test())


def test_what_is_not_committed_in_time_is_timed_out(world: World) -> None:
    async def test() -> None:
        first, second = world.add_topic("t", 2)
        asked = request(0, 1)
        asked.timeout_ms = 1
        answer = call(world, asked)
        second.commit(1)
        response = await answer
        assert codes(response) == [ErrorCode.REQUEST_TIMED_OUT, 0]
        await asyncio.sleep(0)
        assert first.commits[0][2].cancelled()  # the partition may forget it

    run(test())


def test_a_commit_that_fails_in_the_turn_of_the_time_out_is_not_acknowledged(world: World) -> None:
    """A paused leader wakes up: the metadata that deposes it and the timer come in one turn."""

    async def test() -> None:
        first, second = world.add_topic("t", 2)
        asked = request(0, 1)
        asked.timeout_ms = 0

        def depose() -> None:
            error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER, "why")
            first.commits[0][2].set_exception(error)

        # Runs in the same turn before the timer, so that what it wakes runs after the timer.
        asyncio.get_running_loop().call_soon(depose)
        answer = call(world, asked)
        second.commit(1)
        response = await answer
        assert codes(response) == [ErrorCode.NOT_LEADER_OR_FOLLOWER, 0]
        assert response.responses[0].partition_responses[0].base_offset == -1

    run(test())


def test_a_lost_connection_leaves_commits_until_their_time_is_up(world: World) -> None:
    async def test() -> None:
        first, second = world.add_topic("t", 2)
        asked = request(0, 1)
        asked.timeout_ms = 1
        answer = call(world, asked)
        answer.cancel()
        await asyncio.sleep(0)
        first.commits[0][2].set_exception(ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER))
        with pytest.raises(asyncio.CancelledError):
            await second.commits[0][2]
        await asyncio.sleep(0)
        assert answer.cancelled()

    run(test())


def test_errors_are_per_partition(world: World) -> None:
    first, second = world.add_topic("t", 2)
    first.error = ProtocolError(ErrorCode.CORRUPT_MESSAGE, "wrong CRC")
    response = call(world, request(0, 1, 7, acks=1))
    assert codes(response) == [2, 0, 3]
    assert response.responses[0].partition_responses[0].error_message == "wrong CRC"
    assert response.responses[0].partition_responses[0].base_offset == -1
    assert len(second.batches) == 1
    response.encode(12)


def test_messages_for_people_only_where_the_version_has_room(world: World) -> None:
    (partition,) = world.add_topic("t")
    partition.error = ProtocolError(ErrorCode.CORRUPT_MESSAGE, "wrong CRC")
    for version in range(3, 14):
        call(world, request(0, acks=1), version).encode(version)


@pytest.mark.parametrize("version", [9, 10, 13])
def test_a_broker_that_does_not_lead_names_who_does(world: World, version: int) -> None:
    (partition,) = world.add_topic("t", leader_id=2)
    partition.error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    response = ProduceResponse.decode(
        call(world, request(0, acks=1), version).encode(version), version
    )
    result = response.responses[0].partition_responses[0]
    assert result.error_code == 6
    if version < 10:
        assert response.node_endpoints == []
        return
    assert result.current_leader is not None
    assert (result.current_leader.leader_id, result.current_leader.leader_epoch) == (2, 5)
    (node,) = response.node_endpoints
    assert (node.node_id, node.host, node.port, node.rack) == (2, "host2", 9002, "rack2")


@pytest.mark.parametrize("version", [0, 1, 2])
def test_old_versions_are_advertised_and_refused(world: World, version: int) -> None:
    (partition,) = world.add_topic("t")
    response = call(world, request(0, acks=1), version)
    assert codes(ProduceResponse.decode(response.encode(version), version)) == [35]
    assert partition.batches == []
    assert produce.HANDLER.min_version == 0


@pytest.mark.parametrize("acks", [2, -2, 32767])
def test_other_acks_are_refused(world: World, acks: int) -> None:
    (partition,) = world.add_topic("t")
    assert codes(call(world, request(0, acks=acks))) == [ErrorCode.INVALID_REQUIRED_ACKS]
    assert partition.batches == []


def transactional_batch() -> bytes:
    batch = bytearray(BATCH)
    batch[22] = 0x10
    return bytes(batch)


def test_a_transaction_needs_all_replicas_and_its_id(world: World) -> None:
    (partition,) = world.add_topic("t")
    asked = request(0, acks=1, transactional_id="tx")
    assert codes(call(world, asked)) == [ErrorCode.INVALID_REQUIRED_ACKS]
    asked = request(0, batch=transactional_batch())
    assert codes(call(world, asked)) == [ErrorCode.INVALID_TXN_STATE]
    assert partition.batches == []


class WaitingAdmissions:
    """The coordinator is being asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[BatchOrigin, int]] = []
        self.appended: list[asyncio.Future[Any]] = []

    def append(self, _: object, batch: memoryview, origin: BatchOrigin, sequence: int) -> Any:
        self.asked.append((origin, sequence))
        self.appended.append(asyncio.get_running_loop().create_future())
        return self.appended[-1]


def first_of_a_transaction() -> ProduceRequest:
    batch = build_batch(
        [(None, b"x", (), 1)],
        producer_id=7,
        producer_epoch=2,
        base_sequence=30,
        transactional=True,
    )
    return request(0, batch=bytes(batch), transactional_id="tx")


@pytest.mark.parametrize(("version", "implicit", "abortable"), [(10, 0, 0), (11, 0, 1), (12, 1, 1)])
def test_the_first_batch_of_a_transaction_is_answered_once_admitted_and_committed(
    world: World, version: int, implicit: int, abortable: int
) -> None:
    async def test() -> None:
        (partition,) = world.add_topic("t")
        world.services.admissions = admissions = cast(Any, WaitingAdmissions())
        answer = call(world, first_of_a_transaction(), version)
        origin = BatchOrigin("tx", 7, 2, bool(implicit), bool(abortable))
        assert admissions.asked == [(origin, 30)]
        admissions.appended[0].set_result(partition.append(memoryview(b""), acks=-1))
        await asyncio.sleep(0)
        assert not answer.done()
        partition.commit(1)
        response = await answer
        assert codes(response) == [0]
        assert response.responses[0].partition_responses[0].base_offset == 0

    run(test())


def test_a_batch_that_is_not_admitted_has_its_code(world: World) -> None:
    async def test() -> None:
        world.add_topic("t")
        world.services.admissions = admissions = cast(Any, WaitingAdmissions())
        answer = call(world, first_of_a_transaction())
        refusal = ProtocolError(ErrorCode.TRANSACTION_ABORTABLE)
        admissions.appended[0].set_exception(refusal)
        assert codes(await answer) == [ErrorCode.TRANSACTION_ABORTABLE]

    run(test())


def test_an_admitted_batch_that_is_not_committed_in_time_is_given_up(world: World) -> None:
    async def test() -> None:
        (partition,) = world.add_topic("t")
        world.services.admissions = admissions = cast(Any, WaitingAdmissions())
        asked = first_of_a_transaction()
        asked.timeout_ms = 1
        answer = call(world, asked)
        admissions.appended[0].set_result(partition.append(memoryview(b""), acks=-1))
        assert codes(await answer) == [ErrorCode.REQUEST_TIMED_OUT]
        await asyncio.sleep(0)
        assert partition.commits[0][2].cancelled()  # the partition may forget it

    run(test())


@pytest.mark.parametrize("batch", [None, b""])
def test_a_request_without_records_is_refused(world: World, batch: bytes | None) -> None:
    world.add_topic("t")
    assert codes(call(world, request(0, acks=1, batch=batch))) == [ErrorCode.INVALID_RECORD]


def test_acks_0_has_no_answer(world: World) -> None:
    (partition,) = world.add_topic("t")
    assert call(world, request(0, acks=0)) is None
    assert len(partition.batches) == 1


def test_an_error_with_acks_0_closes_the_connection_after_all_were_appended(
    world: World,
) -> None:
    partitions: list[FakePartition] = world.add_topic("t", 2)
    partitions[0].error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    with pytest.raises(CloseConnection, match=r"acks=0 to t-0: NOT_LEADER_OR_FOLLOWER"):
        call(world, request(0, 1, acks=0))
    assert len(partitions[1].batches) == 1
    with pytest.raises(CloseConnection):
        call(world, request(0, acks=0), version=2)


def test_a_failure_as_a_whole_is_told_of_every_partition() -> None:
    response = produce.fail(request(0, 3), 12, ErrorCode.UNKNOWN_SERVER_ERROR, "log")
    assert codes(response) == [-1, -1]
    response.encode(12)
