"""The settings of a topic: Kafka's names, types, bounds, defaults and meaning (4.0's TopicConfig).

The controller validates with this table, DescribeConfigs shows it, and a log is made from it.
Kafka's `remote.*` and `local.retention.*` are missing: there is no tiered storage, and a topic that
asks for it is refused rather than silently kept on local disks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ottla.core.config_spec import (
    LONG_MAX,
    ConfigSpec,
    ConfigType,
    boolean_config,
    choice_config,
    int_config,
    list_config,
    long_config,
    number_fault,
    parse_int,
)

_DAY_MS: Final = 24 * 3600 * 1000

LEADER_THROTTLED_REPLICAS: Final = "leader.replication.throttled.replicas"
FOLLOWER_THROTTLED_REPLICAS: Final = "follower.replication.throttled.replicas"


def _policy_fault(entries: list[str]) -> str | None:
    unknown = [entry for entry in entries if entry not in ("compact", "delete")]
    if unknown:
        return f"'{unknown[0]}' is not known"
    return None if entries else "the list is empty"


def _throttled_fault(entries: list[str]) -> str | None:
    if entries in ([], ["*"]):
        return None
    for entry in entries:
        partition, _, broker = entry.partition(":")
        if not (partition.isdecimal() and broker.isdecimal()):
            return f"'{entry}' is not partition:broker"
    return None


_THROTTLED = "'*', or a list of partition:broker"

_ALL: Final = (
    list_config(
        "cleanup.policy",
        "delete",
        "What becomes of old segments: delete discards them by age and size, compact keeps the "
        "last record of each key.",
        "a list of compact and delete",
        _policy_fault,
        broker_setting="log.cleanup.policy",
    ),
    ConfigSpec(
        "compression.gzip.level",
        ConfigType.INT,
        "-1",
        "Level of the broker's own gzip compression; -1 is the library's default.",
        "compression.gzip.level",
        "-1, or a whole number from 1 to 9",
        lambda value: None if value.strip() == "-1" else number_fault(parse_int, 1, 9)(value),
    ),
    int_config(
        "compression.lz4.level",
        9,
        "Level of the broker's own lz4 compression.",
        minimum=1,
        maximum=17,
        broker_setting="compression.lz4.level",
    ),
    choice_config(
        "compression.type",
        "producer",
        "Compression in which batches are stored; producer keeps what the client chose.",
        ("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
        broker_setting="compression.type",
    ),
    int_config(
        "compression.zstd.level",
        3,
        "Level of the broker's own zstd compression.",
        minimum=-131072,
        maximum=22,
        broker_setting="compression.zstd.level",
    ),
    long_config(
        "delete.retention.ms",
        _DAY_MS,
        "How long a compacted topic keeps tombstones.",
        minimum=0,
        broker_setting="log.cleaner.delete.retention.ms",
    ),
    long_config(
        "file.delete.delay.ms",
        60_000,
        "How long a deleted file stays on disk for those who still read it.",
        minimum=0,
        broker_setting="log.segment.delete.delay.ms",
    ),
    long_config(
        "flush.messages",
        LONG_MAX,
        "Sync the log after so many records; 1 syncs every batch before it counts.",
        minimum=1,
        broker_setting="log.flush.interval.messages",
    ),
    long_config(
        "flush.ms",
        LONG_MAX,
        "Sync the log when its oldest unsynced record is so old.",
        minimum=0,
        broker_setting="log.flush.interval.ms",
    ),
    list_config(
        FOLLOWER_THROTTLED_REPLICAS,
        "",
        "Replicas that take no more than follower.replication.throttled.rate while they are not in "
        "sync.",
        _THROTTLED,
        _throttled_fault,
    ),
    int_config(
        "index.interval.bytes",
        4096,
        "Bytes of log between two entries of its offset index.",
        minimum=0,
        broker_setting="log.index.interval.bytes",
    ),
    list_config(
        LEADER_THROTTLED_REPLICAS,
        "",
        "Replicas that send no more than leader.replication.throttled.rate to those not in sync.",
        _THROTTLED,
        _throttled_fault,
    ),
    long_config(
        "max.compaction.lag.ms",
        LONG_MAX,
        "Longest time that a record may stay uncompacted.",
        minimum=1,
        broker_setting="log.cleaner.max.compaction.lag.ms",
    ),
    int_config(
        "max.message.bytes",
        1_048_588,
        "Largest record batch, as it is sent.",
        minimum=0,
        broker_setting="message.max.bytes",
    ),
    long_config(
        "message.timestamp.after.max.ms",
        3_600_000,
        "How far in the future a record's own timestamp may lie.",
        minimum=0,
        broker_setting="log.message.timestamp.after.max.ms",
    ),
    long_config(
        "message.timestamp.before.max.ms",
        LONG_MAX,
        "How far in the past a record's own timestamp may lie.",
        minimum=0,
        broker_setting="log.message.timestamp.before.max.ms",
    ),
    choice_config(
        "message.timestamp.type",
        "CreateTime",
        "Whose clock gives a record its timestamp: the producer's or the broker's.",
        ("CreateTime", "LogAppendTime"),
        broker_setting="log.message.timestamp.type",
    ),
    ConfigSpec(
        "min.cleanable.dirty.ratio",
        ConfigType.DOUBLE,
        "0.5",
        "Share of the log that must be uncompacted before it is compacted.",
        "log.cleaner.min.cleanable.ratio",
        "a number from 0 to 1",
        number_fault(float, 0, 1),
    ),
    long_config(
        "min.compaction.lag.ms",
        0,
        "Shortest time that a record stays uncompacted.",
        minimum=0,
        broker_setting="log.cleaner.min.compaction.lag.ms",
    ),
    int_config(
        "min.insync.replicas",
        1,
        "Replicas in sync below which acks=all is refused and nothing new becomes readable.",
        minimum=1,
        broker_setting="min.insync.replicas",
    ),
    boolean_config(
        "preallocate",
        "Accepted for Kafka's sake: files grow as they are written.",
        broker_setting="log.preallocate",
    ),
    long_config(
        "retention.bytes",
        -1,
        "Size of a partition above which its oldest segments are deleted; -1 is no limit.",
        minimum=-1,
        broker_setting="log.retention.bytes",
    ),
    long_config(
        "retention.ms",
        7 * _DAY_MS,
        "Age at which a segment is deleted; -1 is never.",
        minimum=-1,
        broker_setting="log.retention.ms",
    ),
    int_config(
        "segment.bytes",
        1 << 30,
        "Size at which a segment is closed and a new one begun.",
        minimum=14,
        broker_setting="log.segment.bytes",
    ),
    int_config(
        "segment.index.bytes",
        10 << 20,
        "Largest size of a segment's index; a full one closes the segment.",
        minimum=4,
        broker_setting="log.index.size.max.bytes",
    ),
    long_config(
        "segment.jitter.ms",
        0,
        "Random part that is taken off segment.ms, so that segments do not close all at once.",
        minimum=0,
        broker_setting="log.roll.jitter.ms",
    ),
    long_config(
        "segment.ms",
        7 * _DAY_MS,
        "Age at which a segment is closed although it is not full.",
        minimum=1,
        broker_setting="log.roll.ms",
    ),
    boolean_config(
        "unclean.leader.election.enable",
        "Let a replica that is not in sync lead when no other is left: available, at the price of "
        "acknowledged records.",
        broker_setting="unclean.leader.election.enable",
    ),
)

TOPIC_CONFIGS: Final[Mapping[str, ConfigSpec]] = {config.name: config for config in _ALL}


def topic_config_fault(name: str, value: str) -> str | None:
    """Why a topic cannot be given this setting, for people; None when it can."""
    config = TOPIC_CONFIGS.get(name)
    if config is None:
        return f"unknown topic config name: {name}"
    return config.fault(value)


def topic_configs_fault(values: Mapping[str, str]) -> str | None:
    """The first fault of a topic's settings, alone and together."""
    for name, value in values.items():
        fault = topic_config_fault(name, value)
        if fault is not None:
            return fault
    shortest = _effective_int(values, "min.compaction.lag.ms")
    longest = _effective_int(values, "max.compaction.lag.ms")
    if shortest > longest:
        return (
            f"min.compaction.lag.ms ({shortest}) is above max.compaction.lag.ms ({longest}); "
            "lower the first or raise the second"
        )
    return None


def effective_topic_configs(*layers: Mapping[str, str]) -> dict[str, str]:
    """Every setting with the value that holds; `layers` go from the strongest to the weakest."""
    return {
        name: next((layer[name] for layer in layers if name in layer), config.default)
        for name, config in TOPIC_CONFIGS.items()
    }


def topic_defaults(broker_settings: Mapping[str, str]) -> dict[str, str]:
    """What a broker's settings make of the topics' defaults, by the topics' names for them."""
    return {
        config.name: broker_settings[config.broker_setting]
        for config in _ALL
        if config.broker_setting is not None and config.broker_setting in broker_settings
    }


def _effective_int(values: Mapping[str, str], name: str) -> int:
    return int(values.get(name, TOPIC_CONFIGS[name].default))
