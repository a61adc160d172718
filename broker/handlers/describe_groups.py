"""DescribeGroups (key 15), versions 0–6.

3   the operations that the caller may carry out: all, as long as there is no authorizer
4   instance ids of static members (KIP-345)
6   GROUP_ID_NOT_FOUND with a message (KIP-1043); before, an unknown group is Dead without an error
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from broker.groups.requests import GroupDescription
from broker.groups.states import GroupState
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_groups_request import DescribeGroupsRequest
from ottla.protocol.messages.describe_groups_response import (
    DescribedGroup,
    DescribedGroupMember,
    DescribeGroupsResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

ALL_OPERATIONS: Final = 1 << 3 | 1 << 6 | 1 << 8
"""READ, DELETE and DESCRIBE: bits are the codes of Java's AclOperation (KIP-430)."""
NOT_ASKED: Final = -(2**31)


def handle(
    services: BrokerServices, context: RequestContext, request: DescribeGroupsRequest
) -> Answer:
    futures = [services.groups.describe(group_id) for group_id in request.groups]
    return _answer(context.api_version, request, futures)


async def _answer(
    version: int,
    request: DescribeGroupsRequest,
    futures: list[asyncio.Future[GroupDescription]],
) -> Answer:
    groups = []
    results = await asyncio.gather(*futures, return_exceptions=True)
    for group_id, result in zip(request.groups, results, strict=True):
        if isinstance(result, ProtocolError):
            groups.append(_failed(group_id, version, result.code, result.message))
        elif isinstance(result, BaseException):
            raise result
        else:
            groups.append(_described(result))
    if version >= 3 and request.include_authorized_operations:
        for group in groups:
            group.authorized_operations = ALL_OPERATIONS
    return DescribeGroupsResponse(groups=groups)


def _described(group: GroupDescription) -> DescribedGroup:
    return DescribedGroup(
        group_id=group.group_id,
        group_state=group.state.value,
        protocol_type=group.protocol_type,
        protocol_data=group.protocol,
        members=[
            DescribedGroupMember(
                member.member_id,
                member.instance_id,
                member.client_id,
                member.client_host,
                member.metadata,
                member.assignment,
            )
            for member in group.members
        ],
        authorized_operations=NOT_ASKED,
    )


def _failed(group_id: str, version: int, code: ErrorCode, message: str | None) -> DescribedGroup:
    if code is ErrorCode.GROUP_ID_NOT_FOUND:
        state = GroupState.DEAD.value
        if version < 6:
            return DescribedGroup(group_id=group_id, group_state=state)
    else:
        state = ""
    return DescribedGroup(
        error_code=int(code),
        error_message=message if version >= 6 else None,
        group_id=group_id,
        group_state=state,
    )


def fail(
    request: DescribeGroupsRequest, version: int, code: ErrorCode, message: str | None
) -> DescribeGroupsResponse:
    """The same error for every group."""
    return DescribeGroupsResponse(
        groups=[_failed(group_id, version, code, message) for group_id in request.groups]
    )


HANDLER = HandlerSpec(ApiKey.DESCRIBE_GROUPS, 0, 6, handle, fail)
