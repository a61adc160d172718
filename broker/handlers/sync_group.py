"""SyncGroup (key 14), versions 0–5.

3   static members (KIP-345)
5   protocol type and name in request and answer (KIP-559)
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from broker.groups.requests import SyncRequest, SyncResult
from broker.handlers.group_answers import answer_when_done
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.sync_group_request import SyncGroupRequest
from ottla.protocol.messages.sync_group_response import SyncGroupResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(services: BrokerServices, context: RequestContext, request: SyncGroupRequest) -> Answer:
    version = context.api_version
    if version >= 5 and (request.protocol_type is None or request.protocol_name is None):
        return fail(request, version, ErrorCode.INCONSISTENT_GROUP_PROTOCOL, None)
    syncing = SyncRequest(
        group_id=request.group_id,
        generation=request.generation_id,
        member_id=request.member_id,
        instance_id=request.group_instance_id,
        protocol_type=request.protocol_type,
        protocol=request.protocol_name,
        assignments={given.member_id: given.assignment for given in request.assignments},
    )
    return answer_when_done(services.groups.sync(syncing), _synced, partial(fail, request, version))


def _synced(result: SyncResult) -> SyncGroupResponse:
    return SyncGroupResponse(
        protocol_type=result.protocol_type,
        protocol_name=result.protocol,
        assignment=result.assignment,
    )


def fail(
    request: SyncGroupRequest, version: int, code: ErrorCode, message: str | None
) -> SyncGroupResponse:
    return SyncGroupResponse(error_code=int(code))


HANDLER = HandlerSpec(ApiKey.SYNC_GROUP, 0, 5, handle, fail)
