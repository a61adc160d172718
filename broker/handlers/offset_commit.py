"""OffsetCommit (key 8), versions 2–10.

2–4  a retention time of its own
6    leader epochs (KIP-320)
7    static members (KIP-345)
10   topics by id (KIP-848)

Topics that this broker does not know are UNKNOWN_TOPIC_OR_PARTITION (UNKNOWN_TOPIC_ID by id); the
others of the request are committed. Each offset is stored with its topic's id.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from broker.groups.requests import CommitRequest, OffsetToCommit
from broker.handlers.group_answers import answer_when_done
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestTopic,
)
from ottla.protocol.messages.offset_commit_response import (
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from controller.state import TopicMetadata

_BY_ID: Final = 10


def handle(
    services: BrokerServices, context: RequestContext, request: OffsetCommitRequest
) -> Answer:
    version = context.api_version
    offsets: list[OffsetToCommit] = []
    codes: list[ErrorCode | None] = []  # of each partition asked for; None: to be committed
    for asked in request.topics:
        topic = _topic(services, version, asked)
        for partition in asked.partitions:
            code = _fault(topic, partition.partition_index, version)
            codes.append(code)
            if topic is None or code is not None:
                continue
            offsets.append(
                OffsetToCommit(
                    topic=topic.name,
                    partition=partition.partition_index,
                    offset=partition.committed_offset,
                    leader_epoch=partition.committed_leader_epoch,
                    metadata=partition.committed_metadata or "",
                    topic_id=topic.topic_id,
                )
            )
    committing = CommitRequest(
        group_id=request.group_id,
        member_id=request.member_id,
        instance_id=request.group_instance_id,
        generation=request.generation_id_or_member_epoch,
        offsets=tuple(offsets),
        retention_ms=request.retention_time_ms if request.retention_time_ms >= 0 else None,
    )
    return answer_when_done(
        services.groups.commit(committing),
        partial(_committed, request, codes),
        partial(fail, request, version),
    )


def _topic(
    services: BrokerServices, version: int, asked: OffsetCommitRequestTopic
) -> TopicMetadata | None:
    state = services.metadata.state
    if version >= _BY_ID:
        return state.topics.get(asked.topic_id)
    return state.topic_named(asked.name)


def _fault(topic: TopicMetadata | None, index: int, version: int) -> ErrorCode | None:
    if topic is None and version >= _BY_ID:
        return ErrorCode.UNKNOWN_TOPIC_ID
    if topic is None or not 0 <= index < len(topic.partitions):
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return None


def _committed(
    request: OffsetCommitRequest, codes: list[ErrorCode | None], committed: list[ErrorCode]
) -> OffsetCommitResponse:
    results = iter(committed)
    return _response(request, [next(results) if code is None else code for code in codes])


def _response(request: OffsetCommitRequest, codes: list[ErrorCode]) -> OffsetCommitResponse:
    """`codes` of all partitions, in the order of the request."""
    rest = iter(codes)
    return OffsetCommitResponse(
        topics=[
            OffsetCommitResponseTopic(
                asked.name,
                asked.topic_id,
                [
                    OffsetCommitResponsePartition(partition.partition_index, int(next(rest)))
                    for partition in asked.partitions
                ],
            )
            for asked in request.topics
        ]
    )


def fail(
    request: OffsetCommitRequest, version: int, code: ErrorCode, message: str | None
) -> OffsetCommitResponse:
    """The same error for every partition; there is no place for it elsewhere."""
    return _response(request, [code] * sum(len(asked.partitions) for asked in request.topics))


HANDLER = HandlerSpec(ApiKey.OFFSET_COMMIT, 2, 10, handle, fail)
