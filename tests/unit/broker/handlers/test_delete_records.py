from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.handlers import delete_records
from broker.replication.partition import Partition
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from ottla.protocol.messages.delete_records_response import DeleteRecordsResponse
from storage.config import LogConfig
from tests.unit.broker.replication.replication_support import Host, fill, lead

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def led(world: World, index: int = 0, **options: Any) -> Partition:
    """A partition of topic t with three committed records, led by this broker alone."""
    partition = Host().partition(index, replicas=(1,), **options)
    fill(partition, b"a", b"b", b"c")
    world.partitions["t", index] = cast(Any, partition)
    return partition


def request(*offsets: int, topic: str = "t", timeout_ms: int = 10_000) -> DeleteRecordsRequest:
    asked = [DeleteRecordsPartition(index, offset) for index, offset in enumerate(offsets)]
    return DeleteRecordsRequest([DeleteRecordsTopic(topic, asked)], timeout_ms)


def handle(world: World, asked: DeleteRecordsRequest, version: int = 2) -> Any:
    context = world.context(ApiKey.DELETE_RECORDS, version)
    return delete_records.handle(world.services, context, asked)


async def results(answer: Any, version: int = 2) -> list[tuple[int, int]]:
    """(error code, low watermark) of each partition."""
    async with asyncio.timeout(5):
        response = await answer if isinstance(answer, Awaitable) else answer
    decoded = DeleteRecordsResponse.decode(response.encode(version), version)
    return [(p.error_code, p.low_watermark) for t in decoded.topics for p in t.partitions]


def save(partition: Partition) -> None:
    partition.run(partition.machine.on_log_start_saved(partition.log_start_offset))


@pytest.mark.parametrize("version", [0, 1, 2])
def test_answered_once_all_is_saved(world: World, version: int) -> None:
    async def story() -> None:
        first, second = led(world, 0), led(world, 1)
        answer = handle(world, request(2, -1), version)
        assert [p.log_start_offset for p in (first, second)] == [2, 3]  # at once
        save(first)
        save(second)
        assert await results(answer, version) == [(0, 2), (0, 3)]

    asyncio.run(story())


def test_what_cannot_be_deleted_is_told_beside_what_was(world: World) -> None:
    async def story() -> None:
        partition = led(world, 1)
        led(world, 2).usable_log.config = LogConfig(cleanup_policy=frozenset({"compact"}))
        answer = handle(world, request(0, 3, 0, 0))
        save(partition)
        assert await results(answer) == [
            (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1),
            (0, 3),
            (ErrorCode.POLICY_VIOLATION, -1),
            (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1),
        ]
        led(world, 0)
        assert await results(handle(world, request(4))) == [(ErrorCode.OFFSET_OUT_OF_RANGE, -1)]

    asyncio.run(story())


def test_topics_of_the_clusters_own_are_left_alone(world: World) -> None:
    async def story() -> None:
        partition = led(world, internal=True)
        found = await results(handle(world, request(1)))
        assert found == [(ErrorCode.INVALID_TOPIC_EXCEPTION, -1)]
        assert partition.log_start_offset == 0

    asyncio.run(story())


def test_a_late_answer_and_a_lost_leadership(world: World) -> None:
    async def story() -> None:
        late, lost = led(world, 0), led(world, 1)
        answer = handle(world, request(1, 1, timeout_ms=0))
        assert await results(answer) == [(ErrorCode.REQUEST_TIMED_OUT, -1)] * 2
        assert late.log_start_offset == 1  # it goes on all the same
        answer = handle(world, request(2, 2))
        save(late)
        lead(lost, 2, 1)
        assert await results(answer) == [(0, 2), (ErrorCode.NOT_LEADER_OR_FOLLOWER, -1)]

    asyncio.run(story())


def test_a_failure_as_a_whole() -> None:
    response = delete_records.fail(request(1, 2), 2, ErrorCode.UNKNOWN_SERVER_ERROR, "why")
    found = [(p.error_code, p.low_watermark) for p in response.topics[0].partitions]
    assert found == [(-1, -1)] * 2
