"""DescribeQuorum (key 55), versions 0–2: leader, voters, observers of the metadata log (KIP-595).

1   times of the last fetch and of being level with the leader (KIP-836)
2   directory ids, addresses of the voters, messages with errors (KIP-853)

The voters are told what they lack, they do not fetch: the time of the last fetch is that of the
last answer to the leader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.admin_calls import ask
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_quorum_request import DescribeQuorumRequest
from ottla.protocol.messages.describe_quorum_response import (
    DescribeQuorumResponse,
    Listener,
    Node,
    PartitionData,
    ReplicaState,
    TopicData,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from controller.generated import control_pb2

METADATA_TOPIC: Final = "__cluster_metadata"
WAIT_MS: Final = 10_000


async def handle(
    services: BrokerServices, context: RequestContext, request: DescribeQuorumRequest
) -> Answer:
    found = await ask(services.controller.voters.describe(WAIT_MS), WAIT_MS)
    now_ms = services.clock.timestamp_ms()
    topics = [
        TopicData(
            topic.topic_name,
            [
                _metadata_log(found, now_ms, context.api_version)
                if (topic.topic_name, partition.partition_index) == (METADATA_TOPIC, 0)
                else PartitionData(
                    partition.partition_index,
                    int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
                    f"only partition 0 of {METADATA_TOPIC} has a quorum",
                )
                for partition in topic.partitions
            ],
        )
        for topic in request.topics
    ]
    nodes = [
        Node(
            node.node_id,
            [
                Listener(name, address.host, address.port)
                for name, address in (("RAFT", node.raft), ("INTERNAL", node.internal))
                if address.host
            ],
        )
        for node in found.nodes
    ]
    return DescribeQuorumResponse(topics=topics, nodes=nodes if context.api_version >= 2 else [])


def _metadata_log(
    found: control_pb2.DescribeQuorumResponse, now_ms: int, version: int
) -> PartitionData:
    end = max((one.log_end_offset for one in found.voters), default=-1)
    return PartitionData(
        partition_index=0,
        leader_id=found.leader_id,
        leader_epoch=found.leader_epoch,
        high_watermark=found.high_watermark,
        current_voters=[_replica(one, end, now_ms, version) for one in found.voters],
        observers=[_replica(one, found.high_watermark, now_ms, version) for one in found.observers],
    )


def _replica(one: control_pb2.QuorumReplica, end: int, now_ms: int, version: int) -> ReplicaState:
    answered = now_ms - one.silent_ms if one.HasField("silent_ms") else -1
    state = ReplicaState(one.node_id, log_end_offset=one.log_end_offset)
    if version >= 1:
        state.last_fetch_timestamp = answered
        state.last_caught_up_timestamp = answered if one.log_end_offset >= end else -1
    if version >= 2:
        state.replica_directory_id = one.directory_id
    return state


HANDLER = HandlerSpec(ApiKey.DESCRIBE_QUORUM, 0, 2, handle)
