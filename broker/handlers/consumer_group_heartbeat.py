"""ConsumerGroupHeartbeat (key 68), versions 0–1: the consumer protocol (KIP-848).

0   the server makes the id of a member that has none
1   members make their ids (KIP-1082); regular expressions
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from broker.groups.consumer.records import by_topic
from broker.groups.consumer.requests import (
    JOIN_EPOCH,
    ConsumerHeartbeat,
    ConsumerHeartbeatResult,
)
from broker.handlers.group_answers import answer_when_done
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.consumer_group_heartbeat_request import (
    ConsumerGroupHeartbeatRequest,
)
from ottla.protocol.messages.consumer_group_heartbeat_response import (
    Assignment,
    ConsumerGroupHeartbeatResponse,
    TopicPartitions,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_OWN_IDS: Final = 1


def handle(
    services: BrokerServices, context: RequestContext, request: ConsumerGroupHeartbeatRequest
) -> Answer:
    member_id = request.member_id
    makes_id = context.api_version < _OWN_IDS and request.member_epoch == JOIN_EPOCH
    if not member_id and makes_id:
        member_id = services.groups.new_member_id(context.client_id or "")
    owned = request.topic_partitions
    topics = request.subscribed_topic_names
    beat = ConsumerHeartbeat(
        group_id=request.group_id,
        member_id=member_id,
        member_epoch=request.member_epoch,
        instance_id=request.instance_id,
        rack_id=request.rack_id,
        client_id=context.client_id or "",
        client_host=f"/{context.peer_host}",
        rebalance_timeout_ms=request.rebalance_timeout_ms,
        topics=None if topics is None else tuple(topics),
        assignor=request.server_assignor,
        owned=(
            None
            if owned is None
            else frozenset((t.topic_id, index) for t in owned for index in t.partitions)
        ),
        regex=request.subscribed_topic_regex,
    )
    return answer_when_done(
        services.groups.consumer_heartbeat(beat),
        _succeed,
        partial(fail, request, context.api_version),
    )


def _succeed(result: ConsumerHeartbeatResult) -> ConsumerGroupHeartbeatResponse:
    assignment = None
    if result.assignment is not None:
        assignment = Assignment([TopicPartitions(*topic) for topic in by_topic(result.assignment)])
    return ConsumerGroupHeartbeatResponse(
        member_id=result.member_id,
        member_epoch=result.member_epoch,
        heartbeat_interval_ms=result.heartbeat_interval_ms,
        assignment=assignment,
    )


def fail(
    request: ConsumerGroupHeartbeatRequest, version: int, code: ErrorCode, message: str | None
) -> ConsumerGroupHeartbeatResponse:
    return ConsumerGroupHeartbeatResponse(error_code=int(code), error_message=message)


HANDLER = HandlerSpec(ApiKey.CONSUMER_GROUP_HEARTBEAT, 0, 1, handle, fail)
