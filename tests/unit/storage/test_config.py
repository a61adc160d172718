from __future__ import annotations

import pytest

from ottla.core.errors import ConfigError
from ottla.core.topic_configs import TOPIC_CONFIGS
from storage.config import LogConfig, TimestampType


def test_defaults_are_kafkas() -> None:
    config = LogConfig.from_topic_configs({})
    assert config == LogConfig()
    assert config.segment_bytes == 1_073_741_824
    assert config.segment_ms == config.retention_ms == 604_800_000
    assert config.segment_index_bytes == 10_485_760
    assert config.index_interval_bytes == 4096
    assert config.max_message_bytes == 1_048_588
    assert config.retention_bytes is None
    assert config.file_delete_delay_ms == 60_000
    assert config.flush_messages == config.flush_ms == 2**63 - 1
    assert config.deletes
    assert not config.compacts
    assert config.timestamp_before_max_ms == 2**63 - 1
    assert config.timestamp_after_max_ms == 3_600_000


def test_defaults_are_those_that_topics_are_shown() -> None:
    shown = {name: config.default for name, config in TOPIC_CONFIGS.items()}
    assert LogConfig.from_topic_configs(shown) == LogConfig()


def test_every_setting_is_read_under_kafkas_name() -> None:
    config = LogConfig.from_topic_configs(
        {
            "segment.bytes": "1",
            "segment.ms": "2",
            "segment.index.bytes": "3",
            "index.interval.bytes": "4",
            "max.message.bytes": "5",
            "message.timestamp.type": "LogAppendTime",
            "flush.messages": "6",
            "flush.ms": "7",
            "retention.ms": "-1",
            "retention.bytes": "8",
            "file.delete.delay.ms": "9",
            "cleanup.policy": "compact, delete",
            "compression.type": "zstd",
            "compression.gzip.level": "10",
            "compression.lz4.level": "11",
            "compression.zstd.level": "12",
            "message.timestamp.before.max.ms": "13",
            "message.timestamp.after.max.ms": "14",
            "min.cleanable.dirty.ratio": "0.15",
            "delete.retention.ms": "16",
            "min.compaction.lag.ms": "17",
            "max.compaction.lag.ms": "18",
            "segment.jitter.ms": "19",
            "preallocate": "True",
            "min.insync.replicas": "2",
        }
    )
    assert config == LogConfig(
        1, 2, 3, 4, 5, TimestampType.LOG_APPEND_TIME, 6, 7, None, 8, 9,
        frozenset({"compact", "delete"}), "zstd", 10, 11, 12, 13, 14, 0.15, 16, 17, 18, 19, True,
    )  # fmt: skip
    assert config.compacts
    assert config.deletes


def test_compaction_alone_deletes_nothing_by_age() -> None:
    assert not LogConfig.from_topic_configs({"cleanup.policy": "compact"}).deletes


def test_nonsense_is_named() -> None:
    with pytest.raises(ConfigError, match=r"segment.bytes must be a whole number, not 'big'"):
        LogConfig.from_topic_configs({"segment.bytes": "big"})
    with pytest.raises(ConfigError, match=r"dirty.ratio must be a number, not 'half'"):
        LogConfig.from_topic_configs({"min.cleanable.dirty.ratio": "half"})
    with pytest.raises(ConfigError, match="CreateTime or LogAppendTime"):
        LogConfig.from_topic_configs({"message.timestamp.type": "Never"})
