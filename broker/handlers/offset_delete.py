"""OffsetDelete (key 47), version 0: offsets of a group that it needs no more (KIP-496).

GROUP_ID_NOT_FOUND, and NON_EMPTY_GROUP for a group whose members are no consumers, for the whole
request; GROUP_SUBSCRIBED_TO_TOPIC and UNKNOWN_TOPIC_OR_PARTITION for a partition.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from broker.handlers.group_answers import answer_when_done
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.offset_delete_request import OffsetDeleteRequest
from ottla.protocol.messages.offset_delete_response import (
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(
    services: BrokerServices, context: RequestContext, request: OffsetDeleteRequest
) -> Answer:
    state = services.metadata.state
    wanted: list[tuple[str, int]] = []
    codes: list[ErrorCode | None] = []  # of each partition asked for; None: to be deleted
    for asked in request.topics:
        topic = state.topic_named(asked.name)
        for partition in asked.partitions:
            index = partition.partition_index
            if topic is None or not 0 <= index < len(topic.partitions):
                codes.append(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
            else:
                codes.append(None)
                wanted.append((asked.name, index))
    return answer_when_done(
        services.groups.delete_offsets(request.group_id, wanted),
        partial(_deleted, request, codes),
        lambda code, _: OffsetDeleteResponse(error_code=int(code)),
    )


def _deleted(
    request: OffsetDeleteRequest, codes: list[ErrorCode | None], deleted: list[ErrorCode]
) -> OffsetDeleteResponse:
    results = iter(deleted)
    rest = iter([next(results) if code is None else code for code in codes])
    return OffsetDeleteResponse(
        topics=[
            OffsetDeleteResponseTopic(
                asked.name,
                [
                    OffsetDeleteResponsePartition(partition.partition_index, int(next(rest)))
                    for partition in asked.partitions
                ],
            )
            for asked in request.topics
        ]
    )


HANDLER = HandlerSpec(ApiKey.OFFSET_DELETE, 0, 0, handle)
