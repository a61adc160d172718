"""Deadlines of many keyed things, in one heap.

A key's entry may be earlier than its true deadline but never later: whoever moves a deadline back
(a heartbeat does, thousands of times a second) need not tell, and whoever is woken early schedules
itself again.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)


class Deadlines(Generic[KeyT]):
    """When to look at which key next; all times are monotonic ms."""

    __slots__ = ("_entry_of", "_heap", "_number")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, KeyT]] = []
        self._entry_of: dict[KeyT, tuple[int, int]] = {}  # the heap's live entry of each key
        self._number = 0

    def __len__(self) -> int:
        return len(self._entry_of)

    def wake_by(self, key: KeyT, deadline_ms: int) -> None:
        """Be woken for `key` at `deadline_ms` at the latest; costs nothing when that is so."""
        entry = self._entry_of.get(key)
        if entry is not None and entry[0] <= deadline_ms:
            return
        self._number += 1
        self._entry_of[key] = (deadline_ms, self._number)
        heapq.heappush(self._heap, (deadline_ms, self._number, key))
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._entry_of):
            self._heap = [(due, n, k) for k, (due, n) in self._entry_of.items()]
            heapq.heapify(self._heap)

    def forget(self, key: KeyT) -> None:
        self._entry_of.pop(key, None)

    def next_deadline(self) -> int | None:
        """The earliest entry; O(1) amortised."""
        heap = self._heap
        while heap:
            due, number, key = heap[0]
            if self._entry_of.get(key) == (due, number):
                return due
            heapq.heappop(heap)
        return None

    def pop_due(self, now_ms: int) -> KeyT | None:
        """Take out one key whose entry is at or before `now_ms`."""
        due = self.next_deadline()
        if due is None or due > now_ms:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._entry_of[key]
        return key
