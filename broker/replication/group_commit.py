"""Syncing logs off the loop as ``flush.messages`` asks, many appends with one fsync.

A partition asks for a flush with every append that leaves so many records unsynced; while one runs,
further requests gather and share the next. With ``flush.messages=1``, durable mode, an offset
counts only once it is synced (SAFETY rule 9); with more, nothing waits for the sync.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ottla.core.errors import ProtocolError

if TYPE_CHECKING:
    from broker.replication.partition import Partition
    from storage.work_counts import WorkCounts


class GroupCommit:
    """`flushed` is called on the loop once what was asked for is synced."""

    def __init__(self, flushed: Callable[[Partition], None], counts: WorkCounts) -> None:
        self._flushed = flushed
        self._counts = counts
        self._dirty: dict[Partition, None] = {}
        self._woken = asyncio.Event()

    def request(self, partition: Partition) -> None:
        self._dirty[partition] = None
        self._woken.set()

    async def run(self) -> None:
        """Flush until cancelled. A sync that fails is never tried again (rule 18)."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            partitions = [*self._dirty]
            self._dirty.clear()
            for partition in partitions:
                log = partition.log
                if log is None:
                    continue
                try:
                    if partition.flush_due:  # the sync before may have had it all
                        began_ns = time.monotonic_ns()
                        await asyncio.to_thread(log.flush)
                        self._counts.note_flush(time.monotonic_ns() - began_ns)
                except ProtocolError as error:
                    partition.note_failure(error)
                    continue
                self._flushed(partition)
