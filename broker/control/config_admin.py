"""Settings of topics, brokers and groups, as a broker has them changed for its clients.

A change is answered once every live broker has applied it or the time is up; this broker has then
applied it too, unless it is cut off. Said twice, the second time changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from broker.control.admin import OWN_METADATA_MS
from broker.control.commands import Commands
from broker.control.metadata_cache import MetadataCache
from controller.generated import metadata_pb2 as pb
from controller.state import BROKER, TOPIC
from ottla.core.errors import ProtocolError
from ottla.core.topic_configs import TOPIC_CONFIGS


class ConfigOperation(Enum):
    """As IncrementalAlterConfigs numbers them (KIP-339)."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """One setting; `value` is without meaning for DELETE, entries of a list for the last two."""

    key: str
    operation: ConfigOperation
    value: str = ""


_OPERATIONS: Final = {
    ConfigOperation.APPEND: pb.CONFIG_OPERATION_APPEND,
    ConfigOperation.SUBTRACT: pb.CONFIG_OPERATION_SUBTRACT,
}


class ConfigAdmin:
    """See the module. `topic_defaults` are this node's, by the topics' names for them."""

    def __init__(
        self, commands: Commands, cache: MetadataCache, topic_defaults: Mapping[str, str]
    ) -> None:
        self._commands = commands
        self._cache = cache
        self._topic_defaults = topic_defaults

    async def alter(
        self,
        resource_type: str,
        resource_name: str,
        changes: Sequence[ConfigChange],
        *,
        replace_all: bool = False,
        validate_only: bool = False,
        timeout_ms: int,
    ) -> None:
        """Change the settings of one resource, all or none. `replace_all`: others are removed.

        ProtocolError: what the controller refuses it with (controller/config_commands.py), or
        REQUEST_TIMED_OUT.
        """
        command = pb.Command(
            alter_configs=pb.AlterConfigs(
                resource_type=resource_type,
                resource_name=resource_name,
                changes=[self._message(resource_type, change) for change in changes],
                validate_only=validate_only,
                replace_all=replace_all,
            )
        )
        answer = await self._commands.execute(
            command, timeout_ms, wait_for_brokers=not validate_only
        )
        if not validate_only:
            with contextlib.suppress(ProtocolError):
                await self._cache.wait_offset(answer.offset, OWN_METADATA_MS)

    def _message(self, resource_type: str, change: ConfigChange) -> pb.ConfigChange:
        match change.operation:
            case ConfigOperation.SET:
                return pb.ConfigChange(key=change.key, value=change.value)
            case ConfigOperation.DELETE:
                return pb.ConfigChange(key=change.key)
            case _:
                return pb.ConfigChange(
                    key=change.key,
                    value=change.value,
                    operation=_OPERATIONS[change.operation],
                    list_default=self._list_default(resource_type, change.key),
                )

    def _list_default(self, resource_type: str, key: str) -> str:
        """What a list holds by the node's own file, or else by default."""
        for config in TOPIC_CONFIGS.values():
            if (resource_type, key) in ((TOPIC, config.name), (BROKER, config.broker_setting)):
                return self._topic_defaults.get(config.name, config.default)
        return ""
