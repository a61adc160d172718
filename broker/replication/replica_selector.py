"""From which replica a consumer should read (KIP-392). Pure.

The leader looks for a replica in the consumer's rack that is in sync and holds the offset: of
several the one whose log is longest, itself first. Where there is none, the consumer stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

RACK_AWARE = "org.apache.kafka.common.replica.RackAwareReplicaSelector"
"""The one value that replica.selector.class may have; without it everybody reads from leaders."""


@dataclass(frozen=True, slots=True)
class ReadableReplica:
    """A replica that a consumer can reach, and what its log holds: [start, end)."""

    broker_id: int
    rack: str | None
    log_start_offset: int
    log_end_offset: int


def preferred_replica(
    rack: str, fetch_offset: int, leader_id: int, replicas: Iterable[ReadableReplica]
) -> int | None:
    """The replica to read from; None: the leader, who was asked."""
    near = [
        replica
        for replica in replicas
        if replica.rack == rack
        and replica.log_start_offset <= fetch_offset <= replica.log_end_offset
    ]
    if not near or any(replica.broker_id == leader_id for replica in near):
        return None
    best = max(near, key=lambda replica: (replica.log_end_offset, -replica.broker_id))
    return best.broker_id
