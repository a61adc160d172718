from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from broker.handlers import describe_log_dirs
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_log_dirs_request import (
    DescribableLogDirTopic,
    DescribeLogDirsRequest,
)
from ottla.protocol.messages.describe_log_dirs_response import DescribeLogDirsResponse
from storage.checkpoints import Checkpoints, MemoryStore
from storage.config import LogConfig
from storage.manager import LogManager
from storage.vfs import MemoryVfs
from tests.support.disk import append, batch

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


CAPACITY = 9_000_000


@pytest.fixture
def logs(world: World) -> LogManager:
    """Topic t with two partitions, one in each directory; the second one is empty."""
    manager = LogManager.open(
        ["/a", "/b"],
        cluster_id="c",
        node_id=1,
        clock=ManualClock(),
        vfs=MemoryVfs(capacity=CAPACITY),
        checkpoints=Checkpoints(MemoryStore()),
    )
    manager.mark_running(1)
    for index in (0, 1):
        manager.open_log("t", index, bytes(16), LogConfig())
    append(manager.logs()[0], batch(1))
    world.log_manager = manager  # type: ignore[attr-defined]
    return manager


def call(
    world: World, topics: list[DescribableLogDirTopic] | None = None, version: int = 5
) -> DescribeLogDirsResponse:
    context = world.context(ApiKey.DESCRIBE_LOG_DIRS, version)
    asked = DescribeLogDirsRequest(topics)
    answer = asyncio.run(describe_log_dirs.handle(world.services, context, asked))
    return DescribeLogDirsResponse.decode(answer.encode(version), version)


def sizes(response: DescribeLogDirsResponse) -> dict[tuple[str, str, int], int]:
    return {
        (one.log_dir, topic.name, p.partition_index): p.partition_size
        for one in response.results
        for topic in one.topics
        for p in topic.partitions
    }


@pytest.mark.parametrize("version", range(1, 6))
def test_every_log_with_its_size_and_every_disk(
    world: World, logs: LogManager, version: int
) -> None:
    response = call(world, version=version)
    size = logs.logs()[0].size_bytes
    assert size > 0
    assert sizes(response) == {("/a", "t", 0): size, ("/b", "t", 1): 0}
    for one in response.results:
        assert one.error_code == 0
        if version >= 4:
            assert one.total_bytes == CAPACITY
            assert 0 < one.usable_bytes < CAPACITY
        else:
            assert one.total_bytes == one.usable_bytes == -1


def test_only_what_is_asked_for(world: World, logs: LogManager) -> None:
    asked = [DescribableLogDirTopic("t", [1, 2]), DescribableLogDirTopic("u", [0])]
    assert list(sizes(call(world, asked))) == [("/b", "t", 1)]
    assert sizes(call(world, [])) == {}


def test_a_directory_that_failed_says_so(world: World, logs: LogManager) -> None:
    logs.directories[0].fail(OSError("gone"))
    response = call(world)
    assert [one.error_code for one in response.results] == [ErrorCode.KAFKA_STORAGE_ERROR, 0]
    assert list(sizes(response)) == [("/b", "t", 1)]


def test_a_copy_that_is_being_made_is_told_with_its_lag(world: World, logs: LogManager) -> None:
    log = logs.logs()[0]
    other = next(one for one in logs.directories if one is not log.directory)
    logs.moving.begin(log, other)
    (result,) = (one for one in call(world).results if one.log_dir == other.path)
    copies = [p for topic in result.topics for p in topic.partitions if p.is_future_key]
    assert [(p.partition_index, p.partition_size, p.offset_lag) for p in copies] == [(0, 0, 1)]
