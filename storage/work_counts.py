"""What the work behind the scenes did, as plain counts that somebody may read at any time.

Written on the event loop's thread alone.
"""

from __future__ import annotations


class WorkCounts:
    """Since the process began; times in nanoseconds."""

    __slots__ = (
        "bytes_deleted",
        "compaction_bytes_read",
        "compaction_bytes_written",
        "compaction_failures",
        "compaction_ns",
        "compactions",
        "flush_ns",
        "flushes",
        "segments_deleted",
    )

    def __init__(self) -> None:
        self.flushes = 0
        self.flush_ns = 0
        self.segments_deleted = 0
        self.bytes_deleted = 0
        self.compactions = 0
        self.compaction_failures = 0
        self.compaction_ns = 0
        self.compaction_bytes_read = 0
        self.compaction_bytes_written = 0

    def note_flush(self, took_ns: int) -> None:
        self.flushes += 1
        self.flush_ns += took_ns
