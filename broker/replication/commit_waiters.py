"""Who waits for the high watermark, or for the low one, as data: pure.

A waiter is (leader epoch, offset). The epoch is the machine's current one: a change of epoch takes
all waiters out (SAFETY rule 8), so an offset is enough to keep. Offsets are exclusive: a waiter for
`next_offset` is released once the watermark is at or above it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator


class OffsetWaiters:
    """Waiters ordered by offset; adding and releasing cost O(log n). `ids` rise; they may be shared
    with waiters for something else."""

    __slots__ = ("_heap", "_ids", "_waiting")

    def __init__(self, ids: Iterator[int]) -> None:
        self._heap: list[tuple[int, int]] = []
        self._waiting: set[int] = set()
        self._ids = ids

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, next_offset: int) -> int:
        """The id by which this waiter will be released or failed."""
        waiter = next(self._ids)
        heapq.heappush(self._heap, (next_offset, waiter))
        self._waiting.add(waiter)
        return waiter

    def forget(self, waiter: int) -> None:
        """The client gave up; unknown ids are ignored."""
        self._waiting.discard(waiter)
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._waiting):
            # A partition that cannot commit would else collect the waiters of every timed-out try.
            self._heap = [entry for entry in self._heap if entry[1] in self._waiting]
            heapq.heapify(self._heap)

    def release(self, watermark: int) -> tuple[int, ...]:
        """Take out all whose offset the watermark has reached, lowest first."""
        heap = self._heap
        if not heap or heap[0][0] > watermark:
            return ()
        released = []
        while heap and heap[0][0] <= watermark:
            waiter = heapq.heappop(heap)[1]
            if waiter in self._waiting:
                self._waiting.discard(waiter)
                released.append(waiter)
        return tuple(released)

    def take_all(self) -> tuple[int, ...]:
        """Take out everyone, in the order of arrival."""
        waiters = tuple(sorted(self._waiting))
        self._waiting.clear()
        self._heap.clear()
        return waiters
