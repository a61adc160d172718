"""The settings of a topic: Kafka's names, types, bounds, defaults and meaning (4.0's TopicConfig).

The controller validates with this table, DescribeConfigs shows it, and a log is made from it.
Kafka's `remote.*` and `local.retention.*` are missing: there is no tiered storage, and a topic that
asks for it is refused rather than silently kept on local disks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

_INT_MAX: Final = 2**31 - 1
_LONG_MAX: Final = 2**63 - 1
_DAY_MS: Final = 24 * 3600 * 1000


class ConfigType(Enum):
    """Types as DescribeConfigs numbers them (org.apache.kafka.clients.admin.ConfigEntry)."""

    BOOLEAN = 1
    STRING = 2
    INT = 3
    LONG = 5
    DOUBLE = 6
    LIST = 7


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """One setting. `default` is how Kafka writes it; `broker_setting` gives it another default."""

    name: str
    config_type: ConfigType
    default: str
    documentation: str
    broker_setting: str | None
    allowed: str
    """The allowed values, for people."""
    find_fault: Callable[[str], str | None]

    def fault(self, value: str) -> str | None:
        """Why `value` is not allowed, in one sentence that names what is; None when it is."""
        found = self.find_fault(value)
        return None if found is None else f"{self.name}: {found}; allowed is {self.allowed}"


def _number(
    parse: Callable[[str], float], minimum: float | None, maximum: float | None
) -> Callable[[str], str | None]:
    """Both bounds are inclusive."""

    def find(value: str) -> str | None:
        try:
            number = parse(value.strip())
        except ValueError:
            return f"'{value}' is not a number of the right kind"
        # Written so that not-a-number is refused too.
        if not (minimum is None or number >= minimum) or not (maximum is None or number <= maximum):
            return f"{value} is out of range"
        return None

    return find


def _parse_int(value: str) -> int:
    """As Java does: no underscores, ASCII digits alone."""
    digits = value[1:] if value[:1] in ("-", "+") else value
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(value)
    return int(value)


def _int(
    name: str,
    default: int,
    documentation: str,
    *,
    minimum: int | None = None,
    maximum: int = _INT_MAX,
    broker_setting: str | None = None,
    config_type: ConfigType = ConfigType.INT,
) -> TopicConfig:
    allowed = (
        f"a whole number from {minimum} to {maximum}"
        if maximum not in (_INT_MAX, _LONG_MAX)
        else f"a whole number of at least {minimum}"
    )
    finder = _number(_parse_int, minimum, maximum)
    return TopicConfig(
        name, config_type, str(default), documentation, broker_setting, allowed, finder
    )


def _long(
    name: str,
    default: int,
    documentation: str,
    *,
    minimum: int,
    broker_setting: str | None = None,
) -> TopicConfig:
    return _int(
        name,
        default,
        documentation,
        minimum=minimum,
        maximum=_LONG_MAX,
        broker_setting=broker_setting,
        config_type=ConfigType.LONG,
    )


def _choice(
    name: str,
    default: str,
    documentation: str,
    choices: tuple[str, ...],
    *,
    broker_setting: str | None = None,
) -> TopicConfig:
    def find(value: str) -> str | None:
        return None if value in choices else f"'{value}' is not known"

    allowed = "one of " + ", ".join(choices)
    return TopicConfig(
        name, ConfigType.STRING, default, documentation, broker_setting, allowed, find
    )


def _boolean(name: str, documentation: str, *, broker_setting: str | None = None) -> TopicConfig:
    def find(value: str) -> str | None:
        known = value.strip().lower() in ("true", "false")
        return None if known else f"'{value}' is neither true nor false"

    return TopicConfig(
        name, ConfigType.BOOLEAN, "false", documentation, broker_setting, "true or false", find
    )


def _list(
    name: str,
    default: str,
    documentation: str,
    allowed: str,
    find_fault: Callable[[list[str]], str | None],
    *,
    broker_setting: str | None = None,
) -> TopicConfig:
    def find(value: str) -> str | None:
        return find_fault(split_list(value))

    return TopicConfig(name, ConfigType.LIST, default, documentation, broker_setting, allowed, find)


def split_list(value: str) -> list[str]:
    """The entries of a list setting; an empty text has none."""
    return [entry.strip() for entry in value.split(",") if entry.strip()]


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
    _list(
        "cleanup.policy",
        "delete",
        "What becomes of old segments: delete discards them by age and size, compact keeps the "
        "last record of each key.",
        "a list of compact and delete",
        _policy_fault,
        broker_setting="log.cleanup.policy",
    ),
    TopicConfig(
        "compression.gzip.level",
        ConfigType.INT,
        "-1",
        "Level of the broker's own gzip compression; -1 is the library's default.",
        "compression.gzip.level",
        "-1, or a whole number from 1 to 9",
        lambda value: None if value.strip() == "-1" else _number(_parse_int, 1, 9)(value),
    ),
    _int(
        "compression.lz4.level",
        9,
        "Level of the broker's own lz4 compression.",
        minimum=1,
        maximum=17,
        broker_setting="compression.lz4.level",
    ),
    _choice(
        "compression.type",
        "producer",
        "Compression in which batches are stored; producer keeps what the client chose.",
        ("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
        broker_setting="compression.type",
    ),
    _int(
        "compression.zstd.level",
        3,
        "Level of the broker's own zstd compression.",
        minimum=-131072,
        maximum=22,
        broker_setting="compression.zstd.level",
    ),
    _long(
        "delete.retention.ms",
        _DAY_MS,
        "How long a compacted topic keeps tombstones.",
        minimum=0,
        broker_setting="log.cleaner.delete.retention.ms",
    ),
    _long(
        "file.delete.delay.ms",
        60_000,
        "How long a deleted file stays on disk for those who still read it.",
        minimum=0,
        broker_setting="log.segment.delete.delay.ms",
    ),
    _long(
        "flush.messages",
        _LONG_MAX,
        "Sync the log after so many records; 1 syncs every batch before it counts.",
        minimum=1,
        broker_setting="log.flush.interval.messages",
    ),
    _long(
        "flush.ms",
        _LONG_MAX,
        "Sync the log when its oldest unsynced record is so old.",
        minimum=0,
        broker_setting="log.flush.interval.ms",
    ),
    _list(
        "follower.replication.throttled.replicas",
        "",
        "Replicas whose fetching is throttled.",
        _THROTTLED,
        _throttled_fault,
    ),
    _int(
        "index.interval.bytes",
        4096,
        "Bytes of log between two entries of its offset index.",
        minimum=0,
        broker_setting="log.index.interval.bytes",
    ),
    _list(
        "leader.replication.throttled.replicas",
        "",
        "Replicas to which sending is throttled.",
        _THROTTLED,
        _throttled_fault,
    ),
    _long(
        "max.compaction.lag.ms",
        _LONG_MAX,
        "Longest time that a record may stay uncompacted.",
        minimum=1,
        broker_setting="log.cleaner.max.compaction.lag.ms",
    ),
    _int(
        "max.message.bytes",
        1_048_588,
        "Largest record batch, as it is sent.",
        minimum=0,
        broker_setting="message.max.bytes",
    ),
    _long(
        "message.timestamp.after.max.ms",
        3_600_000,
        "How far in the future a record's own timestamp may lie.",
        minimum=0,
        broker_setting="log.message.timestamp.after.max.ms",
    ),
    _long(
        "message.timestamp.before.max.ms",
        _LONG_MAX,
        "How far in the past a record's own timestamp may lie.",
        minimum=0,
        broker_setting="log.message.timestamp.before.max.ms",
    ),
    _choice(
        "message.timestamp.type",
        "CreateTime",
        "Whose clock gives a record its timestamp: the producer's or the broker's.",
        ("CreateTime", "LogAppendTime"),
        broker_setting="log.message.timestamp.type",
    ),
    TopicConfig(
        "min.cleanable.dirty.ratio",
        ConfigType.DOUBLE,
        "0.5",
        "Share of the log that must be uncompacted before it is compacted.",
        "log.cleaner.min.cleanable.ratio",
        "a number from 0 to 1",
        _number(float, 0, 1),
    ),
    _long(
        "min.compaction.lag.ms",
        0,
        "Shortest time that a record stays uncompacted.",
        minimum=0,
        broker_setting="log.cleaner.min.compaction.lag.ms",
    ),
    _int(
        "min.insync.replicas",
        1,
        "Replicas in sync below which acks=all is refused and nothing new becomes readable.",
        minimum=1,
        broker_setting="min.insync.replicas",
    ),
    _boolean(
        "preallocate",
        "Accepted for Kafka's sake: files grow as they are written.",
        broker_setting="log.preallocate",
    ),
    _long(
        "retention.bytes",
        -1,
        "Size of a partition above which its oldest segments are deleted; -1 is no limit.",
        minimum=-1,
        broker_setting="log.retention.bytes",
    ),
    _long(
        "retention.ms",
        7 * _DAY_MS,
        "Age at which a segment is deleted; -1 is never.",
        minimum=-1,
        broker_setting="log.retention.ms",
    ),
    _int(
        "segment.bytes",
        1 << 30,
        "Size at which a segment is closed and a new one begun.",
        minimum=14,
        broker_setting="log.segment.bytes",
    ),
    _int(
        "segment.index.bytes",
        10 << 20,
        "Largest size of a segment's index; a full one closes the segment.",
        minimum=4,
        broker_setting="log.index.size.max.bytes",
    ),
    _long(
        "segment.jitter.ms",
        0,
        "Random part that is taken off segment.ms, so that segments do not close all at once.",
        minimum=0,
        broker_setting="log.roll.jitter.ms",
    ),
    _long(
        "segment.ms",
        7 * _DAY_MS,
        "Age at which a segment is closed although it is not full.",
        minimum=1,
        broker_setting="log.roll.ms",
    ),
    _boolean(
        "unclean.leader.election.enable",
        "Let a replica that is not in sync lead when no other is left: available, at the price of "
        "acknowledged records.",
        broker_setting="unclean.leader.election.enable",
    ),
)

TOPIC_CONFIGS: Final[Mapping[str, TopicConfig]] = {config.name: config for config in _ALL}


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
