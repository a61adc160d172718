"""DeleteGroups (key 42), versions 0–2: groups without members, with their committed offsets.

GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP for each.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.delete_groups_request import DeleteGroupsRequest
from ottla.protocol.messages.delete_groups_response import (
    DeletableGroupResult,
    DeleteGroupsResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(
    services: BrokerServices, context: RequestContext, request: DeleteGroupsRequest
) -> Answer:
    group_ids = list(dict.fromkeys(request.groups_names))
    return _answer(group_ids, [services.groups.delete(group_id) for group_id in group_ids])


async def _answer(group_ids: list[str], futures: list[asyncio.Future[None]]) -> Answer:
    results = []
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    for group_id, outcome in zip(group_ids, outcomes, strict=True):
        if isinstance(outcome, ProtocolError):
            results.append(DeletableGroupResult(group_id, int(outcome.code)))
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            results.append(DeletableGroupResult(group_id, 0))
    return DeleteGroupsResponse(results=results)


def fail(
    request: DeleteGroupsRequest, version: int, code: ErrorCode, message: str | None
) -> DeleteGroupsResponse:
    """The same error for every group."""
    return DeleteGroupsResponse(
        results=[DeletableGroupResult(group_id, int(code)) for group_id in request.groups_names]
    )


HANDLER = HandlerSpec(ApiKey.DELETE_GROUPS, 0, 2, handle, fail)
