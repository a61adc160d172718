"""The bounds of transactions; names and defaults are Kafka's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransactionSettings:
    """What the node takes from its settings."""

    timeout_ms_max: int = 900_000
    """transaction.max.timeout.ms, inclusive."""
    id_expiration_ms: int = 604_800_000
    """transactional.id.expiration.ms: how long an idle transactional id is kept."""
    cleanup_interval_ms: int = 3_600_000
    """transaction.remove.expired.transaction.cleanup.interval.ms."""
    topic_num_partitions: int = 50
    topic_replication_factor: int = 3
    commit_timeout_ms: int = 5_000
    """How long an answer waits for the high watermark."""
    record_bytes_max: int = 1_000_000
    """Of one batch of records; must stay below max.message.bytes of __transaction_state."""
    partitions_max: int = 10_000
    """Of one transaction: its record holds all of them."""
