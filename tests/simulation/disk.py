"""A broker's disk: it outlives processes, may be slow or full, and ends a process in mid-write."""

from __future__ import annotations

import random
from collections.abc import Callable

from ottla.core.identifiers import random_uuid
from storage import marks
from storage.checkpoints import MemoryStore
from storage.vfs import MemoryVfs

FOLDER = "/logs"


class Disk(MemoryVfs):
    """A file system in memory with the broker's checkpoints beside it."""

    def __init__(self, broker_id: int, cluster_id: str, chance: random.Random) -> None:
        super().__init__(seed=chance.getrandbits(32))
        self.broker_id = broker_id
        self.store = MemoryStore()
        self.chance = chance
        self.slow_s = 0.0
        """Longest time that a sync takes beyond its usual one."""
        self.slow_jobs = 0
        self.on_crash: Callable[[], None] | None = None
        """Called when the countdown of `crash_after` ends, before the operation is torn."""
        self.mkdirs(FOLDER)
        self.fsync_dir("/")
        # Else the log manager would draw an id that differs from run to run.
        marks.write_meta(
            self, FOLDER, marks.MetaProperties(cluster_id, broker_id, random_uuid(chance))
        )

    def guard(self, operation: str, path: str):  # type: ignore[no-untyped-def]
        guard = super().guard(operation, path)
        if guard._due and self.on_crash is not None:
            on_crash, self.on_crash = self.on_crash, None
            on_crash()
        return guard

    def job_delay(self) -> tuple[float, float]:
        """Seconds before and after the moment at which a thread's work is done."""
        chance = self.chance
        total = 0.0005 + chance.random() * 0.002
        if self.slow_s:
            self.slow_jobs += 1
            total += chance.random() * self.slow_s
        before = total * chance.random()
        return before, total - before

    def fill(self, spare_bytes: int) -> None:
        """Let no more than `spare_bytes` be written."""
        self.capacity = self.used_bytes() + spare_bytes

    def empty(self) -> None:
        """Somebody has made room."""
        self.capacity = None

    def heal(self) -> None:
        super().heal()
        self.on_crash = None
