"""UpdateFeatures (key 57), versions 0–2: the finalized levels of features (KIP-584).

    1   upgrade types, checking without a change (KIP-778)
    2   one answer for all features: they change together, or none does (KIP-1022)

Here they do so in every version; below version 2 each is answered alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.admin_calls import ask, bounded_timeout
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.update_features_request import (
    FeatureUpdateKey,
    UpdateFeaturesRequest,
)
from ottla.protocol.messages.update_features_response import (
    UpdatableFeatureResult,
    UpdateFeaturesResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_UPGRADE: Final = 1
_DOWNGRADES: Final = (2, 3)  # safe, and unsafe: nothing is lost by a level that is lower


async def handle(
    services: BrokerServices, context: RequestContext, request: UpdateFeaturesRequest
) -> Answer:
    version = context.api_version
    timeout_ms = bounded_timeout(request.timeout_ms)
    try:
        call = services.controller.features.update(
            [
                (update.feature, update.max_version_level, _is_downgrade(update, version))
                for update in request.feature_updates
            ],
            validate_only=request.validate_only,
            timeout_ms=timeout_ms,
        )
        await ask(call, timeout_ms)
    except ProtocolError as error:
        return fail(request, version, error.code, error.message)
    return fail(request, version, ErrorCode.NONE, None)


def fail(
    request: UpdateFeaturesRequest, version: int, code: ErrorCode, message: str | None
) -> UpdateFeaturesResponse:
    """The same for all features."""
    response = UpdateFeaturesResponse(error_code=int(code), error_message=message)
    if version < 2:
        response.results = [
            UpdatableFeatureResult(update.feature, int(code), message)
            for update in request.feature_updates
        ]
    return response


def _is_downgrade(update: FeatureUpdateKey, version: int) -> bool:
    if version == 0:
        return update.allow_downgrade
    if update.upgrade_type not in (_UPGRADE, *_DOWNGRADES):
        raise ProtocolError(
            ErrorCode.INVALID_UPDATE_VERSION, f"{update.upgrade_type} is no type of upgrade"
        )
    return update.upgrade_type in _DOWNGRADES


HANDLER = HandlerSpec(ApiKey.UPDATE_FEATURES, 0, 2, handle, fail)
