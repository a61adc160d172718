"""The log of one partition: append, read, truncate, flush.

Invariants:

- Segments follow each other without a gap; only the last one grows, and only while not sealed.
- `log_start_offset` <= `log_end_offset`; below `recovery_point` everything is synced.
- The recovery point that the checkpoints may hold never lies above what the files hold: before a
  truncation below it, it is lowered durably.
- Leader epochs and producers say exactly what the batches in the files say.

All methods run on the event loop's thread, except `flush`, `flush_sealed` and `close`, which block
and belong into a thread of their own; they touch segments through `Segment.flush` alone.

Errors: ProtocolError KAFKA_STORAGE_ERROR when the disk is full (nothing was changed), or when the
directory has gone offline.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import NoReturn

from ottla.core.clock import Clock
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from ottla.record.batch import (
    BatchHeader,
    patch_log_append_time,
    patch_offset_and_epoch,
)
from storage import names, search
from storage.checkpoints import Checkpoints, LogCheckpoint, LogKey
from storage.config import LogConfig, TimestampType
from storage.directory import LogDirectory
from storage.markers import Marker, note_batch
from storage.recovery import load_log
from storage.retention import SegmentAge, decide_deletable
from storage.segment import Segment
from storage.slices import LogSlice
from storage.snapshots import INTERVAL_BYTES, ProducerSnapshots, replay_segment
from storage.validation import check_replicated, marker_of, validate_batch
from storage.vfs import Buffer, OpenMode, Vfs

__all__ = ["Append", "Log", "LogConfig", "LogSlice", "TimestampType"]

_log = logging.getLogger(__name__)

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_BOUNDARIES_MAX = 256  # of the newest batches, 16 bytes each; then half of them go


@dataclass(slots=True)
class Append:
    """Where a batch is in the log. Offsets inclusive; a duplicate's are those of the first time."""

    base_offset: int
    last_offset: int
    log_append_time_ms: int  # -1 unless the topic has LogAppendTime
    duplicate: bool


