"""How far a reassignment has come, by the bytes that are there; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
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


def bytes_of(sizes: Sizes, topic: str, index: int, brokers: tuple[int, ...]) -> int:
    """The largest log of the partition on these brokers."""
    return max((sizes.get(b, {}).get((topic, index), 0) for b in brokers), default=0)


def copied(sizes: Sizes, copying: Copying) -> tuple[int, int]:
    """(bytes that the adding brokers have, bytes that they will have)."""
    whole = bytes_of(sizes, copying.topic, copying.index, copying.others)
    key = (copying.topic, copying.index)
    there = sum(min(sizes.get(b, {}).get(key, 0), whole) for b in copying.adding)
    return there, whole * len(copying.adding)


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
