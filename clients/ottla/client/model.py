"""What the admin client answers: plain, immutable descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from ottla.core.identifiers import Uuid


class OffsetSpec(IntEnum):
    """Special timestamps of ListOffsets; any number from 0 is a time in ms since 1970."""

    LATEST = -1
    EARLIEST = -2
    MAX_TIMESTAMP = -3


Isolation = Literal["read_uncommitted", "read_committed"]


class IsolationLevel(IntEnum):
    """Which records of transactions are read; the number in Fetch and ListOffsets (KIP-98)."""

    READ_UNCOMMITTED = 0
    READ_COMMITTED = 1


ISOLATION_LEVELS: dict[Isolation, IsolationLevel] = {
    "read_uncommitted": IsolationLevel.READ_UNCOMMITTED,
    "read_committed": IsolationLevel.READ_COMMITTED,
}


@dataclass(frozen=True, slots=True)
class BrokerDescription:
    """One broker and the address it gives to clients."""

    broker_id: int
    host: str
    port: int
    rack: str | None
    fenced: bool = False


@dataclass(frozen=True, slots=True)
class ClusterDescription:
    """A cluster; `controller_id` is None while none is active."""

    cluster_id: str
    controller_id: int | None
    brokers: tuple[BrokerDescription, ...]


@dataclass(frozen=True, slots=True)
class PartitionDescription:
    """One partition; `leader_id` is None while there is none."""

    index: int
    leader_id: int | None
    leader_epoch: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    offline: tuple[int, ...]

    @property
    def under_replicated(self) -> bool:
        return len(self.isr) < len(self.replicas)


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """One topic with its partitions in order."""

    name: str
    topic_id: Uuid
    internal: bool
    partitions: tuple[PartitionDescription, ...]

    @property
    def replication_factor(self) -> int:
        return max((len(partition.replicas) for partition in self.partitions), default=0)


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic to be created; -1 stands for the cluster's defaults."""

    name: str
    partitions: int = -1
    replication_factor: int = -1
    configs: Mapping[str, str] = field(default_factory=dict)
    assignments: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Partition → broker ids; when given, the two numbers stay -1."""


@dataclass(frozen=True, slots=True)
class CreatedTopic:
    """What was created; -1 where an old broker does not tell."""

    name: str
    topic_id: Uuid
    partitions: int
    replication_factor: int


@dataclass(frozen=True, slots=True)
class ListedOffset:
    """An offset; for a time: of the first record at or after it, None when there is none."""

    offset: int | None
    timestamp: int
    leader_epoch: int


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """One setting of a topic, broker or group; the value of a sensitive one is None."""

    name: str
    value: str | None
    source: str
    is_default: bool
    read_only: bool
    sensitive: bool
    documentation: str | None
    synonyms: tuple[tuple[str, str | None, str], ...] = ()
    """(name, value, source) of all that could hold, the one that holds first."""


@dataclass(frozen=True, slots=True)
class GroupListing:
    """One group as ListGroups tells it."""

    group_id: str
    protocol_type: str
    state: str
    type: str


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member with the partitions that it has: (topic, partition)."""

    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    partitions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class GroupDescription:
    """A group, its coordinator and its members."""

    group_id: str
    state: str
    protocol_type: str
    protocol: str
    coordinator_id: int
    members: tuple[GroupMember, ...]


@dataclass(frozen=True, slots=True)
class GroupMetadata:
    """Who commits offsets for a group (KIP-447): a member that was replaced is refused by its
    generation. Without a member only the group's id counts."""

    group_id: str
    generation_id: int = -1
    member_id: str = ""
    instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class QuorumReplica:
    """A voter or an observer of the controller quorum; None where nothing is known.

    `log_end_offset` is exclusive, `lag` counts the entries that it lacks. The times are wall times
    in ms: of its last answer to the leader, and of the last one with which it was level.
    """

    node_id: int
    directory_id: bytes | None
    log_end_offset: int | None
    lag: int | None
    last_fetch_timestamp_ms: int | None
    last_caught_up_timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class QuorumDescription:
    """The controller quorum as its leader sees it. `high_watermark` is exclusive; `listeners` are
    host:port by node id and listener name."""

    leader_id: int
    leader_epoch: int
    high_watermark: int
    voters: tuple[QuorumReplica, ...]
    observers: tuple[QuorumReplica, ...]
    listeners: Mapping[int, Mapping[str, str]]
