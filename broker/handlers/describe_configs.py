"""DescribeConfigs (key 32), versions 1–4: the settings of topics and of this broker.

    1   where a value comes from, and its synonyms (KIP-226)
    3   types and documentation

A topic's setting is its own, or else follows a setting of the broker, or else is the default; the
synonyms name all of these, the one that holds first. A broker's settings are read from its file
when it starts, so all of them are read-only; a secret's value is never told. A broker answers for
itself alone; an empty name asks for what was changed for all brokers at run time: nothing can be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.settings import TOPIC_DEFAULTS, NodeSettings
from controller.state import MIN_INSYNC_REPLICAS, TOPIC
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import topic_name_fault
from ottla.core.settings import SettingSpec, fields_and_specs
from ottla.core.topic_configs import TOPIC_CONFIGS, ConfigType, TopicConfig
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_configs_request import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
)
from ottla.protocol.messages.describe_configs_response import (
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
    DescribeConfigsSynonym,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_TOPIC: Final = 2
_BROKER: Final = 4
_FROM_TOPIC: Final = 1
_FROM_BROKER: Final = 4
_FROM_DEFAULT: Final = 5
_PASSWORD: Final = 9  # ConfigEntry's type of values that are never told


@dataclasses.dataclass(frozen=True, slots=True)
class BrokerSetting:
    """One setting of this node as text; `value` is None where nothing was set."""

    name: str
    documentation: str
    config_type: int
    value: str | None
    default: str | None
    required: bool = False
    secret: bool = False

    @property
    def is_default(self) -> bool:
        return self.value == self.default


def handle(
    services: BrokerServices, context: RequestContext, request: DescribeConfigsRequest
) -> Answer:
    settings = broker_settings(services.settings)
    results = []
    for resource in request.resources:
        result = DescribeConfigsResult(
            resource_type=resource.resource_type, resource_name=resource.resource_name
        )
        try:
            result.configs = _describe(services, resource, settings)
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


def broker_settings(settings: NodeSettings) -> dict[str, BrokerSetting]:
    """All settings of the node by name."""
    found = [
        _broker_setting(field, spec, getattr(settings, field.name))
        for field, spec in fields_and_specs(type(settings))
    ]
    for name, config in TOPIC_DEFAULTS.items():
        value = settings.topic_defaults.get(name, config.default)
        found.append(
            BrokerSetting(
                name, config.documentation, config.config_type.value, value, config.default
            )
        )
    return {setting.name: setting for setting in found}


def _describe(
    services: BrokerServices,
    resource: DescribeConfigsResource,
    settings: Mapping[str, BrokerSetting],
) -> list[DescribeConfigsResourceResult]:
    name, keys = resource.resource_name, resource.configuration_keys
    match resource.resource_type:
        case 2:  # a topic
            return _describe_topic(services, name, keys, settings)
        case 4:  # a broker
            if name == "":
                return []
            if name != str(services.node_id):
                raise ProtocolError(
                    ErrorCode.INVALID_REQUEST,
                    f"this is broker {services.node_id}; ask broker '{name}' for its settings",
                )
            return [
                _describe_setting(settings[key])
                for key in sorted(settings)
                if keys is None or key in keys
            ]
        case other:
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST,
                f"resource type {other} has no settings here; topics ({_TOPIC}) and brokers "
                f"({_BROKER}) have",
            )


def _describe_topic(
    services: BrokerServices,
    name: str,
    keys: Iterable[str] | None,
    settings: Mapping[str, BrokerSetting],
) -> list[DescribeConfigsResourceResult]:
    fault = topic_name_fault(name)
    if fault is not None:
        raise ProtocolError(ErrorCode.INVALID_TOPIC_EXCEPTION, fault)
    state = services.metadata.state
    if name not in state.topic_ids:
        raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic '{name}'")
    own = state.configs.get((TOPIC, name), {})
    wanted = (
        sorted(TOPIC_CONFIGS) if keys is None else [key for key in keys if key in TOPIC_CONFIGS]
    )
    # Leader and controller go by the default of the controller in office, not by this node's file.
    cluster = {MIN_INSYNC_REPLICAS: str(state.default_min_insync_replicas)}
    return [
        _describe_topic_config(TOPIC_CONFIGS[key], own.get(key), cluster.get(key), settings)
        for key in wanted
    ]


def _describe_topic_config(
    config: TopicConfig,
    own: str | None,
    clusters: str | None,
    settings: Mapping[str, BrokerSetting],
) -> DescribeConfigsResourceResult:
    """`clusters`: the default of the whole cluster, whatever this node's settings say."""
    synonyms = []
    if own is not None:
        synonyms.append(DescribeConfigsSynonym(config.name, own, _FROM_TOPIC))
    default_name = config.broker_setting or config.name
    setting = settings.get(default_name)
    if clusters is not None:
        if clusters != config.default:
            synonyms.append(DescribeConfigsSynonym(default_name, clusters, _FROM_BROKER))
    elif setting is not None and not setting.is_default and setting.value is not None:
        synonyms.append(DescribeConfigsSynonym(default_name, setting.value, _FROM_BROKER))
    synonyms.append(DescribeConfigsSynonym(default_name, config.default, _FROM_DEFAULT))
    return DescribeConfigsResourceResult(
        name=config.name,
        value=synonyms[0].value,
        config_source=synonyms[0].source,
        synonyms=synonyms,
        config_type=config.config_type.value,
        documentation=config.documentation,
    )


def _describe_setting(setting: BrokerSetting) -> DescribeConfigsResourceResult:
    value = None if setting.secret else setting.value
    synonyms = []
    if not setting.is_default:
        synonyms.append(DescribeConfigsSynonym(setting.name, value, _FROM_BROKER))
    if not setting.required:
        default = None if setting.secret else setting.default
        synonyms.append(DescribeConfigsSynonym(setting.name, default, _FROM_DEFAULT))
    return DescribeConfigsResourceResult(
        name=setting.name,
        value=value,
        read_only=True,
        config_source=_FROM_DEFAULT if setting.is_default else _FROM_BROKER,
        is_sensitive=setting.secret,
        synonyms=synonyms,
        config_type=setting.config_type,
        documentation=setting.documentation,
    )


def _broker_setting(field: dataclasses.Field[Any], spec: SettingSpec, value: Any) -> BrokerSetting:
    default = None if field.default is dataclasses.MISSING else field.default
    return BrokerSetting(
        spec.name,
        spec.documentation,
        _type_of(spec, value),
        _text(value),
        _text(default),
        spec.required,
        spec.secret,
    )


def _type_of(spec: SettingSpec, value: Any) -> int:
    if spec.secret:
        return _PASSWORD
    match value:
        case bool():
            return ConfigType.BOOLEAN.value
        case int():
            # The allowed range is not the type's; 64 bits hold every number.
            return ConfigType.LONG.value
        case float():
            return ConfigType.DOUBLE.value
        case tuple():
            return ConfigType.LIST.value
    return ConfigType.STRING.value


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(str(item) for item in value)
    return str(value)


HANDLER = HandlerSpec(ApiKey.DESCRIBE_CONFIGS, 1, 4, handle, fail)
