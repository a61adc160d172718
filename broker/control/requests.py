"""What a broker asks of the active controller, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from controller.state import Endpoint
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import Uuid
from storage.directory import StopState


@dataclass(frozen=True, slots=True)
class DirectoryReport:
    """How the last use of a log directory ended (SAFETY.md, rule 2)."""

    directory_id: Uuid
    stop_state: StopState
    last_broker_epoch: int | None = None
    """Of the incarnation that used it last."""


@dataclass(frozen=True, slots=True)
class BrokerIdentity:
    """What one incarnation of a broker registers with."""

    cluster_id: str
    broker_id: int
    incarnation_id: Uuid
    """New with every process."""
    endpoints: tuple[Endpoint, ...]
    """What clients are told."""
    internal_host: str
    internal_port: int
    """Where other nodes dial this one."""
    rack: str | None
    directories: tuple[DirectoryReport, ...]


class IsrProposal(Protocol):
    """A change of an ISR, compare-and-set on both epochs (KIP-497, KIP-841)."""

    @property
    def topic_id(self) -> Uuid: ...
    @property
    def partition(self) -> int: ...
    @property
    def leader_epoch(self) -> int: ...
    @property
    def partition_epoch(self) -> int: ...
    @property
    def isr(self) -> tuple[tuple[int, int], ...]:
        """(broker id, broker epoch) of every member."""
        ...


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where a replica's log of a partition ends."""

    topic_id: Uuid
    partition: int
    last_epoch: int
    """Leader epoch of the last batch, -1 for an empty log."""
    log_end_offset: int


class ReplicaState(Enum):
    """What a broker can do with a replica of its own."""

    ABLE = "able"
    FULL = "full"
    """It takes no appends: its disk is full."""
    OFFLINE = "offline"
    """It cannot be read: its log directory failed."""
    DAMAGED = "damaged"
    """It has lost what was synced, and must be made again from its leader."""


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic to be created; -1 stands for the default. With `assignments` (broker ids by partition
    index, the preferred leader first) both numbers are -1."""

    name: str
    partition_count: int = -1
    replication_factor: int = -1
    assignments: Mapping[int, Sequence[int]] | None = None
    configs: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewPartitions:
    """A topic shall have `count` partitions in all; `assignments` of the new ones, in order."""

    name: str
    count: int
    assignments: Sequence[Sequence[int]] | None = None


@dataclass(frozen=True, slots=True)
class TopicResult:
    """The outcome for one topic. `name` is empty when the topic was asked for by an unknown id."""

    name: str
    code: ErrorCode
    message: str | None
    topic_id: Uuid
    partition_count: int
    replication_factor: int
    configs: Mapping[str, str]
    """Of a created topic: every setting with the value that holds, defaults included."""


@dataclass(frozen=True, slots=True)
class PartitionResult:
    """The outcome for one partition."""

    topic: str
    index: int
    code: ErrorCode
    message: str | None
