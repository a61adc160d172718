"""The settings of a group: Kafka's names, types, defaults and meaning (GroupConfig, KIP-848).

They are kept in the cluster's metadata, also before the group has members. What they may be within
a cluster is narrower: brokers bound them by `group.consumer.min|max.*`, read when they start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ottla.core.config_spec import ConfigSpec, int_config

SESSION_TIMEOUT_MS: Final = "consumer.session.timeout.ms"
HEARTBEAT_INTERVAL_MS: Final = "consumer.heartbeat.interval.ms"

_ALL: Final = (
    int_config(
        SESSION_TIMEOUT_MS,
        45_000,
        "Silence after which a member of the consumer protocol is taken out of its group.",
        minimum=1,
        broker_setting="group.consumer.session.timeout.ms",
    ),
    int_config(
        HEARTBEAT_INTERVAL_MS,
        5_000,
        "How often members of the consumer protocol are told to send a heartbeat.",
        minimum=1,
        broker_setting="group.consumer.heartbeat.interval.ms",
    ),
)

GROUP_CONFIGS: Final[Mapping[str, ConfigSpec]] = {config.name: config for config in _ALL}


def group_configs_fault(values: Mapping[str, str]) -> str | None:
    """The first fault of a group's settings, alone and together; None without."""
    for name, value in values.items():
        config = GROUP_CONFIGS.get(name)
        fault = f"unknown group config name: {name}" if config is None else config.fault(value)
        if fault is not None:
            return fault
    session = values.get(SESSION_TIMEOUT_MS)
    heartbeat = values.get(HEARTBEAT_INTERVAL_MS)
    if session is not None and heartbeat is not None and int(heartbeat) >= int(session):
        return (
            f"{HEARTBEAT_INTERVAL_MS} ({heartbeat}) must be below {SESSION_TIMEOUT_MS} "
            f"({session}): a member would be late at once"
        )
    return None


def effective_group_configs(*layers: Mapping[str, str]) -> dict[str, str]:
    """Every setting with the value that holds; `layers` go from the strongest to the weakest."""
    return {
        name: next((layer[name] for layer in layers if name in layer), config.default)
        for name, config in GROUP_CONFIGS.items()
    }
