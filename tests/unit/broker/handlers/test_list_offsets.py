from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from broker.handlers import list_offsets
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from ottla.protocol.messages.list_offsets_response import ListOffsetsResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import FakePartition, World


def call(
    world: World,
    timestamp: int,
    version: int = 11,
    *,
    topic: str = "t",
    committed: bool = False,
    epoch: int = -1,
) -> tuple[int, int, int, int]:
    """(error, timestamp, offset, leader epoch)"""
    asked = ListOffsetsPartition(0, current_leader_epoch=epoch, timestamp=timestamp)
    response = list_offsets.handle(
        world.services,
        world.context(ApiKey.LIST_OFFSETS, version),
        ListOffsetsRequest(
            isolation_level=int(committed), topics=[ListOffsetsTopic(topic, [asked])]
        ),
    )
    response = ListOffsetsResponse.decode(response.encode(version), version)
    (result,) = response.topics[0].partitions
    if version == 0:
        return result.error_code, -1, result.old_style_offsets[0], -1
    return result.error_code, result.timestamp, result.offset, result.leader_epoch


@pytest.fixture
def partition(world: World) -> FakePartition:
    (partition,) = world.add_topic("t")
    partition.log_start_offset = 10
    partition.batches = [b"x"] * 20
    partition.commit(25)
    partition.last_stable_offset = 22
    partition.usable_log.epoch_entries = ((3, 10), (5, 20))
    return partition


@pytest.mark.parametrize("version", [1, 4, 11])
def test_earliest_and_latest(world: World, partition: FakePartition, version: int) -> None:
    with_epoch = version >= 4
    assert call(world, -2, version) == (0, -1, 10, 3 if with_epoch else -1)
    assert call(world, -1, version) == (0, -1, 25, 5 if with_epoch else -1)


def test_version_0_answers_a_list(world: World, partition: FakePartition) -> None:
    assert call(world, -1, 0)[2] == 25
    assert call(world, -2, 0)[2] == 10


def test_read_committed_is_bounded_by_the_last_stable_offset(
    world: World, partition: FakePartition
) -> None:
    assert call(world, -1, committed=True) == (0, -1, 22, 5)
    call(world, 1_000, committed=True)
    assert partition.usable_log.asked_ends == [22]


def test_by_time(world: World, partition: FakePartition) -> None:
    partition.usable_log.timestamps = {1_000: (1_005, 17, 4)}
    assert call(world, 1_000) == (0, 1_005, 17, 4)
    assert call(world, 2_000) == (0, -1, -1, -1)
    assert partition.usable_log.asked_ends == [25, 25]


@pytest.mark.parametrize(
    ("timestamp", "since", "answer"),
    [
        (-3, 7, (0, 999, 18, 4)),
        (-4, 8, (0, -1, 10, 3)),
        (-5, 9, (0, -1, -1, -1)),
        (-6, 11, (0, -1, -1, -1)),
        (-7, 99, None),
    ],
)
def test_later_meanings_only_from_their_version_on(
    world: World,
    partition: FakePartition,
    timestamp: int,
    since: int,
    answer: tuple[int, int, int, int] | None,
) -> None:
    partition.usable_log.max_timestamp = (999, 18, 4)
    for version in range(4, 12):
        expected = answer if version >= since else (ErrorCode.UNSUPPORTED_VERSION, -1, -1, -1)
        assert call(world, timestamp, version) == expected


@pytest.mark.parametrize(("version", "code"), [(4, 5), (5, 78), (11, 78)])
def test_latest_is_unknown_until_the_leader_has_committed_in_its_epoch(
    world: World, partition: FakePartition, version: int, code: int
) -> None:
    partition.epoch_start_offset = 26
    assert call(world, -1, version)[0] == code
    assert call(world, 1_000, version)[0] == code
    assert call(world, -2, version)[0] == 0


@pytest.mark.parametrize(("epoch", "code"), [(-1, 0), (5, 0), (4, 74), (6, 75)])
def test_the_clients_leader_epoch_is_checked(
    world: World, partition: FakePartition, epoch: int, code: int
) -> None:
    assert call(world, -1, epoch=epoch)[0] == code


def test_errors_are_per_partition(world: World, partition: FakePartition) -> None:
    partition.error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert call(world, -1) == (6, -1, -1, -1)
    assert call(world, -1, topic="other") == (3, -1, -1, -1)


def test_a_failure_as_a_whole() -> None:
    topics = [ListOffsetsTopic("t", [ListOffsetsPartition(0), ListOffsetsPartition(1)])]
    for version in range(12):
        response = list_offsets.fail(
            ListOffsetsRequest(topics=topics), version, ErrorCode.UNKNOWN_SERVER_ERROR, None
        )
        assert [p.error_code for p in response.topics[0].partitions] == [-1, -1]
        response.encode(version)
