"""AlterClientQuotas (key 49), versions 0–1: quotas of users and clients changed (KIP-546)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.admin_calls import ask
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages import alter_client_quotas_response as answered
from ottla.protocol.messages.alter_client_quotas_request import AlterClientQuotasRequest, EntryData

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

ALTER_MS: Final = 30_000
"""How long an answer waits for the controller: the request names no time."""


async def handle(
    services: BrokerServices, context: RequestContext, request: AlterClientQuotasRequest
) -> Answer:
    call = services.controller.quotas.alter(
        [
            (
                tuple((part.entity_type, part.entity_name) for part in entry.entity),
                {op.key: None if op.remove else op.value for op in entry.ops},
            )
            for entry in request.entries
        ],
        validate_only=request.validate_only,
        timeout_ms=ALTER_MS,
    )
    try:
        outcomes = await ask(call, ALTER_MS)
    except ProtocolError as error:
        return fail(request, context.api_version, error.code, error.message)
    return answered.AlterClientQuotasResponse(
        entries=[
            _entry(entry, code, message)
            for entry, (code, message) in zip(request.entries, outcomes, strict=True)
        ]
    )


def fail(
    request: AlterClientQuotasRequest, version: int, code: ErrorCode, message: str | None
) -> answered.AlterClientQuotasResponse:
    """The same error for every entity."""
    return answered.AlterClientQuotasResponse(
        entries=[_entry(entry, code, message) for entry in request.entries]
    )


def _entry(entry: EntryData, code: ErrorCode, message: str | None) -> answered.EntryData:
    return answered.EntryData(
        int(code),
        message,
        [answered.EntityData(part.entity_type, part.entity_name) for part in entry.entity],
    )


HANDLER = HandlerSpec(ApiKey.ALTER_CLIENT_QUOTAS, 0, 1, handle, fail)
