"""ApiVersions (key 18), versions 0–4: what this broker supports.

    3   the client's name and version (KIP-511), features (KIP-584)
    4   features with minimum version 0 are told as well

A version above ours is answered by a *version 0* body with UNSUPPORTED_VERSION and our range of
this API alone, so that a newer client can ask again. The response header is always version 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from controller.features import FEATURES, finalized_levels
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.api_versions_request import ApiVersionsRequest
from ottla.protocol.messages.api_versions_response import (
    ApiVersion,
    ApiVersionsResponse,
    FinalizedFeatureKey,
    SupportedFeatureKey,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

MIN_VERSION: Final = 0
MAX_VERSION: Final = 4
_SOFTWARE: Final = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


def api_versions_handler(others: Sequence[HandlerSpec]) -> HandlerSpec:
    """The handler that tells of `others` and itself."""
    table = [(spec.api_key, spec.min_version, spec.max_version) for spec in others]
    table.append((ApiKey.API_VERSIONS, MIN_VERSION, MAX_VERSION))
    api_keys = [ApiVersion(int(key), low, high) for key, low, high in sorted(table)]

    def handle(
        services: BrokerServices, context: RequestContext, request: ApiVersionsRequest
    ) -> Answer:
        if context.api_version >= 3 and not (
            _SOFTWARE.fullmatch(request.client_software_name)
            and _SOFTWARE.fullmatch(request.client_software_version)
        ):
            return ApiVersionsResponse(error_code=int(ErrorCode.INVALID_REQUEST))
        # Before version 4 clients fail on a supported feature whose range begins with 0.
        tells_from_zero = context.api_version >= 4
        return ApiVersionsResponse(
            api_keys=api_keys,
            supported_features=[
                SupportedFeatureKey(name, feature.level_min, feature.level_max)
                for name, feature in FEATURES.items()
                if feature.level_min > 0 or tells_from_zero
            ],
            finalized_features_epoch=max(services.metadata.offset, 0),
            finalized_features=[
                FinalizedFeatureKey(name, level, level)
                for name, level in finalized_levels(services.metadata.state.features).items()
                if level > 0
            ],
        )

    return HandlerSpec(ApiKey.API_VERSIONS, MIN_VERSION, MAX_VERSION, handle, refuse=refuse)


def refuse(body: memoryview, version: int) -> bytes:
    """The encoded answer to a version that is not supported."""
    return ApiVersionsResponse(
        error_code=int(ErrorCode.UNSUPPORTED_VERSION),
        api_keys=[ApiVersion(int(ApiKey.API_VERSIONS), MIN_VERSION, MAX_VERSION)],
    ).encode(0)
