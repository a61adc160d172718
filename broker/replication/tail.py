"""The bytes just appended, kept until the followers' streams have sent them.

A follower that keeps up is served from here without asking the log: no index look-up, no read.
Bounded per partition and, by a budget that all partitions of a broker share, in all; what does not
fit is read from the log instead.
"""

from __future__ import annotations

from bisect import bisect_left

PARTITION_BYTES_MAX = 4 * 1024 * 1024


class TailBudget:
    """Bytes that all tails of a broker may hold together."""

    __slots__ = ("free_bytes",)

    def __init__(self, bytes_max: int) -> None:
        self.free_bytes = bytes_max


class Tail:
    """Contiguous batches from some offset up to the log end; empty when it cannot keep that."""

    __slots__ = ("_bases", "_budget", "_chunks", "_ends", "_size")

    def __init__(self, budget: TailBudget) -> None:
        self._budget = budget
        self._bases: list[int] = []
        self._ends: list[int] = []
        self._chunks: list[bytes] = []
        self._size = 0

    def append(self, base_offset: int, next_offset: int, batch: memoryview) -> None:
        """Copy one appended batch, [base_offset, next_offset); forget all when it does not fit."""
        size = len(batch)
        if self._ends and self._ends[-1] != base_offset:
            self.clear()
        if self._size + size > PARTITION_BYTES_MAX or size > self._budget.free_bytes:
            self.clear()
            if size > min(PARTITION_BYTES_MAX, self._budget.free_bytes):
                return
        self._bases.append(base_offset)
        self._ends.append(next_offset)
        self._chunks.append(bytes(batch))
        self._size += size
        self._budget.free_bytes -= size

    def read(self, position: int, bytes_max: int) -> tuple[list[bytes], int] | None:
        """(chunks, offset after them) from `position`; at least one chunk. None: ask the log."""
        bases = self._bases
        index = bisect_left(bases, position)
        if index == len(bases) or bases[index] != position:
            return None
        taken = 0
        last = index
        chunks = self._chunks
        count = len(chunks)
        while last < count and (last == index or taken + len(chunks[last]) <= bytes_max):
            taken += len(chunks[last])
            last += 1
        return chunks[index:last], self._ends[last - 1]

    def release(self, below: int) -> None:
        """Every stream has sent what lies below this offset."""
        ends = self._ends
        if not ends or ends[0] > below:
            return
        count = bisect_left(ends, below + 1)
        self._give_back(sum(map(len, self._chunks[:count])))
        del self._bases[:count], ends[:count], self._chunks[:count]

    def clear(self) -> None:
        self._give_back(self._size)
        self._bases.clear()
        self._ends.clear()
        self._chunks.clear()

    def _give_back(self, size: int) -> None:
        self._size -= size
        self._budget.free_bytes += size
