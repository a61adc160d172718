"""DescribeProducers (key 61), version 0: who writes to partitions that this broker leads (KIP-664).

A producer with a first offset of an open transaction that no coordinator knows has left a hanging
transaction: WriteTxnMarkers ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_producers_request import DescribeProducersRequest
from ottla.protocol.messages.describe_producers_response import (
    DescribeProducersResponse,
    PartitionResponse,
    ProducerState,
    TopicResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(
    services: BrokerServices, context: RequestContext, request: DescribeProducersRequest
) -> Answer:
    return DescribeProducersResponse(
        topics=[
            TopicResponse(
                topic.name,
                [_describe(services, topic.name, index) for index in topic.partition_indexes],
            )
            for topic in request.topics
        ]
    )


def _describe(services: BrokerServices, topic: str, index: int) -> PartitionResponse:
    try:
        partition = services.replicas.partition(topic, index)
        partition.check_leader(-1)
        producers = partition.usable_log.producers
    except ProtocolError as error:
        return PartitionResponse(index, int(error.code), error.message)
    return PartitionResponse(
        index,
        active_producers=[
            ProducerState(
                producer_id,
                producer.producer_epoch,
                producer.last_sequence,
                producer.batches[-1].timestamp if producer.batches else -1,
                producer.coordinator_epoch,
                -1
                if producer.transaction_first_offset is None
                else producer.transaction_first_offset,
            )
            for producer_id, producer in producers.items()
        ],
    )


def fail(
    request: DescribeProducersRequest, version: int, code: ErrorCode, message: str | None
) -> DescribeProducersResponse:
    """The same error for every partition."""
    return DescribeProducersResponse(
        topics=[
            TopicResponse(
                topic.name,
                [PartitionResponse(index, int(code), message) for index in topic.partition_indexes],
            )
            for topic in request.topics
        ]
    )


HANDLER = HandlerSpec(ApiKey.DESCRIBE_PRODUCERS, 0, 0, handle, fail)
