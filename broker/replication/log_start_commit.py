"""Saving log start offsets off the loop, many with one commit of the checkpoints.

A commit that fails, on a full disk, is tried again: until then the deletion is not confirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.replication.partition import Partition
    from storage.manager import LogManager

RETRY_MS = 1_000


class LogStartCommit:
    """`saved` is called on the loop with a partition and its log start offset that is durable."""

    def __init__(self, logs: LogManager, saved: Callable[[Partition, int], None]) -> None:
        self._logs = logs
        self._saved = saved
        self._moved: dict[Partition, None] = {}
        self._woken = asyncio.Event()

    def request(self, partition: Partition) -> None:
        self._moved[partition] = None
        self._woken.set()

    async def run(self) -> None:
        """Save until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            moved = [
                (partition, log, log.log_start_offset)
                for partition in self._moved
                if (log := partition.log) is not None and log.usable
            ]
            self._moved.clear()
            if await self._logs.save_log_starts([log for _, log, _ in moved]):
                for partition, log, start in moved:
                    self._saved(partition, min(start, log.log_start_offset))
            else:
                for partition, _, _ in moved:
                    self.request(partition)
                await asyncio.sleep(RETRY_MS / 1000)
