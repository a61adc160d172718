"""ListConfigResources (key 74), versions 0–1: which resources have settings.

    0   client metrics alone (ListClientMetricsResources, KIP-714)
    1   any types, none named for all (KIP-1142)

Topics and brokers are told as they are; groups and subscriptions to client
metrics, those that have settings of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from broker.handlers.config_resources import (
    BROKER_TYPE,
    CLIENT_METRICS_TYPE,
    GROUP_TYPE,
    TOPIC_TYPE,
)
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from controller.state import CLIENT_METRICS, GROUP
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_config_resources_request import ListConfigResourcesRequest
from ottla.protocol.messages.list_config_resources_response import (
    ConfigResource,
    ListConfigResourcesResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_BROKER_LOGGER_TYPE: Final = 8
_ALL: Final = (TOPIC_TYPE, BROKER_TYPE, CLIENT_METRICS_TYPE, GROUP_TYPE)
_KNOWN: Final = frozenset({*_ALL, _BROKER_LOGGER_TYPE})


def handle(
    services: BrokerServices, context: RequestContext, request: ListConfigResourcesRequest
) -> Answer:
    if context.api_version == 0:
        wanted: Sequence[int] = (CLIENT_METRICS_TYPE,)
    else:
        wanted = list(dict.fromkeys(request.resource_types)) or _ALL
    for number in wanted:
        if number not in _KNOWN:
            raise ProtocolError(
                ErrorCode.UNSUPPORTED_VERSION, f"resource type {number} is not known here"
            )
    return ListConfigResourcesResponse(
        config_resources=[
            ConfigResource(name, number) for number in wanted for name in _names(services, number)
        ]
    )


def _names(services: BrokerServices, resource_type: int) -> list[str]:
    state = services.metadata.state
    match resource_type:
        case 2:
            return sorted(state.topic_ids)
        case 4:
            return [str(broker_id) for broker_id in sorted(state.brokers)]
        case 16:
            return sorted(name for kind, name in state.configs if kind == CLIENT_METRICS)
        case 32:
            return sorted(name for kind, name in state.configs if kind == GROUP)
    return []  # loggers cannot be set


HANDLER = HandlerSpec(ApiKey.LIST_CONFIG_RESOURCES, 0, 1, handle)
