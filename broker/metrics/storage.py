"""Log directories, and the work behind the scenes: syncs, retention, compaction."""

from __future__ import annotations

from collections.abc import Iterator

from broker.metrics.exposition import Family, counter, gauge, labels
from storage.manager import LogManager
from storage.room import UNLIMITED
from storage.work_counts import WorkCounts


def storage_families(logs: LogManager, compaction: WorkCounts) -> Iterator[Family]:
    directories = [(labels(directory=one.path), one) for one in logs.directories]
    yield gauge(
        "ottla_log_directory_online",
        "0 once the disk of a log directory has failed.",
        [(label, int(not one.offline)) for label, one in directories],
    )
    yield gauge(
        "ottla_log_directory_full",
        "1 while a log directory takes no appends.",
        [(label, int(one.room.full)) for label, one in directories],
    )
    yield gauge(
        "ottla_log_directory_free_bytes",
        "Free space of its disk, as last measured.",
        [(label, one.room.free) for label, one in directories if one.room.free != UNLIMITED],
    )
    yield gauge("ottla_logs", "Open logs.", len(logs.logs()))
    counts = logs.counts
    yield counter("ottla_log_flushes", "Syncs of logs.", counts.flushes)
    yield counter("ottla_log_flush_seconds", "Time that syncs of logs took.", counts.flush_ns / 1e9)
    yield counter(
        "ottla_retention_deleted_segments",
        "Segments that retention let go.",
        counts.segments_deleted,
    )
    yield counter("ottla_retention_deleted_bytes", "Their bytes.", counts.bytes_deleted)
    yield counter("ottla_compactions", "Passes of compaction that ended.", compaction.compactions)
    yield counter(
        "ottla_compaction_failures", "Passes that were given up.", compaction.compaction_failures
    )
    yield counter(
        "ottla_compaction_seconds", "Time that passes took.", compaction.compaction_ns / 1e9
    )
    yield counter(
        "ottla_compaction_read_bytes", "Bytes before compaction.", compaction.compaction_bytes_read
    )
    yield counter(
        "ottla_compaction_written_bytes",
        "Bytes after compaction.",
        compaction.compaction_bytes_written,
    )
