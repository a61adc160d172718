"""IncrementalAlterConfigs (key 44), versions 0–1: single settings set, removed, lists changed
(KIP-339)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from broker.control.config_admin import ConfigChange, ConfigOperation
from broker.handlers.config_changes import Outcome, alter, rows
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.incremental_alter_configs_request import (
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from ottla.protocol.messages.incremental_alter_configs_response import (
    AlterConfigsResourceResponse,
    IncrementalAlterConfigsResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: IncrementalAlterConfigsRequest
) -> Answer:
    outcomes = await alter(
        services,
        [(resource, _changes(resource)) for resource in request.resources],
        replace_all=False,
        validate_only=request.validate_only,
    )
    return IncrementalAlterConfigsResponse(responses=rows(outcomes, AlterConfigsResourceResponse))


def fail(
    request: IncrementalAlterConfigsRequest, version: int, code: ErrorCode, message: str | None
) -> IncrementalAlterConfigsResponse:
    """The same error for every resource."""
    outcomes = [Outcome(resource, code, message) for resource in request.resources]
    return IncrementalAlterConfigsResponse(responses=rows(outcomes, AlterConfigsResourceResponse))


def _changes(resource: AlterConfigsResource) -> Sequence[ConfigChange] | ProtocolError:
    changes = []
    for config in resource.configs:
        try:
            operation = ConfigOperation(config.config_operation)
        except ValueError:
            return ProtocolError(
                ErrorCode.INVALID_REQUEST,
                f"{config.name}: {config.config_operation} is no operation; SET (0), DELETE (1), "
                "APPEND (2) and SUBTRACT (3) are",
            )
        if config.value is None and operation is not ConfigOperation.DELETE:
            return ProtocolError(
                ErrorCode.INVALID_REQUEST, f"{config.name}: {operation.name} needs a value"
            )
        changes.append(ConfigChange(config.name, operation, config.value or ""))
    return changes


HANDLER = HandlerSpec(ApiKey.INCREMENTAL_ALTER_CONFIGS, 0, 1, handle, fail)
