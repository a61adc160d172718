"""One setting as DescribeConfigs tells it: the value that holds, and all that could hold instead.

The sources of a value, the one that holds first (org.apache.kafka.clients.admin.ConfigEntry):

    topic, group, subscription
                   its own  →  this broker's, changed at run time  →  all brokers', likewise
                   →  this broker's file  →  the default
    broker         the same without the first

A topic's setting follows a broker's of another name, which its synonyms have.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final

from broker.settings import NodeSettings
from controller.state import ALL_BROKERS, BROKER, ClusterState
from ottla.core.broker_configs import DYNAMIC_BROKER_CONFIGS, TOPIC_DEFAULTS
from ottla.core.config_spec import ConfigSpec, ConfigType
from ottla.core.settings import SettingSpec, fields_and_specs
from ottla.protocol.messages.describe_configs_response import (
    DescribeConfigsResourceResult,
    DescribeConfigsSynonym,
)

FROM_TOPIC: Final = 1
FROM_CLIENT_METRICS: Final = 7
FROM_GROUP: Final = 8
_FROM_BROKER_AT_RUN_TIME: Final = 2
_FROM_ALL_BROKERS_AT_RUN_TIME: Final = 3
_FROM_BROKER: Final = 4
_FROM_DEFAULT: Final = 5
_PASSWORD: Final = 9  # ConfigEntry's type of values that are never told

Synonyms = list[DescribeConfigsSynonym]


@dataclasses.dataclass(frozen=True, slots=True)
class BrokerSetting:
    """One setting of this node's file as text; `value` is None where nothing was set."""

    name: str
    documentation: str
    config_type: int
    value: str | None
    default: str | None
    required: bool = False
    secret: bool = False


class ConfigView:
    """The settings that hold on this broker: its file and what was changed at run time."""

    def __init__(self, settings: NodeSettings, state: ClusterState) -> None:
        self._file = broker_settings(settings)
        self._of_broker = state.configs.get((BROKER, str(settings.node_id)), {})
        self._of_all = state.configs.get((BROKER, ALL_BROKERS), {})
        # Elections go by the file of the controller in office, not by this node's.
        self._elections = state.election_defaults()

    def own(
        self, config: ConfigSpec, values: Mapping[str, str], source: int
    ) -> DescribeConfigsResourceResult:
        """A setting of what has `values` of its own, a topic say; `source` is theirs."""
        synonyms: Synonyms = []
        if config.name in values:
            synonyms.append(DescribeConfigsSynonym(config.name, values[config.name], source))
        synonyms += self._synonyms(config.broker_setting or config.name, config.default)
        return DescribeConfigsResourceResult(
            name=config.name,
            value=synonyms[0].value,
            config_source=synonyms[0].source,
            synonyms=synonyms,
            config_type=config.config_type.value,
            documentation=config.documentation,
        )

    def of_broker(self, names: Iterable[str] | None) -> list[DescribeConfigsResourceResult]:
        """The settings of this broker, all or those named that there are."""
        wanted = self._file if names is None else [name for name in names if name in self._file]
        return [self._broker_entry(self._file[name]) for name in sorted(wanted)]

    def of_all_brokers(self, names: Iterable[str] | None) -> list[DescribeConfigsResourceResult]:
        """What was changed for all brokers at run time, and nothing else."""
        wanted = self._of_all if names is None else [name for name in names if name in self._of_all]
        entries = []
        for name in sorted(wanted):
            config = DYNAMIC_BROKER_CONFIGS[name]
            value = self._of_all[name]
            entries.append(
                DescribeConfigsResourceResult(
                    name=name,
                    value=value,
                    config_source=_FROM_ALL_BROKERS_AT_RUN_TIME,
                    synonyms=[DescribeConfigsSynonym(name, value, _FROM_ALL_BROKERS_AT_RUN_TIME)],
                    config_type=config.config_type.value,
                    documentation=config.documentation,
                )
            )
        return entries

    def _broker_entry(self, setting: BrokerSetting) -> DescribeConfigsResourceResult:
        default = None if setting.required else setting.default
        synonyms = self._synonyms(setting.name, default)
        if setting.required:
            synonyms.pop()
        value, source = synonyms[0].value, synonyms[0].source
        if setting.secret:
            value, synonyms = None, [dataclasses.replace(s, value=None) for s in synonyms]
        return DescribeConfigsResourceResult(
            name=setting.name,
            value=value,
            read_only=setting.name not in DYNAMIC_BROKER_CONFIGS,
            config_source=source,
            is_sensitive=setting.secret,
            synonyms=synonyms,
            config_type=setting.config_type,
            documentation=setting.documentation,
        )

    def _synonyms(self, name: str, default: str | None) -> Synonyms:
        """What a broker's setting is, strongest first; the default, which is always there, last."""
        found: Synonyms = []
        if name in self._of_broker:
            found.append(
                DescribeConfigsSynonym(name, self._of_broker[name], _FROM_BROKER_AT_RUN_TIME)
            )
        if name in self._of_all:
            found.append(
                DescribeConfigsSynonym(name, self._of_all[name], _FROM_ALL_BROKERS_AT_RUN_TIME)
            )
        file = self._file.get(name)
        value = self._elections.get(name, None if file is None else file.value)
        if value is not None and value != default:
            found.append(DescribeConfigsSynonym(name, value, _FROM_BROKER))
        found.append(DescribeConfigsSynonym(name, default, _FROM_DEFAULT))
        return found


def broker_settings(settings: NodeSettings) -> dict[str, BrokerSetting]:
    """All settings of the node's file by name."""
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
    if spec.name in DYNAMIC_BROKER_CONFIGS:
        return DYNAMIC_BROKER_CONFIGS[spec.name].config_type.value
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
