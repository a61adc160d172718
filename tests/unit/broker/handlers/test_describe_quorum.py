from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from broker.handlers import describe_quorum
from controller.generated import control_pb2 as pb
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_quorum_request import (
    DescribeQuorumRequest,
    PartitionData,
    TopicData,
)
from ottla.protocol.messages.describe_quorum_response import DescribeQuorumResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

FOUND = pb.DescribeQuorumResponse(
    leader_id=1,
    leader_epoch=4,
    high_watermark=90,
    voters=[
        pb.QuorumReplica(node_id=1, directory_id=b"a" * 16, log_end_offset=95, silent_ms=0),
        pb.QuorumReplica(node_id=2, directory_id=b"b" * 16, log_end_offset=80, silent_ms=3),
        pb.QuorumReplica(node_id=3, directory_id=bytes(16), log_end_offset=-1),
    ],
    observers=[pb.QuorumReplica(node_id=9, directory_id=bytes(16), log_end_offset=90, silent_ms=0)],
    nodes=[pb.QuorumNode(node_id=1, raft=pb.QuorumAddress(host="h", port=5))],
)


def call(world: World, version: int, *topics: TopicData) -> DescribeQuorumResponse:
    async def describe(timeout_ms: int) -> pb.DescribeQuorumResponse:
        return FOUND

    world.services.controller.voters = SimpleNamespace(describe=describe)  # type: ignore[assignment]
    answer = asyncio.run(
        describe_quorum.handle(
            world.services,
            world.context(ApiKey.DESCRIBE_QUORUM, version),
            DescribeQuorumRequest(list(topics)),
        )
    )
    return DescribeQuorumResponse.decode(answer.encode(version), version)


@pytest.mark.parametrize("version", [0, 1, 2])
def test_voters_and_observers(world: World, version: int) -> None:
    response = call(world, version, TopicData("__cluster_metadata", [PartitionData(0)]))
    (found,) = response.topics[0].partitions
    assert (found.leader_id, found.leader_epoch, found.high_watermark) == (1, 4, 90)
    assert [one.log_end_offset for one in found.current_voters] == [95, 80, -1]
    assert [one.replica_id for one in found.observers] == [9]
    now_ms = world.services.clock.timestamp_ms()
    if version >= 1:
        assert [one.last_fetch_timestamp for one in found.current_voters] == [
            now_ms,
            now_ms - 3,
            -1,
        ]
        assert [one.last_caught_up_timestamp for one in found.current_voters] == [now_ms, -1, -1]
        assert found.observers[0].last_caught_up_timestamp == now_ms
    if version >= 2:
        assert found.current_voters[1].replica_directory_id == b"b" * 16
        (node,) = response.nodes
        assert [(one.name, one.host, one.port) for one in node.listeners] == [("RAFT", "h", 5)]


def test_other_topics_have_no_quorum(world: World) -> None:
    response = call(world, 2, TopicData("orders", [PartitionData(0)]))
    assert response.topics[0].partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
