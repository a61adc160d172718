"""A log as it stands: opened, rolled, truncated, kept, saved. `Log` adds appends and reads.

Invariants:

- Segments follow each other without a gap; only the last one grows, and only while not sealed.
- `log_start_offset` <= `log_end_offset`; below `recovery_point` everything is synced.
- The recovery point that the checkpoints may hold never lies above what the files hold: before a
  truncation below it, it is lowered durably.
- Leader epochs and producers say exactly what the batches in the files say.
"""

from __future__ import annotations

import contextlib
import logging
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NoReturn

from ottla.core.clock import Clock
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from storage import names
from storage.checkpoints import Checkpoints, LogKey
from storage.compaction import swap
from storage.config import LogConfig
from storage.directory import LogDirectory
from storage.durability import Durability
from storage.errors import DISK_FULL, NO_DESCRIPTOR, IndexesNotSaved, LogDamaged
from storage.recovery import load_log
from storage.retention import SegmentAge, decide_deletable
from storage.segment import Segment
from storage.snapshots import ProducerSnapshots, replay_segment
from storage.vfs import Vfs

_log = logging.getLogger(__name__)


class LogState:
    """See the module."""

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
        self.damaged = False  # for the reason that data is not what it was
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
        self._durability = Durability(
            vfs, folder, self.key, checkpoints, loaded.recovery_point, loaded.index_point
        )
        self.epochs = loaded.epochs
        self.producers = loaded.producers
        self.scanned_bytes = loaded.scanned_bytes
        self._snapshots = ProducerSnapshots(checkpoints, self.key)
        # What was not believed now must not be believed later, when the point has passed it.
        noted = self._durability.noted
        self._snapshots.drop_above(noted.recovery_point if noted else -1)
        if loaded.scanned_bytes:
            self._snapshots.take(self.producers, self.log_end_offset)
        self.flushed_ms = clock.now_ms()
        stored = checkpoints.clean_offset(self.key) or 0
        self.clean_offset = min(max(stored, self._bases[0]), self.log_end_offset)
        self._boundary_offsets = array("q")
        self._boundary_positions = array("q")
        self._begin_boundaries()
        if noted and noted.log_start_offset > self.log_end_offset:
            # The tail is lost, up to before a start that deleting records had moved. Offsets will
            # be given again: another crash must not find the old start and hide their records.
            self.note_checkpoint()
            checkpoints.commit()

    @property
    def recovery_point(self) -> int:
        """Everything below is synced."""
        return self._durability.recovery_point

    @property
    def segments(self) -> list[Segment]:
        """The segments as they are now, oldest first, never none."""
        return list(self._segments)

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

    # Segments

    def _roll(self, timestamp_ms: int) -> None:
        """Seal the active segment and begin another; nothing is synced here."""
        old = self._active
        try:
            new = Segment.create(self._vfs, self.folder, self.log_end_offset, timestamp_ms)
        except OSError as error:
            self._storage_error(error)
        self._durability.names_dirty = True
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

    def _begin_boundaries(self) -> None:
        """Batch boundaries of the active segment that are known without reading: its end."""
        self._boundary_offsets = array("q", [self._active.next_offset])
        self._boundary_positions = array("q", [self._active.size])

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
            position, boundary = segment.boundary_at(offset)
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
        self._durability.names_dirty = True
        self.log_start_offset = offset
        self.epochs.clear()
        self._truncated(offset)

    def _truncated(self, log_end_offset: int) -> None:
        self._durability.lower(log_end_offset)
        self.log_end_offset = log_end_offset
        self.log_start_offset = min(self.log_start_offset, log_end_offset)
        if self.clean_offset > log_end_offset:
            self.note_clean_offset(log_end_offset)
        self.epochs.truncate_to(log_end_offset)
        self._rebuild_producers()
        self._begin_boundaries()
        self._durability.names_dirty = True

    def _lower_recovery_point(self, offset: int, *, durably: bool = False) -> None:
        """Before what lies above `offset` goes: nobody may take it for synced any more.

        `durably`: in any case, not only when the checkpoints may hold a higher one.
        """
        self._durability.lower(offset)
        log_start_offset = self.log_start_offset
        self.log_start_offset = min(log_start_offset, offset)
        self._snapshots.drop_above(offset)
        if durably or self._durability.may_be_noted_above(offset):
            noted = self._durability.noted
            self.note_checkpoint()
            try:
                self._checkpoints.commit()
            except OSError as error:
                # Nothing is cut yet: it can be tried again, and then must be committed again.
                self.log_start_offset = log_start_offset
                self._durability.noted = noted
                self._storage_error(error)

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
        self._durability.names_dirty = True
        self.advance_log_start(max(self.log_start_offset, self._bases[0]))
        return count

    def unlink_condemned(self, now_ms: int) -> None:
        """Unlink removed files whose time has come. OSError: the disk."""
        while self._condemned and self._condemned[0][0] <= now_ms:
            _, path = self._condemned.pop(0)
            if self._vfs.exists(path):
                self._vfs.unlink(path)

    # Compaction

    def note_clean_offset(self, offset: int) -> None:
        """A compaction pass has seen everything below `offset` (exclusive), and nothing above."""
        self.clean_offset = offset
        self._checkpoints.note_clean_offset(self.key, offset)

    def replace_segments(self, sources: Sequence[Segment], size: int) -> bool:
        """Put the cleaned segment of `size` bytes, written as `*.cleaned`, in the sources' place.

        False, and nothing is changed, when they are not a run of sealed segments of this log any
        more. KAFKA_STORAGE_ERROR: the disk; the next start then completes it.
        """
        self._check_usable()
        first = bisect_left(self._bases, sources[0].base_offset)
        end = first + len(sources)
        # Compared by identity: a log that was emptied meanwhile may have others at these offsets.
        if end >= len(self._segments) or self._segments[first:end] != list(sources):
            return False
        base_offset, next_offset = sources[0].base_offset, sources[-1].next_offset
        cleaned = Segment(self._vfs, self.folder, base_offset, size=size, next_offset=next_offset)
        cleaned.sealed = True
        try:
            swap.stage(self._vfs, cleaned.path)
            for source in sources:
                self._condemn(source)
            swap.install(self._vfs, cleaned.path)
            self._segments[first:end] = [cleaned]
            self._bases[first:end] = [base_offset]
            self._durability.names_dirty = True
            cleaned.adopt_or_rebuild_indexes(self.config.index_interval_bytes)
        except OSError as error:
            self._fault = f"a compaction was cut off: {error}"
            self._storage_error(error)
        except DecodeError as error:
            self._read_failed(error)
        return True

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
        return self._durability.names_dirty or any(segment.dirty for segment in self._segments[:-1])

    def _flush(self, *, everything: bool, closing: bool = False) -> None:
        self._check_usable()
        try:
            self._durability.flush(self, everything=everything, closing=closing)
        except OSError as error:
            if isinstance(error, IndexesNotSaved) or error.errno in NO_DESCRIPTOR:
                self._storage_error(error)
            if isinstance(error, FileNotFoundError) and self._fault is not None:
                return  # deleted meanwhile
            # Also when the disk is full: the kernel may have dropped pages that it could not write.
            self.directory.fail(error)
            self._storage_error(error)
        if everything:
            self.flushed_ms = self._clock.now_ms()

    def note_checkpoint(self) -> None:
        """Hand the recovery point, the log's start and the epochs over to the checkpoints."""
        if self._durability.note(self.log_start_offset, self.epochs.entries):
            self._snapshots.drop_old(self.recovery_point, self._bases)

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
            raise self.directory.room.refused() from error
        if error.errno not in NO_DESCRIPTOR:
            self.directory.fail(error)
        raise ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, f"{self._name}: {error}") from error

    def fail_damaged(self, error: DecodeError) -> None:
        """A compaction found that the log does not hold what it should."""
        with contextlib.suppress(ProtocolError):
            self._read_failed(error)

    def fail_reading(self, error: OSError) -> NoReturn:
        """The disk did not give what a slice of this log holds: KAFKA_STORAGE_ERROR."""
        self._read_failed(error)

    def _read_failed(self, error: DecodeError | OSError) -> NoReturn:
        """Data that was in the log is not what it was: this replica must be made again."""
        if isinstance(error, OSError):
            self._storage_error(error)
        self._fault = f"it is damaged: {error}"
        self.damaged = True
        _log.error("log %s is offline: %s", self._name, error)
        raise LogDamaged(f"{self._name}: {error}") from error


def _age(segment: Segment) -> SegmentAge:
    timestamp = segment.max_timestamp if segment.max_timestamp >= 0 else segment.created_ms
    return SegmentAge(segment.size, segment.next_offset, timestamp)
