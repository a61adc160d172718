from __future__ import annotations

import logging

import pytest

from broker.control.metadata_cache import MetadataCache
from broker.live_settings import LiveSettings
from broker.settings import NodeSettings
from controller.state import ClusterState, ConfigsChanged, Record

BASE = NodeSettings(node_id=1, cluster_id="x" * 22, max_connections=50)


class Live:
    """Live settings of broker 1, and what its listener heard."""

    def __init__(self) -> None:
        self.cache = MetadataCache()
        self.settings = LiveSettings(BASE, self.cache)
        self.heard: list[NodeSettings] = []
        self.settings.subscribe(self.heard.append)

    def change(self, name: str, **values: str) -> None:
        record: Record = ConfigsChanged(
            "broker", name, {key.replace("_", "."): value for key, value in values.items()}
        )
        self.cache.apply([record], self.cache.offset + 1, 1)


def test_this_brokers_value_goes_before_that_of_all_and_both_before_the_file() -> None:
    live = Live()
    live.change("", max_connections="60")
    assert live.settings.now.max_connections == 60
    live.change("1", max_connections="70", leader_replication_throttled_rate="1000")
    assert live.settings.now.max_connections == 70
    assert live.settings.now.leader_replication_throttled_rate == 1000
    live.change("1")
    assert live.settings.now.max_connections == 60
    live.change("")
    assert live.settings.now == BASE
    assert len(live.heard) == 4
    assert live.heard[-1] == BASE


def test_nobody_is_told_of_others_or_of_the_defaults_of_topics() -> None:
    live = Live()
    live.change("2", max_connections="60")
    live.change("", log_retention_ms="5")
    live.cache.apply([ConfigsChanged("group", "1", {"x": "y"})], 9, 1)
    assert live.heard == []


def test_a_snapshot_brings_what_was_set() -> None:
    live = Live()
    state = ClusterState()
    state.replay(ConfigsChanged("broker", "", {"producer.id.expiration.ms": "7"}))
    live.cache.install(state, 5, 1)
    assert live.settings.now.producer_id_expiration_ms == 7


def test_what_cannot_be_used_is_said_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    live = Live()
    live.change("", max_connections="60")
    with caplog.at_level(logging.ERROR):
        live.change("", max_connections="many", new_name="1")
    assert live.settings.now.max_connections == 60
    assert "max.connections" in caplog.text
    live.change("", max_connections="61", new_name="1")
    assert live.settings.now.max_connections == 61
