"""Compaction inside a test: no process, no waiting, on the disk in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable

from ottla.record.batch import iter_headers, iter_records
from ottla.record.build import build_batch
from ottla.record.compression import Compression
from storage.compaction.cleaner import clean
from storage.compaction.compactor import Compactor, RunJob
from storage.compaction.job import CompactionJob, Outcome
from storage.config import LogConfig
from storage.log import Log
from storage.vfs import Vfs
from tests.support.disk import Disk

COMPACTED = LogConfig(
    segment_bytes=600,
    index_interval_bytes=150,
    file_delete_delay_ms=0,
    cleanup_policy=frozenset({"compact"}),
    min_cleanable_dirty_ratio=0.0,
    delete_retention_ms=1_000,
)


def runs_here(vfs: Vfs) -> RunJob:
    """Runs jobs on `vfs`, in the process of the test."""

    async def run(job: CompactionJob) -> AsyncGenerator[Outcome, None]:
        for outcome in clean(vfs, CompactionJob.decode(job.encode())):
            yield outcome

    return run


class CommittedLogs:
    """Logs all of whose records are committed."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def logs(self) -> list[Log]:
        return self._disk.manager.logs()

    def high_watermark(self, log: Log) -> int:
        return log.log_end_offset


def compactor(disk: Disk, *, dedupe_buffer_bytes: int = 1 << 20) -> Compactor:
    return Compactor(
        CommittedLogs(disk),
        disk.vfs,
        disk.clock,
        run_job=runs_here(disk.vfs),
        dedupe_buffer_bytes=dedupe_buffer_bytes,
    )


def compact(disk: Disk, log: Log) -> bool:
    """Seal and flush what is there, and run one pass; whether one was due."""
    log.flush_sealed()
    return asyncio.run(compactor(disk).compact_one())


def keyed(
    *pairs: tuple[bytes | None, bytes | None],
    timestamp_ms: int = 1_000,
    compression: Compression = Compression.NONE,
    producer_id: int = -1,
    sequence: int = -1,
    transactional: bool = False,
) -> memoryview:
    """A batch of (key, value)."""
    return memoryview(
        build_batch(
            [(key, value, (), timestamp_ms + i) for i, (key, value) in enumerate(pairs)],
            compression=compression,
            producer_id=producer_id,
            producer_epoch=-1 if producer_id < 0 else 0,
            base_sequence=sequence,
            transactional=transactional,
        )
    )


def records_of(log: Log) -> list[tuple[int, bytes | None, bytes | None]]:
    """(offset, key, value) of every data record in the log."""
    found: list[tuple[int, bytes | None, bytes | None]] = []
    offset = log.log_start_offset
    while (piece := log.read(offset, 500, end_offset=log.log_end_offset)) is not None:
        data = piece.read()
        for position, header in iter_headers(data):
            offset = header.next_offset
            if not header.is_control:
                found += [(r.offset, r.key, r.value) for r in iter_records(data, position, header)]
    return found


def last_of_each(
    records: Iterable[tuple[int, bytes | None, bytes | None]],
) -> dict[bytes | None, tuple[int, bytes | None]]:
    return {key: (offset, value) for offset, key, value in records}
