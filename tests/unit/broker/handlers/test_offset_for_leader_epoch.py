from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from broker.handlers import offset_for_leader_epoch
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def request(current: int, epoch: int, topic: str = "t") -> OffsetForLeaderEpochRequest:
    asked = OffsetForLeaderPartition(0, current_leader_epoch=current, leader_epoch=epoch)
    return OffsetForLeaderEpochRequest(topics=[OffsetForLeaderTopic(topic, [asked])])


def call(
    world: World, current: int, epoch: int, version: int = 4, topic: str = "t"
) -> tuple[int, int, int]:
    response = offset_for_leader_epoch.handle(
        world.services,
        world.context(ApiKey.OFFSET_FOR_LEADER_EPOCH, version),
        request(current, epoch, topic),
    )
    response.encode(version)
    (result,) = response.topics[0].partitions
    return result.error_code, result.leader_epoch, result.end_offset


@pytest.mark.parametrize("version", [2, 3, 4])
def test_where_an_epoch_ended(world: World, version: int) -> None:
    world.add_topic("t")
    assert call(world, 5, 3, version) == (0, 3, 30)
    assert call(world, -1, 9, version) == (0, -1, -1)


def test_errors_are_per_partition(world: World) -> None:
    (partition,) = world.add_topic("t")
    assert call(world, 4, 3)[0] == ErrorCode.FENCED_LEADER_EPOCH
    assert call(world, 6, 3)[0] == ErrorCode.UNKNOWN_LEADER_EPOCH
    assert call(world, -1, 3, topic="other")[0] == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    partition.error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert call(world, -1, 3)[0] == ErrorCode.NOT_LEADER_OR_FOLLOWER


def test_a_failure_as_a_whole() -> None:
    response = offset_for_leader_epoch.fail(request(-1, 3), 4, ErrorCode.UNKNOWN_SERVER_ERROR, None)
    assert response.topics[0].partitions[0].error_code == -1
    response.encode(4)
