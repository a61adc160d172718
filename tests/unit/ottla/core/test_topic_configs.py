from __future__ import annotations

import pytest

from ottla.core.config_spec import split_list
from ottla.core.topic_configs import (
    TOPIC_CONFIGS,
    effective_topic_configs,
    topic_config_fault,
    topic_configs_fault,
    topic_defaults,
)


def test_every_default_is_allowed_and_documented() -> None:
    for name, config in TOPIC_CONFIGS.items():
        assert config.name == name
        assert config.fault(config.default) is None, name
        assert config.documentation.endswith("."), name
        assert config.allowed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact, delete"),
        ("compression.gzip.level", "-1"),
        ("compression.gzip.level", "9"),
        ("compression.type", "zstd"),
        ("leader.replication.throttled.replicas", "*"),
        ("leader.replication.throttled.replicas", "0:1,12:3"),
        ("leader.replication.throttled.replicas", ""),
        ("min.cleanable.dirty.ratio", "0.25"),
        ("preallocate", "TRUE"),
        ("retention.ms", "-1"),
        ("retention.ms", str(2**63 - 1)),
        ("segment.bytes", "14"),
    ],
)
def test_allowed(name: str, value: str) -> None:
    assert topic_config_fault(name, value) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cleanup.policy", "shred"),
        ("cleanup.policy", ""),
        ("compression.gzip.level", "0"),
        ("compression.gzip.level", "10"),
        ("compression.lz4.level", "18"),
        ("compression.type", "rar"),
        ("follower.replication.throttled.replicas", "1"),
        ("min.cleanable.dirty.ratio", "1.1"),
        ("min.cleanable.dirty.ratio", "nan"),
        ("min.insync.replicas", "0"),
        ("preallocate", "yes"),
        ("retention.ms", "-2"),
        ("retention.ms", "1_000"),
        ("retention.ms", str(2**63)),
        ("segment.bytes", "13"),
        ("segment.bytes", str(2**31)),
        ("segment.bytes", "1e3"),
    ],
)
def test_refused_with_what_is_allowed(name: str, value: str) -> None:
    fault = topic_config_fault(name, value)
    assert fault is not None
    assert fault.startswith(f"{name}: ")
    assert TOPIC_CONFIGS[name].allowed in fault


def test_unknown_names_are_refused() -> None:
    assert topic_config_fault("remote.storage.enable", "true") == (
        "unknown topic config name: remote.storage.enable"
    )


def test_settings_are_checked_together() -> None:
    assert topic_configs_fault({"retention.ms": "1", "segment.ms": "1"}) is None
    assert topic_configs_fault({"retention.ms": "1", "nothing": "1"}) is not None
    fault = topic_configs_fault({"min.compaction.lag.ms": "5", "max.compaction.lag.ms": "4"})
    assert fault is not None
    assert "above" in fault


def test_the_strongest_layer_wins() -> None:
    values = effective_topic_configs(
        {"retention.ms": "1"}, {"retention.ms": "2", "segment.ms": "3"}
    )
    assert values["retention.ms"] == "1"
    assert values["segment.ms"] == "3"
    assert values["cleanup.policy"] == "delete"
    assert values.keys() == TOPIC_CONFIGS.keys()


def test_broker_settings_become_topic_defaults() -> None:
    settings = {"log.segment.bytes": "1000", "min.insync.replicas": "2", "node.id": "1"}
    assert topic_defaults(settings) == {"segment.bytes": "1000", "min.insync.replicas": "2"}


def test_lists() -> None:
    assert split_list(" a , b,,") == ["a", "b"]
    assert split_list("") == []
