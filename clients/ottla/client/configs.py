"""Settings of topics, brokers, groups, subscriptions to metrics: what holds, where it comes from,
and changing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ottla.client.cluster import Cluster
from ottla.client.errors import check_code, protocol_error
from ottla.client.model import ConfigEntry
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages import incremental_alter_configs_request as altered
from ottla.protocol.messages.describe_configs_request import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
)
from ottla.protocol.messages.describe_configs_response import (
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
)
from ottla.protocol.messages.incremental_alter_configs_response import (
    IncrementalAlterConfigsResponse,
)

_SOURCES: Final = {
    1: "topic",
    2: "broker (dynamic)",
    3: "cluster (dynamic)",
    4: "broker",
    5: "default",
    7: "client metrics",
    8: "group",
}
_DEFAULT_SOURCE: Final = 5


class ResourceKind(IntEnum):
    """Kafka's numbers of what has settings."""

    TOPIC = 2
    BROKER = 4
    CLIENT_METRICS = 16
    GROUP = 32


@dataclass(frozen=True, slots=True)
class ConfigResource:
    """What has settings; a broker is named by its id, all brokers by an empty name."""

    kind: ResourceKind
    name: str

    def __str__(self) -> str:
        match self.kind:
            case ResourceKind.TOPIC:
                return f"topic '{self.name}'"
            case ResourceKind.GROUP:
                return f"group '{self.name}'"
            case ResourceKind.CLIENT_METRICS:
                return f"the subscription to metrics '{self.name}'"
        return f"broker {self.name}" if self.name else "the default of all brokers"


class ConfigOperation(IntEnum):
    """What is done to a setting; the last two concern entries of a list."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """One setting; `value` None only where it is deleted."""

    key: str
    operation: ConfigOperation
    value: str | None = None


def describe_configs(cluster: Cluster, resource: ConfigResource) -> list[ConfigEntry]:
    """All settings of a resource, by name; those of all brokers: what was set for them.

    ProtocolError UNKNOWN_TOPIC_OR_PARTITION.
    """
    request = DescribeConfigsRequest(
        [DescribeConfigsResource(resource.kind, resource.name, None)], True, True
    )

    def attempt() -> list[ConfigEntry] | ProtocolError:
        # A broker's settings are known to that broker alone.
        if resource.kind is ResourceKind.BROKER and resource.name:
            cluster.metadata([])
            connection = cluster.connection(int(resource.name))
        else:
            connection = cluster.control()
        response = connection.request(ApiKey.DESCRIBE_CONFIGS, request, DescribeConfigsResponse)
        entries: list[ConfigEntry] = []
        for result in response.results:
            if result.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
                return protocol_error(result.error_code, str(resource))
            check_code(result.error_code, str(resource), result.error_message)
            entries += [_entry(config) for config in result.configs]
        return sorted(entries, key=lambda entry: entry.name)

    found = cluster.retry(f"describing the settings of {resource}", attempt)
    if isinstance(found, ProtocolError):
        raise found
    return found


def alter_configs(
    cluster: Cluster,
    resource: ConfigResource,
    changes: Sequence[ConfigChange],
    *,
    validate_only: bool = False,
) -> None:
    """Change settings of one resource, all or none.

    ProtocolError: UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED, INVALID_CONFIG, and
    INVALID_REQUEST for what a broker's settings may not be.
    """
    request = altered.IncrementalAlterConfigsRequest(
        [
            altered.AlterConfigsResource(
                resource.kind,
                resource.name,
                [
                    altered.AlterableConfig(change.key, change.operation, change.value)
                    for change in changes
                ],
            )
        ],
        validate_only,
    )

    def attempt() -> ProtocolError | None:
        response = cluster.ask(
            ApiKey.INCREMENTAL_ALTER_CONFIGS, request, IncrementalAlterConfigsResponse
        )
        for result in response.responses:
            if result.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
                return protocol_error(result.error_code, str(resource))
            check_code(result.error_code, str(resource), result.error_message)
        return None

    failure = cluster.retry(f"changing the settings of {resource}", attempt)
    if failure is not None:
        raise failure


def _entry(config: DescribeConfigsResourceResult) -> ConfigEntry:
    return ConfigEntry(
        name=config.name,
        value=config.value,
        source=_source(config.config_source),
        is_default=config.config_source == _DEFAULT_SOURCE,
        read_only=config.read_only,
        sensitive=config.is_sensitive,
        documentation=config.documentation or None,
        synonyms=tuple((s.name, s.value, _source(s.source)) for s in config.synonyms),
    )


def _source(number: int) -> str:
    return _SOURCES.get(number, "unknown")
