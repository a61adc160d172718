"""DescribeConfigs (key 32), versions 1–4: the settings of topics, groups, subscriptions to
client metrics, and this broker.

    1   where a value comes from, and its synonyms (KIP-226)
    3   types and documentation

What holds is told with all that could hold instead (config_entries.py). A broker answers for itself
alone; an empty name asks for what was changed for all brokers at run time. Settings that are read
from a node's file when it starts are read-only; a secret's value is never told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.config_entries import (
    FROM_CLIENT_METRICS,
    FROM_GROUP,
    FROM_TOPIC,
    ConfigView,
)
from broker.handlers.config_resources import check_name, kind_of
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from controller.state import ALL_BROKERS, CLIENT_METRICS, GROUP, TOPIC
from ottla.core.client_metrics_configs import CLIENT_METRICS_CONFIGS
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.group_configs import GROUP_CONFIGS
from ottla.core.topic_configs import TOPIC_CONFIGS
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_configs_request import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
)
from ottla.protocol.messages.describe_configs_response import (
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


_TABLES: Final = {
    TOPIC: (TOPIC_CONFIGS, FROM_TOPIC),
    GROUP: (GROUP_CONFIGS, FROM_GROUP),
    CLIENT_METRICS: (CLIENT_METRICS_CONFIGS, FROM_CLIENT_METRICS),
}


def handle(
    services: BrokerServices, context: RequestContext, request: DescribeConfigsRequest
) -> Answer:
    view = ConfigView(services.settings, services.metadata.state)
    results = []
    for resource in request.resources:
        result = DescribeConfigsResult(
            resource_type=resource.resource_type, resource_name=resource.resource_name
        )
        try:
            result.configs = _describe(services, resource, view)
        except ProtocolError as error:
            result.error_code, result.error_message = int(error.code), error.message
        for config in result.configs:
            if not request.include_synonyms:
                config.synonyms = []
            if not request.include_documentation:
                config.documentation = None
        results.append(result)
    return DescribeConfigsResponse(results=results)


def fail(
    request: DescribeConfigsRequest, version: int, code: ErrorCode, message: str | None
) -> DescribeConfigsResponse:
    """The same error for every resource."""
    return DescribeConfigsResponse(
        results=[
            DescribeConfigsResult(int(code), message, r.resource_type, r.resource_name)
            for r in request.resources
        ]
    )


def _describe(
    services: BrokerServices, resource: DescribeConfigsResource, view: ConfigView
) -> list[DescribeConfigsResourceResult]:
    kind, name = kind_of(resource.resource_type), resource.resource_name
    check_name(resource.resource_type, name)
    names = resource.configuration_keys
    if kind == "broker":
        if name == ALL_BROKERS:
            return view.of_all_brokers(names)
        if name != str(services.node_id):
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST,
                f"this is broker {services.node_id}; ask broker '{name}' for its settings",
            )
        return view.of_broker(names)
    state = services.metadata.state
    if kind == TOPIC and name not in state.topic_ids:
        raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic '{name}'")
    configs, source = _TABLES[kind]
    wanted = sorted(configs) if names is None else [key for key in names if key in configs]
    values = state.configs.get((kind, name), {})
    return [view.own(configs[key], values, source) for key in wanted]


HANDLER = HandlerSpec(ApiKey.DESCRIBE_CONFIGS, 1, 4, handle, fail)
