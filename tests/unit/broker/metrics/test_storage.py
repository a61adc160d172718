from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from broker.metrics.storage import storage_families
from storage.room import UNLIMITED, Room
from storage.work_counts import WorkCounts
from tests.support.metrics_page import values


def directory(path: str, *, offline: bool = False, free: int = UNLIMITED, floor: int = 0) -> Any:
    room = Room(path, measure=lambda: free, floor=floor)
    room.note(free)
    return SimpleNamespace(path=path, offline=offline, room=room)


def test_each_directory_tells_of_its_disk() -> None:
    counts, compaction = WorkCounts(), WorkCounts()
    counts.note_flush(2_500_000_000)
    counts.segments_deleted, counts.bytes_deleted = 3, 4
    compaction.compactions, compaction.compaction_failures = 5, 6
    compaction.compaction_ns = 7_000_000_000
    compaction.compaction_bytes_read, compaction.compaction_bytes_written = 8, 9
    logs = SimpleNamespace(
        directories=[
            directory("/a", free=1_000, floor=100),
            directory("/b", free=50, floor=100),
            directory("/c", offline=True),
        ],
        logs=lambda: [object()] * 10,
        counts=counts,
    )
    found = values(storage_families(cast(Any, logs), compaction))
    online = {path: found["ottla_log_directory_online", path] for path in ("/a", "/b", "/c")}
    assert online == {"/a": 1, "/b": 1, "/c": 0}
    full = {path: found["ottla_log_directory_full", path] for path in ("/a", "/b", "/c")}
    assert full == {"/a": 0, "/b": 1, "/c": 0}
    assert found["ottla_log_directory_free_bytes", "/a"] == 1_000
    assert found["ottla_log_directory_free_bytes", "/b"] == 50
    assert ("ottla_log_directory_free_bytes", "/c") not in found  # it was never measured
    assert found["ottla_logs",] == 10
    assert found["ottla_log_flushes_total",] == 1
    assert found["ottla_log_flush_seconds_total",] == 2.5
    assert found["ottla_retention_deleted_segments_total",] == 3
    assert found["ottla_retention_deleted_bytes_total",] == 4
    assert found["ottla_compactions_total",] == 5
    assert found["ottla_compaction_failures_total",] == 6
    assert found["ottla_compaction_seconds_total",] == 7
    assert found["ottla_compaction_read_bytes_total",] == 8
    assert found["ottla_compaction_written_bytes_total",] == 9
