"""The in-sync replicas of a partition as its leader knows them, and what the machine asks for.

A closed family of three states, after Kafka's Partition.scala:

    CommittedIsr   what the controller last told; nothing is asked.
    PendingExpand  one replica more is asked for. Until the answer it counts for the high watermark:
                   the controller may have let it in already, and may elect it.
    PendingShrink  replicas are to leave. Until the answer they count: they may still be elected.

`members` is the committed ISR, by which min.insync.replicas is judged; `maximal` is every replica
that may be in the ISR as the controller sees it, by which the high watermark is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ottla.core.errors import ErrorCode

UNKNOWN_BROKER_EPOCH = -1
"""On the wire only: a member that is not registered; the controller refuses it."""


@dataclass(frozen=True, slots=True)
class IsrChange:
    """A wish of the leader, compare-and-set on both epochs."""

    leader_epoch: int
    partition_epoch: int
    isr: tuple[tuple[int, int], ...]
    """(broker id, broker epoch) of every member, so that no other incarnation is let in."""


@dataclass(frozen=True, slots=True)
class CommittedIsr:
    members: tuple[int, ...]

    @property
    def maximal(self) -> frozenset[int]:
        return frozenset(self.members)


@dataclass(frozen=True, slots=True)
class PendingExpand:
    members: tuple[int, ...]
    added: int
    change: IsrChange

    @property
    def maximal(self) -> frozenset[int]:
        return frozenset((*self.members, self.added))


@dataclass(frozen=True, slots=True)
class PendingShrink:
    members: tuple[int, ...]
    removed: frozenset[int]
    change: IsrChange

    @property
    def maximal(self) -> frozenset[int]:
        return frozenset(self.members)


IsrState: TypeAlias = CommittedIsr | PendingExpand | PendingShrink


@dataclass(frozen=True, slots=True)
class HighWatermarkMoved:
    high_watermark: int


@dataclass(frozen=True, slots=True)
class ProposeIsr:
    """Send `change` to the controller, again after a time-out, until it is settled."""

    change: IsrChange


@dataclass(frozen=True, slots=True)
class WaitersReleased:
    waiters: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WaitersFailed:
    waiters: tuple[int, ...]
    code: ErrorCode


@dataclass(frozen=True, slots=True)
class BecameLeader:
    """Assign the epoch in the log before anything is appended; forget every subscription."""

    leader_epoch: int
    start_offset: int


@dataclass(frozen=True, slots=True)
class BecameFollower:
    """Follow `leader_id` (None: nobody leads) in this epoch; forget every subscription."""

    leader_epoch: int
    leader_id: int | None


Effect: TypeAlias = (
    HighWatermarkMoved
    | ProposeIsr
    | WaitersReleased
    | WaitersFailed
    | BecameLeader
    | BecameFollower
)
"""The shell runs effects in the order in which they were returned."""
