"""OffsetForLeaderEpoch (key 23), versions 2–4: where a leader epoch ended (KIP-101, KIP-320).

Consumers ask it after a change of leader, to notice that records which they have read are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.offset_for_leader_epoch_request import OffsetForLeaderEpochRequest
from ottla.protocol.messages.offset_for_leader_epoch_response import (
    EpochEndOffset,
    OffsetForLeaderEpochResponse,
    OffsetForLeaderTopicResult,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(
    services: BrokerServices, context: RequestContext, request: OffsetForLeaderEpochRequest
) -> Answer:
    topics = []
    for topic in request.topics:
        results = []
        for asked in topic.partitions:
            result = EpochEndOffset(partition=asked.partition)
            results.append(result)
            try:
                partition = services.replicas.partition(topic.topic, asked.partition)
                partition.check_leader(asked.current_leader_epoch)
                found = partition.offset_for_leader_epoch(asked.leader_epoch)
                if found is not None:  # else nothing is known of that epoch: both stay -1
                    result.leader_epoch, result.end_offset = found
            except ProtocolError as error:
                result.error_code = int(error.code)
        topics.append(OffsetForLeaderTopicResult(topic.topic, results))
    return OffsetForLeaderEpochResponse(topics=topics)


def fail(
    request: OffsetForLeaderEpochRequest, version: int, code: ErrorCode, message: str | None
) -> OffsetForLeaderEpochResponse:
    """The same error for every partition."""
    return OffsetForLeaderEpochResponse(
        topics=[
            OffsetForLeaderTopicResult(
                topic.topic,
                [EpochEndOffset(int(code), asked.partition) for asked in topic.partitions],
            )
            for topic in request.topics
        ]
    )


HANDLER = HandlerSpec(ApiKey.OFFSET_FOR_LEADER_EPOCH, 2, 4, handle, fail)
