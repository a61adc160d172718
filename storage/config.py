"""What a log is told: the topic's settings that storage obeys, with Kafka's names and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ottla.core.errors import ConfigError
from ottla.record.compression import Compression

NEVER = 2**63 - 1
_DAY_MS = 24 * 3600 * 1000


class TimestampType(Enum):
    """Whose clock a record's timestamp is (`message.timestamp.type`)."""

    CREATE_TIME = "CreateTime"
    LOG_APPEND_TIME = "LogAppendTime"


@dataclass(frozen=True, slots=True)
class LogConfig:
    """Sizes in bytes, times in ms; None where Kafka writes -1 for "without limit".

    `NEVER`, Kafka's largest long, is a limit that is not reached.
    """

    segment_bytes: int = 1 << 30
    segment_ms: int = 7 * _DAY_MS
    segment_index_bytes: int = 10 << 20
    index_interval_bytes: int = 4096
    max_message_bytes: int = 1048588  # of a batch, as Kafka means it; inclusive
    timestamp_type: TimestampType = TimestampType.CREATE_TIME
    flush_messages: int = NEVER
    flush_ms: int = NEVER
    retention_ms: int | None = 7 * _DAY_MS
    retention_bytes: int | None = None
    file_delete_delay_ms: int = 60_000
    cleanup_policy: frozenset[str] = frozenset({"delete"})
    compression_type: str = "producer"
    compression_gzip_level: int = -1  # the library's default
    compression_lz4_level: int = 9
    compression_zstd_level: int = 3
    timestamp_before_max_ms: int = NEVER
    timestamp_after_max_ms: int = 3_600_000
    min_cleanable_dirty_ratio: float = 0.5
    delete_retention_ms: int = _DAY_MS
    min_compaction_lag_ms: int = 0
    max_compaction_lag_ms: int = NEVER
    segment_jitter_ms: int = 0
    preallocate: bool = False
    codec: Compression | None = field(init=False, compare=False)
    """What `compression_type` names; None: what the producer chose."""
    compacts: bool = field(init=False, compare=False)
    """Whether only the last record of each key is kept."""

    def __post_init__(self) -> None:
        codec = None
        if self.compression_type != "producer":
            try:
                codec = Compression.named(self.compression_type.replace("uncompressed", "none"))
            except ValueError as error:
                raise ConfigError(f"compression.type: {error}") from None
        object.__setattr__(self, "codec", codec)
        object.__setattr__(self, "compacts", "compact" in self.cleanup_policy)

    @property
    def deletes(self) -> bool:
        """Whether old segments are deleted by time and size."""
        return "delete" in self.cleanup_policy

    @classmethod
    def from_topic_configs(cls, configs: Mapping[str, str]) -> LogConfig:
        """From a topic's settings; absent ones get Kafka's default, others' keys are ignored.

        Values have been validated where the topic was created or altered; ConfigError names one
        that slipped through.
        """
        default = cls()

        def number(name: str, otherwise: int) -> int:
            text = configs.get(name)
            if text is None:
                return otherwise
            try:
                return int(text)
            except ValueError:
                raise ConfigError(f"{name} must be a whole number, not '{text}'") from None

        def ratio(name: str, otherwise: float) -> float:
            text = configs.get(name)
            if text is None:
                return otherwise
            try:
                return float(text)
            except ValueError:
                raise ConfigError(f"{name} must be a number, not '{text}'") from None

        def limit(name: str, otherwise: int | None) -> int | None:
            value = number(name, -1 if otherwise is None else otherwise)
            return None if value < 0 else value

        try:
            timestamp_type = TimestampType(
                configs.get("message.timestamp.type", default.timestamp_type.value)
            )
        except ValueError as error:
            raise ConfigError(
                f"message.timestamp.type must be CreateTime or LogAppendTime: {error}"
            ) from None
        policies = configs.get("cleanup.policy", "delete").split(",")
        return cls(
            segment_bytes=number("segment.bytes", default.segment_bytes),
            segment_ms=number("segment.ms", default.segment_ms),
            segment_index_bytes=number("segment.index.bytes", default.segment_index_bytes),
            index_interval_bytes=number("index.interval.bytes", default.index_interval_bytes),
            max_message_bytes=number("max.message.bytes", default.max_message_bytes),
            timestamp_type=timestamp_type,
            flush_messages=number("flush.messages", default.flush_messages),
            flush_ms=number("flush.ms", default.flush_ms),
            retention_ms=limit("retention.ms", default.retention_ms),
            retention_bytes=limit("retention.bytes", default.retention_bytes),
            file_delete_delay_ms=number("file.delete.delay.ms", default.file_delete_delay_ms),
            cleanup_policy=frozenset(policy.strip() for policy in policies if policy.strip()),
            compression_type=configs.get("compression.type", default.compression_type),
            compression_gzip_level=number("compression.gzip.level", default.compression_gzip_level),
            compression_lz4_level=number("compression.lz4.level", default.compression_lz4_level),
            compression_zstd_level=number("compression.zstd.level", default.compression_zstd_level),
            timestamp_before_max_ms=number(
                "message.timestamp.before.max.ms", default.timestamp_before_max_ms
            ),
            timestamp_after_max_ms=number(
                "message.timestamp.after.max.ms", default.timestamp_after_max_ms
            ),
            min_cleanable_dirty_ratio=ratio(
                "min.cleanable.dirty.ratio", default.min_cleanable_dirty_ratio
            ),
            delete_retention_ms=number("delete.retention.ms", default.delete_retention_ms),
            min_compaction_lag_ms=number("min.compaction.lag.ms", default.min_compaction_lag_ms),
            max_compaction_lag_ms=number("max.compaction.lag.ms", default.max_compaction_lag_ms),
            segment_jitter_ms=number("segment.jitter.ms", default.segment_jitter_ms),
            preallocate=configs.get("preallocate", "false").strip().lower() == "true",
        )
