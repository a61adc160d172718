"""JoinGroup (key 11), versions 0–9.

1   rebalance time-out of its own (before: the session's)
4   a new dynamic member gets an id first, MEMBER_ID_REQUIRED (KIP-394)
5   static members (KIP-345)
7   protocol type and nullable protocol name in the answer (KIP-559)
8   the reason for joining (KIP-800)
9   a static leader that restarted need not assign (KIP-814)
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from broker.groups.requests import JoinRequest, JoinResult
from broker.handlers.group_answers import answer_when_done
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.join_group_request import JoinGroupRequest
from ottla.protocol.messages.join_group_response import (
    JoinGroupResponse,
    JoinGroupResponseMember,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(services: BrokerServices, context: RequestContext, request: JoinGroupRequest) -> Answer:
    version = context.api_version
    client_id = context.client_id or ""
    rebalance_timeout_ms = request.rebalance_timeout_ms
    if version == 0 or rebalance_timeout_ms < 0:
        rebalance_timeout_ms = request.session_timeout_ms
    prefix = client_id if request.group_instance_id is None else request.group_instance_id
    joining = JoinRequest(
        group_id=request.group_id,
        member_id=request.member_id,
        instance_id=request.group_instance_id,
        client_id=client_id,
        client_host=f"/{context.peer_host}",  # as Java prints an address; Kafka's tools expect it
        session_timeout_ms=request.session_timeout_ms,
        rebalance_timeout_ms=rebalance_timeout_ms,
        protocol_type=request.protocol_type,
        protocols=tuple((protocol.name, protocol.metadata) for protocol in request.protocols),
        fresh_member_id=services.groups.new_member_id(prefix),
        reason=request.reason or "",
        requires_known_member_id=version >= 4,
        supports_skipping_assignment=version >= 9,
    )
    return answer_when_done(
        services.groups.join(joining), partial(_joined, version), partial(fail, request, version)
    )


def _joined(version: int, result: JoinResult) -> JoinGroupResponse:
    return JoinGroupResponse(
        error_code=int(result.error),
        generation_id=result.generation,
        protocol_type=result.protocol_type,
        protocol_name=_protocol_name(version, result.protocol),
        leader=result.leader_id,
        skip_assignment=result.skip_assignment,
        member_id=result.member_id,
        members=[
            JoinGroupResponseMember(member.member_id, member.instance_id, member.metadata)
            for member in result.members
        ],
    )


def _protocol_name(version: int, name: str | None) -> str | None:
    return name if version >= 7 else name or ""


def fail(
    request: JoinGroupRequest, version: int, code: ErrorCode, message: str | None
) -> JoinGroupResponse:
    return JoinGroupResponse(
        error_code=int(code),
        protocol_name=_protocol_name(version, None),
        member_id=request.member_id,
    )


HANDLER = HandlerSpec(ApiKey.JOIN_GROUP, 0, 9, handle, fail)
