"""DescribeClientQuotas (key 48), versions 0–1: quotas by whom they concern (KIP-546).

Each component asks for entities that have its type, by an exact name, by the default, or by any of
both; all components must match. `strict`: entities with further types are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from controller.state import CLIENT_ID, USER, QuotaEntity
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_client_quotas_request import (
    ComponentData,
    DescribeClientQuotasRequest,
)
from ottla.protocol.messages.describe_client_quotas_response import (
    DescribeClientQuotasResponse,
    EntityData,
    EntryData,
    ValueData,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_EXACT: Final = 0
_DEFAULT: Final = 1
_ANY: Final = 2
_TYPES: Final = (USER, CLIENT_ID, "ip")  # nobody has quotas by address; asking is no mistake


def handle(
    services: BrokerServices, context: RequestContext, request: DescribeClientQuotasRequest
) -> Answer:
    _check(request.components)
    return DescribeClientQuotasResponse(
        error_message=None,
        entries=[
            EntryData(
                [EntityData(kind, name) for kind, name in entity],
                [ValueData(key, value) for key, value in sorted(values.items())],
            )
            for entity, values in services.metadata.state.quotas.items()
            if _matches(entity, request)
        ],
    )


def fail(
    request: DescribeClientQuotasRequest, version: int, code: ErrorCode, message: str | None
) -> DescribeClientQuotasResponse:
    return DescribeClientQuotasResponse(error_code=int(code), error_message=message, entries=None)


def _check(components: Sequence[ComponentData]) -> None:
    """INVALID_REQUEST, UNSUPPORTED_VERSION for a type that is not known."""
    seen: set[str] = set()
    for component in components:
        kind = component.entity_type
        if kind not in _TYPES:
            raise ProtocolError(
                ErrorCode.UNSUPPORTED_VERSION, f"quotas of the type '{kind[:40]}' are not known"
            )
        if kind in seen:
            raise ProtocolError(ErrorCode.INVALID_REQUEST, f"{kind} is asked for more than once")
        seen.add(kind)
        if component.match_type not in (_EXACT, _DEFAULT, _ANY):
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST, f"{component.match_type} is no way to match a {kind}"
            )
        if (component.match is None) == (component.match_type == _EXACT):
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST, "an exact match has a name, and no other has one"
            )


def _matches(entity: QuotaEntity, request: DescribeClientQuotasRequest) -> bool:
    names = dict(entity)
    for component in request.components:
        if component.entity_type not in names:
            return False
        name = names[component.entity_type]
        if component.match_type == _EXACT and name != component.match:
            return False
        if component.match_type == _DEFAULT and name is not None:
            return False
    return not request.strict or len(names) == len(request.components)


HANDLER = HandlerSpec(ApiKey.DESCRIBE_CLIENT_QUOTAS, 0, 1, handle, fail)
