"""What members ask of a consumer group, and the answers, free of protocol versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.groups.consumer.stored import TopicPartitions
from ottla.core.identifiers import Uuid

JOIN_EPOCH: Final = 0
LEAVE_EPOCH: Final = -1
STATIC_LEAVE_EPOCH: Final = -2
"""A static member goes and means to come back: its partitions wait for it."""


@dataclass(frozen=True, slots=True)
class TopicsView:
    """The cluster's topics at one moment; never changed."""

    topics: Mapping[str, tuple[Uuid, int]]
    """Name to (id, number of partitions)."""


@dataclass(frozen=True, slots=True)
class ConsumerHeartbeat:
    group_id: str
    member_id: str
    member_epoch: int
    instance_id: str | None
    rack_id: str | None
    client_id: str
    client_host: str
    rebalance_timeout_ms: int
    """-1: unchanged since the last heartbeat; so is None in the following."""
    topics: tuple[str, ...] | None
    assignor: str | None
    owned: TopicPartitions | None


@dataclass(frozen=True, slots=True)
class ConsumerHeartbeatResult:
    member_id: str
    member_epoch: int
    heartbeat_interval_ms: int
    assignment: TopicPartitions | None
    """None: unchanged since the last answer."""
