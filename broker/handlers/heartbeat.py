"""Heartbeat (key 12), versions 0–4.

3   static members (KIP-345)
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from broker.groups.requests import HeartbeatRequest as Beat
from broker.handlers.group_answers import answer_when_done
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.heartbeat_request import HeartbeatRequest
from ottla.protocol.messages.heartbeat_response import HeartbeatResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(services: BrokerServices, context: RequestContext, request: HeartbeatRequest) -> Answer:
    beat = Beat(
        request.group_id, request.generation_id, request.member_id, request.group_instance_id
    )
    return answer_when_done(
        services.groups.heartbeat(beat),
        lambda _: HeartbeatResponse(),
        partial(fail, request, context.api_version),
    )


def fail(
    request: HeartbeatRequest, version: int, code: ErrorCode, message: str | None
) -> HeartbeatResponse:
    return HeartbeatResponse(error_code=int(code))


HANDLER = HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handle, fail)
