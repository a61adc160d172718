"""What the log holds of a consumer group (KIP-848); each record replaces its predecessor whole.

In every record a value of None is a tombstone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from ottla.core.identifiers import Uuid

TopicPartitions: TypeAlias = frozenset[tuple[Uuid, int]]
NOTHING: TopicPartitions = frozenset()


class MemberState(IntEnum):
    """How far a member is on the way to its target; values are those of the log."""

    STABLE = 0
    """It has what the target of its epoch gives it."""
    UNREVOKED_PARTITIONS = 1
    """It has yet to confirm that it gave partitions up; until then it stays in its epoch."""
    UNRELEASED_PARTITIONS = 2
    """It waits for partitions that others have yet to give up."""


@dataclass(frozen=True, slots=True)
class StoredEpoch:
    epoch: int
    metadata_hash: int
    """Of the subscribed topics, as the epoch saw them."""


@dataclass(frozen=True, slots=True)
class ClassicSide:
    """Of a member that speaks the classic protocol in a consumer group."""

    session_timeout_ms: int
    protocols: tuple[tuple[str, bytes], ...]
    """(name, metadata), best liked first."""


@dataclass(frozen=True, slots=True)
class StoredSubscriber:
    """What a member told of itself."""

    instance_id: str | None
    rack_id: str | None
    client_id: str
    client_host: str
    topics: tuple[str, ...]
    """Sorted, each once."""
    rebalance_timeout_ms: int
    assignor: str | None
    regex: str = ""
    """Topics whose whole name it matches count too; empty: none."""
    classic: ClassicSide | None = None

    @property
    def wants(self) -> tuple[tuple[str, ...], str, str | None]:
        """What the group's target depends on."""
        return self.topics, self.regex, self.assignor


@dataclass(frozen=True, slots=True)
class StoredRegex:
    """What a regular expression stood for when it was last looked at."""

    topics: tuple[str, ...]
    """Sorted."""
    metadata_version: int
    timestamp_ms: int
    """Wall time."""


@dataclass(frozen=True, slots=True)
class StoredCurrent:
    """What a member has, and in which epoch."""

    member_epoch: int
    previous_epoch: int
    state: MemberState
    assigned: TopicPartitions
    pending_revocation: TopicPartitions
    """Still the member's, until it says that it has given them up."""


@dataclass(frozen=True, slots=True)
class EpochRecord:
    group_id: str
    value: StoredEpoch | None


@dataclass(frozen=True, slots=True)
class SubscriberRecord:
    group_id: str
    member_id: str
    value: StoredSubscriber | None


@dataclass(frozen=True, slots=True)
class TargetEpochRecord:
    group_id: str
    value: int | None


@dataclass(frozen=True, slots=True)
class TargetRecord:
    group_id: str
    member_id: str
    value: TopicPartitions | None


@dataclass(frozen=True, slots=True)
class CurrentRecord:
    group_id: str
    member_id: str
    value: StoredCurrent | None


@dataclass(frozen=True, slots=True)
class RegexRecord:
    group_id: str
    regex: str
    value: StoredRegex | None


ConsumerRecord: TypeAlias = (
    EpochRecord | SubscriberRecord | TargetEpochRecord | TargetRecord | CurrentRecord | RegexRecord
)