class Log:
    """See the module. Made by `open`."""

    def __init__(
        self,
        *,
        topic: str,
        topic_id: Uuid,
        partition: int,
        directory: LogDirectory,
        folder: str,
        config: LogConfig,
        clock: Clock,
        vfs: Vfs,
        checkpoints: Checkpoints,
    ) -> None:
        self.topic = topic
        self.topic_id = topic_id
        self.partition = partition
        self.directory = directory
        self.directory_id = directory.directory_id
        self.folder = folder
        self.config = config
        self.key = LogKey(directory.directory_id, topic_id, partition)
        self._clock = clock
        self._vfs = vfs
        self._checkpoints = checkpoints
        self._fault: str | None = None  # why this log alone is of no use any more
        self._names_dirty = True  # the folder's content has changed since it was synced
        self._identity_dirty = True  # partition.metadata and the folder's own name likewise
        self._flush_lock = threading.Lock()  # one flush at a time
        self._point_lock = threading.Lock()  # recovery point and truncation count
        self._truncations = 0
        self._condemned: list[tuple[int, str]] = []  # (now_ms from which on, path to unlink)
        loaded = load_log(
            vfs,
            folder,
            key=self.key,
            config=config,
            directory=directory,
            checkpoints=checkpoints,
            timestamp_ms=clock.timestamp_ms(),
        )
        self._segments = loaded.segments
        self._bases = [segment.base_offset for segment in loaded.segments]
        self._active = loaded.segments[-1]
        self.log_start_offset = loaded.log_start_offset
        self.log_end_offset = self._active.next_offset
        self.recovery_point = loaded.recovery_point
        self._index_point = loaded.index_point  # segments that end here or below: indexes synced
        self.epochs = loaded.epochs
        self.producers = loaded.producers
        self.scanned_bytes = loaded.scanned_bytes
        # What the checkpoints hold, or will with the next commit.
        self._handed = checkpoints.log(self.key)
        self._snapshots = ProducerSnapshots(checkpoints, self.key)
        # What was not believed now must not be believed later, when the point has passed it.
        self._snapshots.drop_above(self._handed.recovery_point if self._handed else -1)
        if loaded.scanned_bytes:
            self._snapshots.take(self.producers, self.log_end_offset)
        self.flushed_ms = clock.now_ms()
        self._boundary_offsets = array("q")
        self._boundary_positions = array("q")
        self._begin_boundaries()
        if self._handed is not None and self._handed.log_start_offset > self.log_end_offset:
            # The tail is lost, up to before a start that deleting records had moved. Offsets will
            # be given again: another crash must not find the old start and hide their records.
            self.note_checkpoint()
            checkpoints.commit()

    @property
    def last_epoch(self) -> int | None:
        """The leader epoch of the last record (what an empty log remembers of one, included)."""
        return self.epochs.epoch_at(self.log_end_offset - 1)

    @property
    def size_bytes(self) -> int:
        return sum(segment.size for segment in self._segments)

    @property
    def segment_count(self) -> int:
        return len(self._segments)

    # Appending

    def append_as_leader(
        self, batch: memoryview, *, leader_epoch: int, timestamp_ms: int, internal: bool = False
    ) -> Append:
        """Append the one batch in `batch`, which is borrowed until the return and patched.

        `internal`: from a coordinator of ours. Errors: those of `validate_batch`, of
        `ProducerState.check`, and KAFKA_STORAGE_ERROR.
        """
        self._check_usable()
        config = self.config
        header = validate_batch(batch, config, internal=internal)
        marker: Marker | None = None
        if header.producer_id >= 0:
            if header.is_control:
                marker = marker_of(batch, header)
            elif (known := self.producers.check(header)) is not None:
                append_time = -1
                if config.timestamp_type is TimestampType.LOG_APPEND_TIME:
                    append_time = known.timestamp
                return Append(known.base_offset, known.last_offset, append_time, True)
        base_offset = self.log_end_offset
        patch_offset_and_epoch(batch, 0, base_offset=base_offset, leader_epoch=leader_epoch)
        header.base_offset = base_offset
        header.leader_epoch = leader_epoch
        append_time = -1
        if config.timestamp_type is TimestampType.LOG_APPEND_TIME:
            append_time = timestamp_ms
            patch_log_append_time(batch, 0, header, timestamp_ms)
        segment = self._segment_for(header, timestamp_ms)
        self._write(segment, batch)
        self._note(segment, header, marker, timestamp_ms)
        return Append(base_offset, self.log_end_offset - 1, append_time, False)

    def append_as_follower(self, batches: memoryview) -> None:
        """Append whole batches from the leader as they are; all are checked before any is written.

        OFFSET_OUT_OF_RANGE: the first does not begin at the log end, or a gap between them.
        CORRUPT_MESSAGE: a torn batch, a wrong CRC, or a leader epoch that falls.
        """
        self._check_usable()
        # An epoch of ours that got no records is not in the leader's log.
        self.epochs.truncate_to(self.log_end_offset)
        newest = self.epochs.latest()
        checked = check_replicated(
            batches, self.log_end_offset, -1 if newest is None else newest, self._name
        )
        timestamp_ms = self._clock.timestamp_ms()
        first = 0
        while first < len(checked):
            start, header, _ = checked[first]
            segment = self._segment_for(header, timestamp_ms)
            last = first + 1
            end = start + header.size
            room = self.config.segment_bytes - segment.size
            while last < len(checked) and end + checked[last][1].size - start <= room:
                if segment.is_full(checked[last][1], self.config.segment_index_bytes):
                    break
                end += checked[last][1].size
                last += 1
            self._write(segment, batches[start:end])
            for _, header, marker in checked[first:last]:
                self._note(segment, header, marker, timestamp_ms)
            first = last

    def _segment_for(self, header: BatchHeader, timestamp_ms: int) -> Segment:
        """The segment that the batch goes into: the active one, or a new one."""
        active = self._active
        config = self.config
        if active.sealed or (
            active.size
            and (
                active.size + header.size > config.segment_bytes
                or self._is_old(active, header, timestamp_ms)
                or active.is_full(header, config.segment_index_bytes)
            )
        ):
            self._roll(timestamp_ms)
        return self._active

    def _is_old(self, segment: Segment, header: BatchHeader, timestamp_ms: int) -> bool:
        # By the records' own time as Kafka does: so old data that is written again rolls as it
        # did the first time, and retention by time can drop whole segments of it.
        first = segment.first_timestamp
        if first is None:
            first = segment.load_first_timestamp()
        if first is not None and first >= 0 and header.max_timestamp >= 0:
            return header.max_timestamp - first > self.config.segment_ms
        created_ms = segment.created_ms
        return created_ms is not None and timestamp_ms - created_ms > self.config.segment_ms

    def _roll(self, timestamp_ms: int) -> None:
        """Seal the active segment and begin another; nothing is synced here."""
        old = self._active
        try:
            new = Segment.create(self._vfs, self.folder, self.log_end_offset, timestamp_ms)
        except OSError as error:
            self._storage_error(error)
        self._names_dirty = True
        if old.base_offset == new.base_offset:  # it was empty: its file has been replaced
            old.removed = True
            self._segments[-1] = new
        else:
            old.seal()
            self._segments.append(new)
            self._bases.append(new.base_offset)
            self._snapshots.take(self.producers, new.base_offset)
        self._active = new
        self._begin_boundaries()

    def _write(self, segment: Segment, data: Buffer) -> None:
        try:
            segment.append(data)
        except OSError as error:
            # A part may be in the file: the next append must not follow it.
            try:
                segment.file.truncate(segment.size)
            except OSError as second:
                self.directory.fail(second)
            self._storage_error(error)

    def _note(
        self, segment: Segment, header: BatchHeader, marker: Marker | None, timestamp_ms: int
    ) -> None:
        """Take a batch into account that has just been written at the log end."""
        segment.note(header, self.config.index_interval_bytes)
        base_offset = header.base_offset
        if header.leader_epoch >= 0:
            self.epochs.assign(header.leader_epoch, base_offset)
        if header.producer_id >= 0:
            note_batch(self.producers, header, marker, timestamp_ms)
        self.log_end_offset = next_offset = base_offset + header.last_offset_delta + 1
        offsets = self._boundary_offsets
        offsets.append(next_offset)
        self._boundary_positions.append(segment.size)
        if len(offsets) > _BOUNDARIES_MAX:
            del offsets[: _BOUNDARIES_MAX // 2]
            del self._boundary_positions[: _BOUNDARIES_MAX // 2]
        snapshots = self._snapshots
        snapshots.bytes_since += header.size
        if snapshots.bytes_since > INTERVAL_BYTES and snapshots.maybe_take(
            self.producers, next_offset
        ):
            snapshots.drop_old(self.recovery_point, self._bases)

    def _begin_boundaries(self) -> None:
        """Batch boundaries of the active segment that are known without reading: its end."""
        self._boundary_offsets = array("q", [self._active.next_offset])
        self._boundary_positions = array("q", [self._active.size])

    # Reading

    def read(
        self, offset: int, max_bytes: int, *, end_offset: int, at_least_one: bool = True
    ) -> LogSlice | None:
        """Whole batches of one segment, from the one that holds `offset` on, at most `max_bytes`.

        No batch reaches beyond `end_offset` (exclusive). `at_least_one`: a first batch larger than
        `max_bytes` is given whole. None: nothing to read there.
        OFFSET_OUT_OF_RANGE: outside [log_start_offset, log_end_offset].
        """
        self._check_readable()
        if not self.log_start_offset <= offset <= self.log_end_offset:
            raise ProtocolError(
                ErrorCode.OFFSET_OUT_OF_RANGE,
                f"{self._name} holds offsets {self.log_start_offset} to {self.log_end_offset}, "
                f"not {offset}",
            )
        if offset >= end_offset or offset == self.log_end_offset:
            return None
        offsets = self._boundary_offsets
        if offset >= offsets[0]:
            positions = self._boundary_positions
            first = bisect_right(offsets, offset) - 1
            start = positions[first]
            last = bisect_right(positions, start + max_bytes) - 1
            if end_offset < offsets[last]:
                last = bisect_right(offsets, end_offset) - 1
            if last <= first:
                last = first + 1
                if not at_least_one or offsets[last] > end_offset:
                    return None
            return LogSlice(self._active.file, start, positions[last] - start, offsets[first])
        try:
            segment = self._segments[bisect_right(self._bases, offset) - 1]
            return search.find_slice(segment, offset, max_bytes, end_offset, at_least_one)
        except (DecodeError, OSError) as error:
            self._read_failed(error)

    def offset_for_timestamp(
        self, timestamp_ms: int, end_offset: int
    ) -> tuple[int, int, int] | None:
        """(timestamp, offset, leader epoch) of the first record at or after `timestamp_ms`.

        None when there is none below `end_offset` (exclusive).
        """
        self._check_readable()
        try:
            return search.find_timestamp(
                self._segments, timestamp_ms, self.log_start_offset, end_offset
            )
        except (DecodeError, OSError) as error:
            self._read_failed(error)

    def max_timestamp_offset(self, end_offset: int) -> tuple[int, int, int] | None:
        """(timestamp, offset, leader epoch) of the first record with the largest timestamp.

        None when no record below `end_offset` (exclusive) has one.
        """
        self._check_readable()
        try:
            return search.find_max_timestamp(self._segments, self.log_start_offset, end_offset)
        except (DecodeError, OSError) as error:
            self._read_failed(error)

    # Truncating

    def truncate_to(self, offset: int) -> None:
        """Drop everything from `offset` on; a batch that holds it goes whole. Above: no change."""
        if offset >= self.log_end_offset:
            return
        if offset <= self._bases[0]:
            self.reset_to(offset)
            return
        self._check_usable()
        try:
            number = bisect_right(self._bases, offset) - 1
            segment = self._segments[number]
            position, header = segment.locate(offset)
            boundary = header.base_offset
            self._lower_recovery_point(boundary)
            # A segment of which nothing stays is removed as well, and made anew by the next roll.
            self._remove_from(number if position == 0 and number else number + 1)
            if segment is self._segments[-1]:
                segment.cut(position, boundary)
        except DecodeError as error:
            self._read_failed(error)
        except OSError as error:
            self._fault = f"a truncation failed: {error}"
            self._storage_error(error)
        self._active = self._segments[-1]
        self._truncated(boundary)

    def reset_to(self, offset: int) -> None:
        """Drop everything; the log starts anew, empty, at `offset`."""
        self._check_usable()
        try:
            self._snapshots.drop_above(-1)
            self._lower_recovery_point(min(self._bases[0], offset), durably=True)
            self._remove_from(0)
            self._active = Segment.create(
                self._vfs, self.folder, offset, self._clock.timestamp_ms()
            )
        except OSError as error:
            self._fault = f"a truncation failed: {error}"
            self._storage_error(error)
        self._segments.append(self._active)
        self._bases.append(offset)
        self._names_dirty = True
        self.log_start_offset = offset
        self.epochs.clear()
        self._truncated(offset)

    def _truncated(self, log_end_offset: int) -> None:
        self.log_end_offset = log_end_offset
        self.log_start_offset = min(self.log_start_offset, log_end_offset)
        self.epochs.truncate_to(log_end_offset)
        self._rebuild_producers()
        self._begin_boundaries()
        self._names_dirty = True

    def _lower_recovery_point(self, offset: int, *, durably: bool = False) -> None:
        """Before what lies above `offset` goes: nobody may take it for synced any more.

        `durably`: in any case, not only when the checkpoints may hold a higher one.
        """
        with self._point_lock:
            self._truncations += 1
            self.recovery_point = min(self.recovery_point, offset)
            self._index_point = min(self._index_point, offset)
        self.log_start_offset = min(self.log_start_offset, offset)
        self._snapshots.drop_above(offset)
        handed = self._handed
        if durably or (
            handed is not None and max(handed.recovery_point, handed.log_start_offset) > offset
        ):
            self.note_checkpoint()
            self._checkpoints.commit()

    def _remove_from(self, number: int) -> None:
        """Remove the segments from `number` on, the last one first, durably.

        So a crash in between leaves a prefix, and none of them can appear again beside what will
        be written in their place.
        """
        if number >= len(self._segments):
            return
        while len(self._segments) > number:
            self._condemn(self._segments.pop())
            self._bases.pop()
        self._vfs.fsync_dir(self.folder)

    def _condemn(self, segment: Segment) -> None:
        """Take a segment's files out of the log; they are unlinked after the delay."""
        segment.removed = True
        due_ms = self._clock.now_ms() + self.config.file_delete_delay_ms
        for path in segment.file_paths():
            self._vfs.rename(path, path + names.DELETED_SUFFIX)
            self._condemned.append((due_ms, path + names.DELETED_SUFFIX))

    def _rebuild_producers(self) -> None:
        """Make the producer state of what is left: a snapshot and the batches after it."""
        if not len(self.producers):
            return
        start, self.producers = self._snapshots.latest(self._bases[0], self.log_end_offset)
        seen_ms = self._clock.timestamp_ms()
        try:
            for segment in self._segments:
                replay_segment(self.producers, segment, start, seen_ms)
        except (DecodeError, OSError) as error:
            self._read_failed(error)

    # The log's start

    def advance_log_start(self, offset: int) -> None:
        """Hide what is below `offset`; retention then deletes whole segments. Lower: no change.

        OFFSET_OUT_OF_RANGE: above the log end.
        """
        if offset > self.log_end_offset:
            raise ProtocolError(
                ErrorCode.OFFSET_OUT_OF_RANGE, f"{self._name} ends at {self.log_end_offset}"
            )
        if offset > self.log_start_offset:
            self.log_start_offset = offset
            self.epochs.forget_below(offset)

    def delete_old_segments(self, timestamp_ms: int, high_watermark: int) -> int:
        """Delete what retention no longer keeps; how many segments went.

        Never anything at or above `high_watermark`: it may not be in the cluster for good.
        """
        self._check_usable()
        count = decide_deletable(
            [_age(segment) for segment in self._segments],
            self.config,
            timestamp_ms=timestamp_ms,
            log_start_offset=self.log_start_offset,
            high_watermark=high_watermark,
        )
        if not count:
            return 0
        try:
            if count == len(self._segments):
                self._roll(timestamp_ms)
            for _ in range(count):
                segment = self._segments.pop(0)
                del self._bases[0]
                self._condemn(segment)
        except OSError as error:
            self._storage_error(error)
        self._names_dirty = True
        self.advance_log_start(max(self.log_start_offset, self._bases[0]))
        return count

    def unlink_condemned(self, now_ms: int) -> None:
        """Unlink removed files whose time has come. OSError: the disk."""
        while self._condemned and self._condemned[0][0] <= now_ms:
            _, path = self._condemned.pop(0)
            if self._vfs.exists(path):
                self._vfs.unlink(path)

    # Saving

    def flush(self) -> None:
        """Sync everything up to the log end and move the recovery point there. Blocks."""
        self._flush(everything=True)

    def flush_sealed(self) -> None:
        """Sync all but the active segment. Blocks."""
        self._flush(everything=False)

    @property
    def has_sealed_dirt(self) -> bool:
        """Whether `flush_sealed` has something to do."""
        return self._names_dirty or any(segment.dirty for segment in self._segments[:-1])

    def _flush(self, *, everything: bool, closing: bool = False) -> None:
        with self._flush_lock:
            self._check_usable()
            truncations = self._truncations
            segments = list(self._segments)
            start = segments[-1].base_offset  # of the active one, whose indexes are in memory
            target = self.log_end_offset if everything else start
            try:
                for segment in segments if everything else segments[:-1]:
                    if (segment.dirty or closing) and segment.flush(closing=closing):
                        self._names_dirty = True
                self._sync_names()
            except OSError as error:
                if isinstance(error, FileNotFoundError) and self._fault is not None:
                    return  # deleted meanwhile
                # Never again: the kernel may have dropped the pages that it could not write.
                self.directory.fail(error)
                self._storage_error(error)
            with self._point_lock:
                if truncations == self._truncations:
                    self.recovery_point = max(self.recovery_point, target)
                    self._index_point = max(self._index_point, target if closing else start)
            self.flushed_ms = self._clock.now_ms()

    def _sync_names(self) -> None:
        if self._identity_dirty:
            path = os.path.join(self.folder, names.PARTITION_METADATA)
            if self._vfs.exists(path):
                self._vfs.open(path, OpenMode.WRITE).fsync()
            self._vfs.fsync_dir(os.path.dirname(self.folder))
        if self._names_dirty:
            self._names_dirty = False
            self._vfs.fsync_dir(self.folder)
        self._identity_dirty = False

    def note_checkpoint(self) -> None:
        """Hand recovery point, log start and epochs over to the checkpoints, if they changed."""
        checkpoint = LogCheckpoint(
            self.recovery_point, self._index_point, self.log_start_offset, self.epochs.entries
        )
        if checkpoint != self._handed:
            self._handed = checkpoint
            self._checkpoints.note_log(self.key, checkpoint)
            self._snapshots.drop_old(checkpoint.recovery_point, self._bases)

    def close(self) -> None:
        """Flush, note what a clean start needs, and take no more appends. Blocks."""
        if self._fault is None:
            self._flush(everything=True, closing=True)
            self._snapshots.take(self.producers, self.log_end_offset)
            self.note_checkpoint()
            self.abandon("it is closed")

    def abandon(self, reason: str) -> None:
        """Refuse everything from now on; files in flight stay readable."""
        self._fault = self._fault or reason
        for segment in self._segments:
            segment.removed = True  # a flush under way must not miss files that are renamed now

    def release_cold(self) -> None:
        """Close the files of sealed segments that nobody has read since the last call."""
        for segment in self._segments[:-1]:
            segment.release()

    # Errors

    @property
    def usable(self) -> bool:
        """Whether it takes appends."""
        return self.directory.appendable and self._fault is None

    @property
    def _name(self) -> str:
        return f"{self.topic}-{self.partition}"

    def _check_usable(self) -> None:
        if self.usable:
            return
        self.directory.check_online()
        raise ProtocolError(
            ErrorCode.KAFKA_STORAGE_ERROR,
            f"{self._name}: {self._fault or 'its directory is not marked as running'}",
        )

    def _check_readable(self) -> None:
        if self.directory.failure is not None or self._fault is not None:
            self._check_usable()

    def _storage_error(self, error: OSError) -> NoReturn:
        if error.errno in DISK_FULL:
            raise ProtocolError(
                ErrorCode.KAFKA_STORAGE_ERROR, f"{self._name}: the disk is full"
            ) from error
        self.directory.fail(error)
        raise ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, f"{self._name}: {error}") from error

    def _read_failed(self, error: DecodeError | OSError) -> NoReturn:
        """Data that was in the log is not what it was: this replica must be made again."""
        if isinstance(error, OSError):
            self._storage_error(error)
        self._fault = f"it is damaged: {error}"
        _log.error("log %s is offline: %s", self._name, error)
        raise ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, f"{self._name}: {error}") from error


def _age(segment: Segment) -> SegmentAge:
    timestamp = segment.max_timestamp if segment.max_timestamp >= 0 else segment.created_ms
    return SegmentAge(segment.size, segment.next_offset, timestamp)
