from __future__ import annotations

from broker.groups.settings import GroupSettings


def test_the_defaults_are_kafkas() -> None:
    settings = GroupSettings()
    assert settings.initial_rebalance_delay_ms == 3_000
    assert (settings.min_session_timeout_ms, settings.max_session_timeout_ms) == (6_000, 1_800_000)
    assert settings.offsets_retention_ms == 7 * 24 * 3_600_000
    assert settings.offsets_topic_num_partitions == 50
