from __future__ import annotations

from broker.replication.settings import ReplicationSettings


def test_defaults_fit_together() -> None:
    settings = ReplicationSettings(1, "cluster")
    assert settings.replica_lag_ms_max == 30_000
    assert settings.message_bytes <= settings.partition_credit_bytes <= settings.credit_bytes
    assert settings.heartbeat_ms < settings.keepalive_ms
    assert settings.reconnect_ms_min < settings.reconnect_ms_max
