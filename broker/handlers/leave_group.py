"""LeaveGroup (key 13), versions 0–5.

3   several members, static ones by their instance id alone (KIP-345): how admin tools remove them
5   the reason for leaving (KIP-800)
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from broker.groups.requests import LeaveRequest, LeavingMember
from broker.handlers.group_answers import answer_when_done
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.leave_group_request import LeaveGroupRequest
from ottla.protocol.messages.leave_group_response import LeaveGroupResponse, MemberResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(services: BrokerServices, context: RequestContext, request: LeaveGroupRequest) -> Answer:
    version = context.api_version
    if version >= 3:
        leaving = tuple(
            LeavingMember(member.member_id, member.group_instance_id, member.reason or "")
            for member in request.members
        )
    else:
        leaving = (LeavingMember(request.member_id),)
    return answer_when_done(
        services.groups.leave(LeaveRequest(request.group_id, leaving)),
        partial(_left, request, version),
        partial(fail, request, version),
    )


def _left(request: LeaveGroupRequest, version: int, codes: list[ErrorCode]) -> LeaveGroupResponse:
    if version < 3:
        return LeaveGroupResponse(error_code=int(codes[0]))
    return LeaveGroupResponse(
        members=[
            MemberResponse(member.member_id, member.group_instance_id, int(code))
            for member, code in zip(request.members, codes, strict=True)
        ]
    )


def fail(
    request: LeaveGroupRequest, version: int, code: ErrorCode, message: str | None
) -> LeaveGroupResponse:
    """An unknown group is an error of each member from version 3 on."""
    if version >= 3 and code is ErrorCode.UNKNOWN_MEMBER_ID:
        return _left(request, version, [code] * len(request.members))
    return LeaveGroupResponse(error_code=int(code))


HANDLER = HandlerSpec(ApiKey.LEAVE_GROUP, 0, 5, handle, fail)
