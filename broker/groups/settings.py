"""The bounds of groups; names and defaults are Kafka's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ottla.core.group_configs import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What `broker/main` takes from the node's settings."""

    initial_rebalance_delay_ms: int = 3_000
    """group.initial.rebalance.delay.ms: how long an empty group waits for more first members."""
    min_session_timeout_ms: int = 6_000
    max_session_timeout_ms: int = 1_800_000
    """group.min|max.session.timeout.ms, both inclusive."""
    max_size: int = 2**31 - 1
    """group.max.size: members of one group."""
    consumer_session_timeout_ms: int = 45_000
    consumer_heartbeat_interval_ms: int = 5_000
    """group.consumer.session.timeout.ms and group.consumer.heartbeat.interval.ms (KIP-848)."""
    consumer_max_size: int = 2**31 - 1
    """group.consumer.max.size."""
    consumer_assignors: tuple[str, ...] = ("uniform", "range")
    """group.consumer.assignors: those of consumer/assignors.py, the default first."""
    consumer_migration_policy: str = "bidirectional"
    """group.consumer.migration.policy: disabled, upgrade, downgrade or bidirectional."""
    offsets_retention_ms: int = 10_080 * 60_000
    """offsets.retention.minutes: how long offsets outlive their group's last member."""
    offsets_retention_check_interval_ms: int = 600_000
    """offsets.retention.check.interval.ms"""
    offset_metadata_max_bytes: int = 4_096
    """offset.metadata.max.bytes; as in Kafka, it is characters that are counted."""
    offsets_topic_num_partitions: int = 50
    offsets_topic_replication_factor: int = 3
    commit_timeout_ms: int = 5_000
    """offsets.commit.timeout.ms: how long an answer waits for the high watermark."""
    record_bytes_max: int = 1_000_000
    """Of one group's record with subscriptions and assignments, and of one batch of records; must
    stay below max.message.bytes of __consumer_offsets."""

    def of_group(self, configs: Mapping[str, str]) -> GroupSettings:
        """With what was set for one group (ottla/core/group_configs.py)."""
        if not configs:
            return self
        session_ms = int(configs.get(SESSION_TIMEOUT_MS, self.consumer_session_timeout_ms))
        heartbeat_ms = int(configs.get(HEARTBEAT_INTERVAL_MS, self.consumer_heartbeat_interval_ms))
        return replace(
            self,
            consumer_session_timeout_ms=session_ms,
            consumer_heartbeat_interval_ms=heartbeat_ms,
        )

    @property
    def may_upgrade(self) -> bool:
        """A group with members of the classic protocol becomes a consumer group."""
        return self.consumer_migration_policy in ("upgrade", "bidirectional")

    @property
    def may_downgrade(self) -> bool:
        """A consumer group with none but classic members becomes a classic group."""
        return self.consumer_migration_policy in ("downgrade", "bidirectional")
