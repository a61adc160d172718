"""The settings of brokers that can be changed while they run (KIP-226), and what they may be.

What is changed is kept in the cluster's metadata, for one broker or as the default of all brokers,
and goes before the node's own file:

    of this broker  →  of all brokers  →  the node's file or environment  →  the default

All other settings are read when a node starts. The defaults of topics are among those that can be
changed, under the broker's names for them; two of these decide about elections and commits, which
are the cluster's affair, so that no broker can have its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from ottla.core.config_spec import LONG_MAX, ConfigSpec, boolean_config, int_config, long_config
from ottla.core.topic_configs import TOPIC_CONFIGS, topic_configs_fault, topic_defaults

LEADER_THROTTLED_RATE: Final = long_config(
    "leader.replication.throttled.rate",
    LONG_MAX,
    "Bytes a second sent to followers that are not in sync, from all replicas together that "
    "leader.replication.throttled.replicas of their topics names.",
    minimum=1,
)
FOLLOWER_THROTTLED_RATE: Final = long_config(
    "follower.replication.throttled.rate",
    LONG_MAX,
    "Bytes a second taken to get in sync, by all replicas together that "
    "follower.replication.throttled.replicas of their topics names.",
    minimum=1,
)
ALTER_LOG_DIRS_RATE: Final = long_config(
    "replica.alter.log.dirs.io.max.bytes.per.second",
    LONG_MAX,
    "Bytes a second copied when replicas are moved between the log directories of a broker.",
    minimum=1,
)
MAX_CONNECTIONS: Final = int_config(
    "max.connections", 10_000, "Connections of clients that a node keeps open.", minimum=1
)
MAX_CONNECTIONS_PER_IP: Final = int_config(
    "max.connections.per.ip", 10_000, "Connections from one address.", minimum=0
)
LOG_CLEANER_BACKOFF_MS: Final = long_config(
    "log.cleaner.backoff.ms", 15_000, "Pause when no log is due for compaction.", minimum=1
)
LOG_CLEANER_DEDUPE_BUFFER_SIZE: Final = long_config(
    "log.cleaner.dedupe.buffer.size",
    134_217_728,
    "Memory for the keys of a compaction.",
    minimum=1_048_576,
)
PRODUCER_ID_EXPIRATION_MS: Final = int_config(
    "producer.id.expiration.ms",
    86_400_000,
    "Time after which an idle producer is forgotten.",
    minimum=1,
)
TRANSACTION_PARTITION_VERIFICATION: Final = boolean_config(
    "transaction.partition.verification.enable",
    "Ask the coordinator before a transaction's first batch is appended (KIP-890).",
    default="true",
)

TOPIC_DEFAULTS: Final[Mapping[str, ConfigSpec]] = {
    config.broker_setting: dataclasses.replace(config, name=config.broker_setting)
    for config in TOPIC_CONFIGS.values()
    if config.broker_setting is not None
}
"""The defaults of topics, by the broker's name for each."""

_OWN: Final = (
    LEADER_THROTTLED_RATE,
    FOLLOWER_THROTTLED_RATE,
    ALTER_LOG_DIRS_RATE,
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_PER_IP,
    LOG_CLEANER_BACKOFF_MS,
    LOG_CLEANER_DEDUPE_BUFFER_SIZE,
    PRODUCER_ID_EXPIRATION_MS,
    TRANSACTION_PARTITION_VERIFICATION,
)

DYNAMIC_BROKER_CONFIGS: Final[Mapping[str, ConfigSpec]] = {
    **TOPIC_DEFAULTS,
    **{config.name: config for config in _OWN},
}

CLUSTER_WIDE_ONLY: Final = frozenset({"min.insync.replicas", "unclean.leader.election.enable"})
"""The controller goes by them: there is one value for all brokers."""


def broker_configs_fault(values: Mapping[str, str], *, of_one_broker: bool) -> str | None:
    """The first fault of settings changed at run time, alone and together; None without."""
    for name, value in values.items():
        config = DYNAMIC_BROKER_CONFIGS.get(name)
        if config is None:
            return (
                f"{name} cannot be changed while brokers run: either there is no such setting, or "
                "it is read at the start from a node's file"
            )
        if of_one_broker and name in CLUSTER_WIDE_ONLY:
            return f"{name} holds for the whole cluster: set it as the default of all brokers"
        fault = config.fault(value)
        if fault is not None:
            return fault
    return topic_configs_fault(topic_defaults(values))
