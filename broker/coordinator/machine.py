"""What the runtime asks of a coordinator, and how a coordinator answers.

A coordinator is pure: it is given time in its `Turn`, does no I/O, and what its log holds changes
in `replay` alone. A request makes records and answers:

    decide(machine, ticket, turn)     reads the state, fills `turn.records` and `turn.answers`
    the runtime appends the records   as one batch, on condition of the leader epoch
    machine.replay(record)            for each, in the same step: nothing runs between
    the answers leave                 once the high watermark has passed what they saw

What the log does not hold (deadlines, who waits for an answer) may change while deciding: it dies
with the leadership, and a failed append discards the whole machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeAlias, TypeVar

RecordT = TypeVar("RecordT")

Ticket: TypeAlias = int
"""Names one request that waits for its answer; unique within a runtime."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of one decision: monotonic for deadlines, wall time for what is stored."""

    now_ms: int
    timestamp_ms: int


@dataclass(slots=True)
class Turn(Generic[RecordT]):
    """The effects of one decision, in the order in which they are carried out."""

    moment: Moment
    records: list[RecordT] = field(default_factory=list)
    """1. Appended and replayed, in this order. More than one batch holds are several batches."""
    answers: list[tuple[Ticket, object]] = field(default_factory=list)
    """2. Given once `records`, and all that was written before, are committed. A ProtocolError is
    raised at the request, anything else is its result. A ticket may be answered in a later turn."""
    notes: list[str] = field(default_factory=list)
    """3. Lines for the node's log."""
    counts: list[tuple[str, str, int]] = field(default_factory=list)
    """4. (what, label, how many), for the metrics."""
    producer: tuple[int, int] | None = None
    """(producer id, producer epoch) whose transaction `records` are part of: they count once its
    marker is there."""

    def append(self, record: RecordT) -> None:
        self.records.append(record)

    def answer(self, ticket: Ticket, result: object) -> None:
        self.answers.append((ticket, result))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def count(self, what: str, label: str = "", number: int = 1) -> None:
        """`label` must be one of a few."""
        self.counts.append((what, label, number))


class Coordinator(Protocol[RecordT]):
    """The state of one partition."""

    def encode(self, record: RecordT) -> tuple[bytes, bytes | None]:
        """Key and value as they stand in the log; a value of None is a tombstone."""
        ...

    def decode(self, key: bytes, value: bytes | None) -> RecordT | None:
        """The inverse of `encode`; None for kinds of records that this version does not know.

        DecodeError: a record of a known kind is damaged.
        """
        ...

    def replay(self, record: RecordT, producer_id: int | None = None) -> None:
        """Change the state; total, and the same live and on loading.

        `producer_id`: the record is part of that producer's open transaction.
        """
        ...

    def replay_end(self, producer_id: int, *, is_commit: bool) -> None:
        """The marker of a producer's transaction; total, also when none is open."""
        ...

    def loaded(self, moment: Moment) -> None:
        """The whole log is replayed and committed: start the deadlines, requests follow."""
        ...

    def abandon(self, ticket: Ticket, turn: Turn[RecordT]) -> None:
        """The connection of a waiting request is gone: it will not hear its answer."""
        ...

    def next_deadline(self) -> int | None:
        """When `on_deadline` wants to be called, in monotonic ms; O(1)."""
        ...

    def on_deadline(self, turn: Turn[RecordT]) -> None:
        """Do a bounded part of what is due; the rest stays due."""
        ...
