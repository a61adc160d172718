"""How far a reassignment has come, by the bytes that are there; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

WINDOW_MS: Final = 30_000
"""The rate is that of the last half minute: a throttle, or a broker that dies, shows soon."""

Sizes = Mapping[int, Mapping[tuple[str, int], int]]
"""Bytes of each log, by broker and (topic, partition index)."""


@dataclass(frozen=True, slots=True)
class Copying:
    """A partition that is copied to the `adding` brokers from one that has all of it."""

    topic: str
    index: int
    adding: tuple[int, ...]
    others: tuple[int, ...]

    @property
    def key(self) -> tuple[str, int]:
        return self.topic, self.index


def bytes_of(sizes: Sizes, topic: str, index: int, brokers: tuple[int, ...]) -> int:
    """The largest log of the partition on these brokers."""
    return max((sizes.get(b, {}).get((topic, index), 0) for b in brokers), default=0)


def copied(sizes: Sizes, copying: Copying) -> tuple[int, int]:
    """(bytes that the adding brokers have, bytes that they will have)."""
    whole = bytes_of(sizes, copying.topic, copying.index, copying.others)
    key = (copying.topic, copying.index)
    there = sum(min(sizes.get(b, {}).get(key, 0), whole) for b in copying.adding)
    return there, whole * len(copying.adding)


class Measure:
    """What is known of one that is copied, from look to look.

    Its bytes are those that the added replicas had when it was first seen to have ended: what they
    take from then on is what is appended, and belongs to no move.
    """

    def __init__(self, copying: Copying) -> None:
        self.copying = copying
        self.there = 0
        self.whole = 0
        self.is_measured = False
        """It has ended, and all that were added have told since."""

    def note(self, sizes: Sizes, answered: Collection[int], *, is_open: bool) -> None:
        """`sizes` are from after it was looked up whether it is under way; of brokers that have
        not `answered` they are those of before."""
        if self.is_measured:
            return
        if is_open:
            self.there, self.whole = copied(sizes, self.copying)
            return
        one = self.copying
        self.is_measured = all(broker in answered for broker in one.adding)
        self.there = self.whole = sum(sizes.get(b, {}).get(one.key, 0) for b in one.adding)


class Pace:
    """Bytes a second over the last WINDOW_MS, and how long the rest will take."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()

    def note(self, done: int, now_ms: int) -> None:
        self._seen.append((now_ms, done))
        while self._seen[0][0] < now_ms - WINDOW_MS:
            self._seen.popleft()

    @property
    def bytes_per_second(self) -> float | None:
        """None before anything is known."""
        if len(self._seen) < 2:
            return None
        (first_ms, first), (last_ms, last) = self._seen[0], self._seen[-1]
        if last_ms <= first_ms:
            return None
        return max(0, last - first) * 1_000 / (last_ms - first_ms)

    def seconds_left(self, rest: int) -> float | None:
        """None while nothing moves."""
        rate = self.bytes_per_second
        return rest / rate if rate else None
