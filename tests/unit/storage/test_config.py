from __future__ import annotations

import pytest

from ottla.core.errors import ConfigError
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
            "min.insync.replicas": "2",
        }
    )
    assert config == LogConfig(
        1, 2, 3, 4, 5, TimestampType.LOG_APPEND_TIME, 6, 7, None, 8, 9,
        frozenset({"compact", "delete"}), "zstd",
    )  # fmt: skip


def test_compaction_alone_deletes_nothing_by_age() -> None:
    assert not LogConfig.from_topic_configs({"cleanup.policy": "compact"}).deletes


def test_nonsense_is_named() -> None:
    with pytest.raises(ConfigError, match=r"segment.bytes must be a whole number, not 'big'"):
        LogConfig.from_topic_configs({"segment.bytes": "big"})
    with pytest.raises(ConfigError, match="CreateTime or LogAppendTime"):
        LogConfig.from_topic_configs({"message.timestamp.type": "Never"})
