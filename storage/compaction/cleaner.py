"""One compaction pass over a log: reads its sealed segments, writes cleaned ones beside them.

First the keys of the dirty part are collected, as many as the memory allows; then all segments up
to there are filtered, several small ones into one. Each cleaned segment is synced and told; putting
it in place is the log's business (swap.py), which it may do while the pass goes on. A pass that is
killed leaves `*.cleaned` files, which the next one or the next start removes.

Runs in a process of its own (worker.py), in tests on a file system in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ottla.core.errors import DecodeError
from ottla.record.batch import BatchHeader, read_header
from ottla.record.compression import Buffer
from storage import names
from storage.compaction import swap
from storage.compaction.filter import BatchFilter, note_keys
from storage.compaction.job import CleanedSegment, CompactionJob, Damaged, Finished, Outcome, Source
from storage.compaction.key_map import KeyMap
from storage.compaction.transactions import TransactionFilter
from storage.indexes import OFFSET_ENTRY_SIZE, RELATIVE_OFFSET_MAX
from storage.markers import read_marker
from storage.scan import read_batches
from storage.segment import Segment
from storage.vfs import OpenMode, Vfs, VfsFile

_WRITE_BYTES = 1 << 20


def clean(vfs: Vfs, job: CompactionJob) -> Iterator[Outcome]:
    """Cleaned segments as they are done, then Finished; or Damaged as the last.

    OSError: the disk, or a source that is gone meanwhile.
    """
    try:
        keys = KeyMap(job.keys_max)
        keys_end = _collect_keys(vfs, job, keys)
        if keys_end == job.dirty_offset:
            yield Finished(job.dirty_offset, 0, 0, 0, 0)
            return
        batches = BatchFilter(
            keys,
            keys_end,
            TransactionFilter(job.aborted, job.sources[0].base_offset),
            job.producers,
            timestamp_ms=job.timestamp_ms,
            delete_retention_ms=job.delete_retention_ms,
        )
        bytes_before = bytes_after = 0
        for group in groups(job, keys_end):
            cleaned = _clean_group(vfs, job, group, batches)
            bytes_before += sum(source.size for source in group)
            bytes_after += cleaned.size
            yield cleaned
        yield Finished(
            keys_end, bytes_before, bytes_after, batches.records_before, batches.records_after
        )
    except DecodeError as error:
        yield Damaged(str(error))


def groups(job: CompactionJob, end_offset: int) -> list[list[Source]]:
    """Sources that begin below `end_offset`, in runs that fit into one segment each."""
    found: list[list[Source]] = []
    size = index_size = 0
    for source in job.sources:
        if source.base_offset >= end_offset:
            break
        entries = source.size // max(1, job.index_interval_bytes) + 1
        size += source.size
        index_size += entries * OFFSET_ENTRY_SIZE
        if (
            not found
            or size > job.segment_bytes
            or index_size > job.segment_index_bytes
            or source.next_offset - found[-1][0].base_offset > RELATIVE_OFFSET_MAX
        ):
            found.append([])
            size, index_size = source.size, entries * OFFSET_ENTRY_SIZE
        found[-1].append(source)
    return found


def _collect_keys(vfs: Vfs, job: CompactionJob, keys: KeyMap) -> int:
    """Fill the map; the offset (exclusive) up to which it knows all keys."""
    transactions = TransactionFilter(job.aborted, job.dirty_offset)
    end_offset = job.dirty_offset
    for source in job.sources:
        if source.next_offset <= job.dirty_offset:
            continue
        for batch, header in _batches_of(vfs, job.folder, source):
            if header.next_offset <= job.dirty_offset:
                continue
            if header.is_control:
                marker = read_marker(batch, 0, header)
                transactions.has_served(header, marker.control_type if marker else None)
            elif not transactions.is_aborted(header) and not note_keys(
                keys, batch, header, job.dirty_offset
            ):
                return max(end_offset, header.base_offset)
            end_offset = header.next_offset
        end_offset = source.next_offset
    return end_offset


def _clean_group(
    vfs: Vfs, job: CompactionJob, group: Sequence[Source], batches: BatchFilter
) -> CleanedSegment:
    """Write what is left of a run of sources as one segment, synced with its indexes."""
    base_offset, next_offset = group[0].base_offset, group[-1].next_offset
    path = os.path.join(job.folder, names.segment_name(base_offset))
    swap.discard(vfs, path)
    out = _Output(vfs, job, base_offset)
    markers_kept: set[int] = set()
    for source in group:
        for batch, header in _batches_of(vfs, job.folder, source):
            # The last one tells where the segment ends, and the next begins.
            kept = batches.apply(batch, header, must_stay=header.next_offset == next_offset)
            if kept is not None:
                out.write(kept)
                if header.is_control:
                    markers_kept.add(header.last_offset)
    segment = out.segment_written()
    # An entry without its marker would let readers pass over all that its producer wrote later.
    for aborted in job.aborted:
        if aborted.last_offset in markers_kept:
            segment.transactions.append(aborted)
    segment.seal()
    segment.flush()
    _ensure_synced(vfs, segment.file_path(names.TRANSACTION_INDEX_SUFFIX))
    return CleanedSegment(base_offset, next_offset, segment.size)


class _Output:
    """A segment that grows by batches, written in large pieces."""

    __slots__ = ("_interval", "_pending", "_pending_bytes", "_segment")

    def __init__(self, vfs: Vfs, job: CompactionJob, base_offset: int) -> None:
        self._interval = job.index_interval_bytes
        self._segment = Segment.create(
            vfs, job.folder, base_offset, job.timestamp_ms, ending=names.CLEANED_SUFFIX
        )
        self._pending: list[Buffer] = []
        self._pending_bytes = 0

    def write(self, batch: Buffer) -> None:
        self._pending.append(batch)
        self._pending_bytes += len(batch)
        if self._pending_bytes >= _WRITE_BYTES:
            self._write_pending()

    def segment_written(self) -> Segment:
        self._write_pending()
        return self._segment

    def _write_pending(self) -> None:
        self._segment.append(b"".join(self._pending))
        for batch in self._pending:
            self._segment.note(read_header(batch), self._interval)
        self._pending.clear()
        self._pending_bytes = 0


def _batches_of(vfs: Vfs, folder: str, source: Source) -> Iterator[tuple[bytes, BatchHeader]]:
    path = os.path.join(folder, names.segment_name(source.base_offset)) + names.LOG_SUFFIX
    file: VfsFile = vfs.open(path, OpenMode.READ)
    return read_batches(file, 0, source.size)


def _ensure_synced(vfs: Vfs, path: str) -> None:
    if not vfs.exists(path):
        vfs.open(path, OpenMode.CREATE).fsync()
