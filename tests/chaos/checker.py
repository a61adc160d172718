"""Judges a history against what is in the topics at the end. Pure; see `Kind` for what it finds."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from tests.chaos.history import (
    UNKNOWN_OFFSET,
    GroupHistory,
    Place,
    TopicHistory,
    key_and_number,
)

Final = Mapping[int, Sequence[tuple[int, int]]]
"""What is in a topic at the end: partition → (offset, identity) in the order of the log."""


class Kind(Enum):
    LOST = "lost"
    """Acknowledged, and not in the topic."""
    MOVED = "moved"
    """Acknowledged at one place, found at another."""
    DUPLICATED = "duplicated"
    """Of an idempotent producer, and in the topic more than once."""
    REORDERED = "reordered"
    """Of an idempotent producer, and behind a later message of its key."""
    PHANTOM = "phantom"
    """Read, and gone or different at the end; or in the topic, and sent by nobody."""
    GAP = "gap"
    """Offsets of a log do not follow each other."""
    SKIPPED = "skipped"
    """A reader was not given what follows, or never came to see a record."""
    COMMIT_LOST = "commit lost"
    """An offset was acknowledged as committed, and later a lower one or none was told."""
    COMMIT_BACK = "commit moved back"
    """A committed offset that was told once was lower when it was asked for later."""
    DIVERGED = "replicas differ"
    """Replicas that were in sync when they stopped hold different bytes."""
    DAMAGED = "damaged"
    """`ottla log verify` calls it an error."""
    UNAVAILABLE = "unavailable"
    """A partition took no write for longer than its faults excuse."""
    GIVEN_UP = "given up"
    """A message was refused for good, or not taken within two minutes."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that must not be. `at`: when it was acknowledged or told, where that is known."""

    kind: Kind
    place: Place
    detail: str
    at: float | None = None

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.place[0]}-{self.place[1]}: {self.detail}"


def check_topic(history: TopicHistory, final: Final) -> list[Violation]:
    """Everything that can be told of one topic. All readers have read to the end."""
    found = [
        *_check_log(history, final),
        *_check_acknowledged(history, final),
        *_check_reads(history, final),
    ]
    found += [Violation(Kind.GIVEN_UP, (history.name, -1), why) for why in history.failed]
    if history.once:
        found += _check_once_and_order(history, final)
    return found


def _check_log(history: TopicHistory, final: Final) -> Iterator[Violation]:
    for partition, records in final.items():
        place = (history.name, partition)
        for expected, (offset, _) in enumerate(records):
            if offset != expected:
                yield Violation(Kind.GAP, place, f"offset {offset} where {expected} is expected")
                break
        for offset, identity in records:
            key, number = key_and_number(identity)
            if number >= history.sent.get(key, 0):
                yield Violation(Kind.PHANTOM, place, f"{_name(identity)} at {offset}: never sent")


def _check_acknowledged(history: TopicHistory, final: Final) -> Iterator[Violation]:
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for partition, records in final.items():
        for offset, identity in records:
            places[identity].append((partition, offset))
    for ack in history.acks:
        place = (history.name, ack.partition)
        there = places.get(ack.identity)
        said = f"{_name(ack.identity)}, acknowledged at {ack.offset}"
        if there is None:
            yield Violation(Kind.LOST, place, said, ack.at)
        elif ack.offset == UNKNOWN_OFFSET:
            if ack.partition not in {partition for partition, _ in there}:
                yield Violation(Kind.MOVED, place, f"{said}, is at {there}", ack.at)
        elif (ack.partition, ack.offset) not in there:
            yield Violation(Kind.MOVED, place, f"{said}, is at {there}", ack.at)


def _check_once_and_order(history: TopicHistory, final: Final) -> Iterator[Violation]:
    seen: set[int] = set()
    latest: dict[int, int] = {}
    for partition, records in final.items():
        place = (history.name, partition)
        for offset, identity in records:
            key, number = key_and_number(identity)
            if identity in seen:
                yield Violation(Kind.DUPLICATED, place, f"{_name(identity)} again at {offset}")
            elif number < latest.get(key, -1):
                yield Violation(
                    Kind.REORDERED, place, f"{_name(identity)} at {offset}, behind {latest[key]}"
                )
            seen.add(identity)
            latest[key] = max(number, latest.get(key, -1))


