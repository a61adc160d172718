"""What members ask of a consumer group, and the answers, free of protocol versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from broker.groups.consumer.stored import StoredSubscriber, TopicPartitions
from ottla.core.identifiers import Uuid

JOIN_EPOCH: Final = 0
LEAVE_EPOCH: Final = -1
STATIC_LEAVE_EPOCH: Final = -2
"""A static member goes and means to come back: its partitions wait for it."""


@dataclass(frozen=True)
class TopicsView:
    """The cluster's topics at one moment; never changed."""

    topics: Mapping[str, tuple[Uuid, int]]
    """Name to (id, number of partitions)."""
    version: int = 0
    """Another one, another view."""

    @cached_property
    def names(self) -> Mapping[Uuid, str]:
        return {topic_id: name for name, (topic_id, _) in self.topics.items()}


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
    regex: str | None = None
    """Empty: none any longer."""


@dataclass(frozen=True, slots=True)
class ConsumerHeartbeatResult:
    member_id: str
    member_epoch: int
    heartbeat_interval_ms: int
    assignment: TopicPartitions | None
    """None: unchanged since the last answer."""


@dataclass(frozen=True, slots=True)
class DescribedConsumer:
    """One member of a described group."""

    member_id: str
    subscriber: StoredSubscriber
    member_epoch: int
    assigned: TopicPartitions
    target: TopicPartitions


@dataclass(frozen=True, slots=True)
class ConsumerGroupDescription:
    group_id: str
    state: str
    epoch: int
    assignment_epoch: int
    assignor: str
    members: tuple[DescribedConsumer, ...]
