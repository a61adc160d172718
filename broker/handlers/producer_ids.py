"""Producer ids, handed out from blocks that the controller allocates.

An id is never handed out twice: a block is committed in the metadata before its first id leaves,
and what a broker did not hand out before it stopped is lost for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class ProducerIds:
    """The rest of this broker's block."""

    __slots__ = ("_end", "_lock", "_next")

    def __init__(self) -> None:
        self._next = 0
        self._end = 0  # exclusive
        self._lock = asyncio.Lock()

    def maybe_take(self) -> int | None:
        """An id from the block at hand, None when it is used up."""
        if self._next >= self._end:
            return None
        producer_id = self._next
        self._next += 1
        return producer_id

    async def take(self, allocate: Callable[[], Awaitable[tuple[int, int]]]) -> int:
        """An id, from a new block (first, count) when need be; the errors of `allocate` pass."""
        async with self._lock:
            while (producer_id := self.maybe_take()) is None:
                first, count = await allocate()
                self._next, self._end = first, first + count
            return producer_id
