"""What the clients of a campaign did and were told, in compact columns.

A message is known by its identity: its key (a number, of one producer and one topic alone) and its
number within the key, which counts from 0 without gaps. Both are 32 bits of one integer. Times are
monotonic seconds. Each column has one writing thread; everything is read after the clients ended,
or where a value that is a little old does no harm.

About 100 bytes a message with three readers: an hour at 600 messages a second takes 220 MB.
"""

from __future__ import annotations

import threading
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

UNKNOWN_OFFSET = -1
"""librdkafka knows that a message is there, but not where: its request timed out, and the repeated
one was answered as a duplicate."""

Place = tuple[str, int]
"""Topic and partition."""


def identity_of(key: int, number: int) -> int:
    return key << 32 | number


def key_and_number(identity: int) -> tuple[int, int]:
    return identity >> 32, identity & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Ack:
    """One message was acknowledged; `offset` may be UNKNOWN_OFFSET."""

    identity: int
    partition: int
    offset: int
    at: float


class Acks:
    """All acknowledgements of one topic, in the order in which they came."""

    def __init__(self) -> None:
        self.times = array("d")
        self.identities = array("q")
        self.partitions = array("i")
        self.offsets = array("q")

    def note(self, ack: Ack) -> None:
        self.identities.append(ack.identity)
        self.partitions.append(ack.partition)
        self.offsets.append(ack.offset)
        self.times.append(ack.at)  # last: who counts by it finds the others complete

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Ack]:
        for index in range(len(self.times)):
            yield Ack(
                self.identities[index],
                self.partitions[index],
                self.offsets[index],
                self.times[index],
            )


class Reads:
    """What one reader was given of one partition, in order."""

    def __init__(self) -> None:
        self.offsets = array("q")
        self.identities = array("q")

    def note(self, offset: int, identity: int) -> None:
        self.identities.append(identity)
        self.offsets.append(offset)


@dataclass
class TopicHistory:
    """One topic, its producer and its readers.

    `once`: the producer was idempotent, so that order and once are promised; else only that
    nothing is lost. `steady` names the readers that never jump: each offset follows the one before.
    """

    name: str
    partitions: int
    once: bool
    sent: dict[int, int] = field(default_factory=dict)
    """By key, how many were handed to the producer: numbers 0 to that, exclusive."""
    acks: Acks = field(default_factory=Acks)
    failed: list[str] = field(default_factory=list)
    """Why messages were given up. They may be there, or not."""
    latest: dict[int, int] = field(default_factory=dict)
    """The highest acknowledged number by key."""
    reads: dict[tuple[str, int], Reads] = field(default_factory=lambda: defaultdict(Reads))
    """By reader and partition."""
    steady: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    """What a reader was told that may never be: its position is gone, the log was cut."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A member asked that `offset` be committed and was answered at `at`: it is, or with an error:
    it may have been committed, or be some time after."""

    at: float
    place: Place
    offset: int
    is_acknowledged: bool = True


@dataclass(frozen=True, slots=True)
class Resume:
    """A member that was assigned the partition at `at` got `offset` as its first record."""

    at: float
    place: Place
    offset: int


@dataclass(frozen=True, slots=True)
class Observation:
    """Someone who asked at `asked_at` was told at `at` what is committed (None: nothing)."""

    asked_at: float
    at: float
    place: Place
    offset: int | None


@dataclass
class GroupHistory:
    """A consumer group: events in any order, each with its time."""

    commits: list[Commit] = field(default_factory=list)
    resumes: list[Resume] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    assignments: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Held for every change: several members write."""
