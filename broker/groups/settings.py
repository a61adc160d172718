"""The bounds of groups; names and defaults are Kafka's."""

from __future__ import annotations

from dataclasses import dataclass


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