def _check_reads(history: TopicHistory, final: Final) -> Iterator[Violation]:
    readers = {reader for reader, _ in history.reads}
    for reader in sorted(readers | history.steady):
        for partition, records in final.items():
            place = (history.name, partition)
            there = dict(records)
            reads = history.reads.get((reader, partition))
            offsets = [] if reads is None else reads.offsets
            identities = [] if reads is None else reads.identities
            for offset, identity in zip(offsets, identities, strict=True):
                if there.get(offset) != identity:
                    now = there.get(offset)
                    is_now = "nothing" if now is None else _name(now)
                    yield Violation(
                        Kind.PHANTOM,
                        place,
                        f"{reader} read {_name(identity)} at {offset}, where {is_now} is now",
                    )
            if reader in history.steady:
                yield from _jumps(reader, place, offsets)
            if missed := sorted(there.keys() - set(offsets)):
                yield Violation(
                    Kind.SKIPPED, place, f"{reader} never saw {len(missed)}, first {missed[0]}"
                )
    for complaint in history.complaints:
        yield Violation(Kind.PHANTOM, (history.name, -1), complaint)


def _jumps(reader: str, place: Place, offsets: Iterable[int]) -> Iterator[Violation]:
    for before, after in pairwise(offsets):
        if after != before + 1:
            yield Violation(Kind.SKIPPED, place, f"{reader} came to {after} after {before}")


def check_group(history: GroupHistory) -> list[Violation]:
    """No committed offset is lost, and none that was told moves back.

    Members commit nothing below where they resumed, so that each commit is at least what was
    committed before: who asks after it was acknowledged must be told that much. Only an offset
    whose commit failed may be told instead: such a commit can come late, and take effect then.
    """
    committed: dict[Place, _Highest] = defaultdict(_Highest)
    failed: dict[Place, set[int]] = defaultdict(set)
    for commit in sorted(history.commits, key=lambda c: c.at):
        if commit.is_acknowledged:
            committed[commit.place].note(commit.at, commit.offset)
        else:
            failed[commit.place].add(commit.offset)
    found = [
        Violation(
            Kind.COMMIT_LOST,
            resume.place,
            f"resumed at {resume.offset}, {highest} was committed",
            resume.at,
        )
        for resume in history.resumes
        if resume.offset not in failed[resume.place]
        and (highest := committed[resume.place].before(resume.at)) > resume.offset
    ]
    told: dict[Place, _Highest] = defaultdict(_Highest)
    for seen in sorted(history.observations, key=lambda o: o.at):
        offset = -1 if seen.offset is None else seen.offset
        if offset in failed[seen.place]:
            continue
        if (highest := committed[seen.place].before(seen.asked_at)) > offset:
            found.append(
                Violation(
                    Kind.COMMIT_LOST,
                    seen.place,
                    f"{offset} is told, {highest} was committed",
                    seen.at,
                )
            )
        elif (highest := told[seen.place].before(seen.asked_at)) > offset:
            found.append(
                Violation(
                    Kind.COMMIT_BACK, seen.place, f"{offset} is told, {highest} was before", seen.at
                )
            )
        told[seen.place].note(seen.at, offset)
    return found


class _Highest:
    """The highest value until a time. Values are noted in the order of time."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._values: list[int] = []

    def note(self, at: float, value: int) -> None:
        self._times.append(at)
        self._values.append(max(value, self._values[-1] if self._values else -1))

    def before(self, at: float) -> int:
        """The highest that was noted before `at`; -1 for none."""
        index = bisect_left(self._times, at)
        return self._values[index - 1] if index else -1


def _name(identity: int) -> str:
    key, number = key_and_number(identity)
    return f"message {key}/{number}"
