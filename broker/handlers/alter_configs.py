"""AlterConfigs (key 33), versions 0–2: all settings of a resource replaced by those given.

Deprecated for IncrementalAlterConfigs, since whoever does not name a setting removes it; kept for
old clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from broker.control.config_admin import ConfigChange, ConfigOperation
from broker.handlers.config_changes import Outcome, alter, rows
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.alter_configs_request import AlterConfigsRequest, AlterConfigsResource
from ottla.protocol.messages.alter_configs_response import (
    AlterConfigsResourceResponse,
    AlterConfigsResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: AlterConfigsRequest
) -> Answer:
    outcomes = await alter(
        services,
        [(resource, _changes(resource)) for resource in request.resources],
        replace_all=True,
        validate_only=request.validate_only,
    )
    return AlterConfigsResponse(responses=rows(outcomes, AlterConfigsResourceResponse))


def fail(
    request: AlterConfigsRequest, version: int, code: ErrorCode, message: str | None
) -> AlterConfigsResponse:
    """The same error for every resource."""
    outcomes = [Outcome(resource, code, message) for resource in request.resources]
    return AlterConfigsResponse(responses=rows(outcomes, AlterConfigsResourceResponse))


def _changes(resource: AlterConfigsResource) -> Sequence[ConfigChange] | ProtocolError:
    changes = []
    for config in resource.configs:
        if config.value is None:
            return ProtocolError(ErrorCode.INVALID_REQUEST, f"{config.name} needs a value")
        changes.append(ConfigChange(config.name, ConfigOperation.SET, config.value))
    return changes


HANDLER = HandlerSpec(ApiKey.ALTER_CONFIGS, 0, 2, handle, fail)
