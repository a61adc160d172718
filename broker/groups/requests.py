"""What members and tools ask of groups, and the answers, free of protocol versions.

A failure is a ProtocolError; where an answer carries more than its code (MEMBER_ID_REQUIRED), the
result has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.groups.consumer.group import ConsumerGroupState
from broker.groups.states import GroupState
from broker.groups.stored import CommittedOffset
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import NIL_UUID, Uuid

NO_GENERATION = -1


@dataclass(frozen=True, slots=True)
class JoinRequest:
    group_id: str
    member_id: str
    """Empty: a new member."""
    instance_id: str | None
    """Of a static member (KIP-345)."""
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocol_type: str
    protocols: tuple[tuple[str, bytes], ...]
    """(name, metadata), best liked first."""
    fresh_member_id: str
    """For a new member; made outside, since logic draws no random numbers."""
    reason: str = ""
    requires_known_member_id: bool = False
    """KIP-394, from version 4: a new dynamic member first gets an id and joins again with it."""
    supports_skipping_assignment: bool = False
    """KIP-814, from version 9."""


@dataclass(frozen=True, slots=True)
class JoinedMember:
    member_id: str
    instance_id: str | None
    metadata: bytes


@dataclass(frozen=True, slots=True)
class JoinResult:
    member_id: str
    generation: int = NO_GENERATION
    protocol_type: str | None = None
    protocol: str | None = None
    leader_id: str = ""
    members: tuple[JoinedMember, ...] = ()
    """For the leader alone, which assigns."""
    skip_assignment: bool = False
    error: ErrorCode = ErrorCode.NONE
    """MEMBER_ID_REQUIRED: join again with `member_id`."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    group_id: str
    generation: int
    member_id: str
    instance_id: str | None
    protocol_type: str | None
    protocol: str | None
    """None (below version 5): unchecked."""
    assignments: dict[str, bytes]
    """By member id; the leader's."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    protocol_type: str
    protocol: str | None
    assignment: bytes


@dataclass(frozen=True, slots=True)
class HeartbeatRequest:
    group_id: str
    generation: int
    member_id: str
    instance_id: str | None


@dataclass(frozen=True, slots=True)
class LeavingMember:
    member_id: str
    """Empty: an admin tool removes the static member `instance_id`."""
    instance_id: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    group_id: str
    members: tuple[LeavingMember, ...]


@dataclass(frozen=True, slots=True)
class OffsetToCommit:
    topic: str
    partition: int
    offset: int
    leader_epoch: int = -1
    metadata: str = ""
    topic_id: Uuid = NIL_UUID


@dataclass(frozen=True, slots=True)
class CommitRequest:
    group_id: str
    member_id: str
    """Empty, without generation and instance: a consumer that manages its partitions itself."""
    instance_id: str | None
    generation: int
    offsets: tuple[OffsetToCommit, ...]
    retention_ms: int | None = None


@dataclass(frozen=True, slots=True)
class FetchRequest:
    group_id: str
    topics: tuple[tuple[str, tuple[int, ...]], ...] | None
    """(name, partitions); None: everything that the group has committed."""
    member_id: str | None = None
    member_epoch: int = -1
    """Of a member of the consumer protocol (KIP-848); else None and -1."""


@dataclass(frozen=True, slots=True)
class FetchedOffset:
    topic: str
    partition: int
    committed: CommittedOffset | None
    is_unstable: bool = False
    """A transaction that is open may change it (KIP-447)."""


@dataclass(frozen=True, slots=True)
class GroupListing:
    group_id: str
    protocol_type: str
    state: GroupState | ConsumerGroupState
    is_consumer: bool = False
    """Of the consumer protocol (KIP-848)."""


@dataclass(frozen=True, slots=True)
class DescribedMember:
    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    metadata: bytes
    assignment: bytes


@dataclass(frozen=True, slots=True)
class GroupDescription:
    group_id: str
    state: GroupState
    protocol_type: str = ""
    protocol: str = ""
    members: tuple[DescribedMember, ...] = ()
