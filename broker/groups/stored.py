"""What the log holds of a group; immutable, made by decisions and taken over by `replay`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from broker.groups.consumer.stored import ConsumerRecord
from ottla.core.identifiers import NIL_UUID, Uuid

GENERATION_MAX = 2**31 - 1
TEXT_BYTES_MAX = 32_767
"""Of any string in a key or value: their formats count it in an int16."""


@dataclass(frozen=True, slots=True)
class StoredMember:
    """A member of the stored generation."""

    member_id: str
    instance_id: str | None
    """Of a static member (KIP-345)."""
    client_id: str
    client_host: str
    rebalance_timeout_ms: int
    session_timeout_ms: int
    subscription: bytes
    """Its metadata for the chosen protocol."""
    assignment: bytes
    """Empty until the leader has assigned."""


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """One generation; without members: when and as what the group became empty."""

    protocol_type: str
    generation: int
    """From 1; never used twice while the group is stored."""
    protocol: str | None
    """None without members."""
    leader_id: str | None
    state_timestamp_ms: int
    """Wall time of the record; -1 in old ones."""
    members: tuple[StoredMember, ...]

    @property
    def has_assignments(self) -> bool:
        """Whether the leader has assigned.

        Kafka's format has no field for it. A leader that gives nobody anything looks as if it had
        not yet assigned: after a reload such members are asked to sync again, which is harmless.
        """
        return any(member.assignment for member in self.members)


@dataclass(frozen=True, slots=True)
class CommittedOffset:
    """Where a group goes on in one partition."""

    offset: int
    leader_epoch: int
    """-1: unknown."""
    metadata: str
    commit_timestamp_ms: int
    expire_timestamp_ms: int | None = None
    """Only for commits with a retention time of their own (OffsetCommit up to version 4)."""
    topic_id: Uuid = NIL_UUID
    """Nil: committed before ids were stored."""


@dataclass(frozen=True, slots=True)
class GroupRecord:
    group_id: str
    group: StoredGroup | None
    """None: a tombstone."""


@dataclass(frozen=True, slots=True)
class OffsetRecord:
    group_id: str
    topic: str
    partition: int
    committed: CommittedOffset | None
    """None: a tombstone."""


Record: TypeAlias = GroupRecord | OffsetRecord | ConsumerRecord
