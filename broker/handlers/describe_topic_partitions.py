"""DescribeTopicPartitions (key 75), version 0: partitions of topics in pages (KIP-966).

Topics come in the order of their names, no name asked for: all of them. An answer has at most
`response_partition_limit` partitions and then a cursor, at which the next request goes on. Beyond
what Metadata tells it names the eligible leader replicas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.metadata import partition_entry, reachable_brokers
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import topic_name_fault
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
)
from ottla.protocol.messages.describe_topic_partitions_response import (
    Cursor,
    DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from controller.state import PartitionMetadata, TopicMetadata

PARTITIONS_MAX: Final = 2_000
"""Of one answer: max.request.partition.size.limit."""
_METADATA_VERSION: Final = 13
"""Whose codes of partitions are used."""


def handle(
    services: BrokerServices, context: RequestContext, request: DescribeTopicPartitionsRequest
) -> Answer:
    left = max(min(request.response_partition_limit, PARTITIONS_MAX), 1)
    live, dead = reachable_brokers(services, context.listener_name)
    response = DescribeTopicPartitionsResponse()
    state = services.metadata.state
    for name, start in _wanted(services, request):
        topic = state.topic_named(name)
        if topic is None:
            response.topics.append(_unknown(name))
            continue
        if left == 0:
            response.next_cursor = Cursor(name, start)
            break
        some = topic.partitions[start : start + left]
        left -= len(some)
        response.topics.append(
            _topic(topic, [_partition(p, live, dead) for p in some]),
        )
        if start + len(some) < len(topic.partitions):
            response.next_cursor = Cursor(name, start + len(some))
            break
    return response


def fail(
    request: DescribeTopicPartitionsRequest, version: int, code: ErrorCode, message: str | None
) -> DescribeTopicPartitionsResponse:
    """The error for every topic that was named."""
    return DescribeTopicPartitionsResponse(
        topics=[
            DescribeTopicPartitionsResponseTopic(error_code=int(code), name=topic.name)
            for topic in request.topics
        ]
    )


def _wanted(
    services: BrokerServices, request: DescribeTopicPartitionsRequest
) -> list[tuple[str, int]]:
    """Names with the partition to begin with; INVALID_REQUEST for a cursor that leads nowhere."""
    names = {topic.name for topic in request.topics}
    cursor = request.cursor
    if cursor is None:
        return [(name, 0) for name in sorted(names or services.metadata.state.topic_ids)]
    if cursor.partition_index < 0:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST, f"the cursor is at partition {cursor.partition_index}"
        )
    if names and cursor.topic_name not in names:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            f"the cursor is at topic '{cursor.topic_name[:250]}', which is not asked for",
        )
    return [
        (name, cursor.partition_index if name == cursor.topic_name else 0)
        for name in sorted(names or services.metadata.state.topic_ids)
        if name >= cursor.topic_name
    ]


def _unknown(name: str) -> DescribeTopicPartitionsResponseTopic:
    code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if topic_name_fault(name) is not None:
        code = ErrorCode.INVALID_TOPIC_EXCEPTION
    return DescribeTopicPartitionsResponseTopic(error_code=int(code), name=name)


def _topic(
    topic: TopicMetadata, partitions: list[DescribeTopicPartitionsResponsePartition]
) -> DescribeTopicPartitionsResponseTopic:
    return DescribeTopicPartitionsResponseTopic(
        name=topic.name,
        topic_id=topic.topic_id,
        is_internal=topic.internal,
        partitions=partitions,
    )


def _partition(
    partition: PartitionMetadata, live: set[int], dead: frozenset[int]
) -> DescribeTopicPartitionsResponsePartition:
    told = partition_entry(partition, live, dead, _METADATA_VERSION)
    return DescribeTopicPartitionsResponsePartition(
        error_code=told.error_code,
        partition_index=told.partition_index,
        leader_id=told.leader_id,
        leader_epoch=told.leader_epoch,
        replica_nodes=told.replica_nodes,
        isr_nodes=told.isr_nodes,
        eligible_leader_replicas=list(partition.elr),
        last_known_elr=list(partition.last_known_elr),
        offline_replicas=told.offline_replicas,
    )


HANDLER = HandlerSpec(ApiKey.DESCRIBE_TOPIC_PARTITIONS, 0, 0, handle, fail)
