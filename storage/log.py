"""The log of one partition: append, read, and what `LogState` brings: truncate, flush, close.

All methods run on the event loop's thread, except `flush`, `flush_sealed` and `close`, which block
and belong into a thread of their own; they touch segments through `Segment.flush` alone.

Errors: ProtocolError KAFKA_STORAGE_ERROR when the disk is full (nothing was changed), or when the
directory or this log has gone offline.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from crc32c import crc32c

from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.record.batch import BatchHeader, patch_log_append_time, patch_offset_and_epoch
from storage import search
from storage.config import LogConfig, TimestampType
from storage.log_state import LogState
from storage.markers import Marker, note_batch
from storage.message_rules import apply_rules
from storage.producers import AppendedBatch
from storage.segment import Segment
from storage.slices import LogSlice
from storage.snapshots import INTERVAL_BYTES
from storage.transaction_index import AbortedTransaction
from storage.validation import check_replicated, marker_of, validate_batch
from storage.vfs import Buffer

__all__ = ["Append", "Log", "LogConfig", "LogSlice", "TimestampType"]

_BOUNDARIES_MAX = 256  # of the newest batches, 16 bytes each; then half of them go


@dataclass(slots=True)
class Append:
    """Where a batch is in the log. Offsets inclusive; a duplicate's are those of the first time.

    `batch` is what was written: the caller's, patched, or another one that the topic's settings
    made of it; empty for a duplicate.
    """

    base_offset: int
    last_offset: int
    log_append_time_ms: int  # -1 unless the topic has LogAppendTime
    duplicate: bool
    batch: memoryview = field(default=memoryview(b""), compare=False)


class Log(LogState):
    """See the module."""

    # Appending

    def append_as_leader(
        self, batch: memoryview, *, leader_epoch: int, timestamp_ms: int, internal: bool = False
    ) -> Append:
        """Append the one batch in `batch`, which is borrowed until the return and patched.

        `internal`: from a coordinator of ours, to whose batches the topic's message rules do not
        apply. Errors: those of `validate_batch`, of `ProducerState.check`, of `apply_rules`, and
        KAFKA_STORAGE_ERROR.
        """
        self._check_usable()
        config = self.config
        header = validate_batch(batch, config, internal=internal)
        marker: Marker | None = None
        if header.producer_id >= 0:
            if header.is_control:
                marker = marker_of(batch, header)
            elif (known := self._check_sequence(header)) is not None:
                append_time = -1
                if config.timestamp_type is TimestampType.LOG_APPEND_TIME:
                    append_time = known.timestamp
                return Append(known.base_offset, known.last_offset, append_time, True)
        if not internal:
            batch = apply_rules(batch, header, config, timestamp_ms)
        self._take_room(len(batch))
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
        return Append(base_offset, self.log_end_offset - 1, append_time, False, batch)

    def append_as_follower(self, batches: memoryview) -> None:
        """Append whole batches from the leader as they are; all are checked before any is written.

        Offsets may leave gaps where the leader's log was compacted.

        OFFSET_OUT_OF_RANGE: a batch that begins below the log end or the batch before it.
        CORRUPT_MESSAGE: a torn batch, a wrong CRC, or a leader epoch that falls.
        """
        self._check_usable()
        # An epoch of ours that got no records is not in the leader's log.
        self.epochs.truncate_to(self.log_end_offset)
        newest = self.epochs.latest()
        checked = check_replicated(
            batches, self.log_end_offset, -1 if newest is None else newest, self._name
        )
        self._take_room(len(batches))
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

    def _check_sequence(self, header: BatchHeader) -> AppendedBatch | None:
        """See `ProducerState.check`.

        On a full disk a gap is not the producer's fault: the batch before was refused. Told that
        it is out of order, a client would begin a new epoch, and what it is not sure of twice.
        """
        try:
            return self.producers.check(header)
        except ProtocolError as error:
            room = self.directory.room
            if room.full and error.code is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER:
                raise room.error() from error
            raise

    def _take_room(self, size: int) -> None:
        """KAFKA_STORAGE_ERROR when the disk has no room for `size` bytes above its floor."""
        room = self.directory.room
        room.left -= size
        if room.left < 0:
            try:
                room.look_again(size)
            except OSError as error:
                self._storage_error(error)

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
        limit_ms = self._roll_after_ms
        if first is not None and first >= 0 and header.max_timestamp >= 0:
            return header.max_timestamp - first > limit_ms
        created_ms = segment.created_ms
        return created_ms is not None and timestamp_ms - created_ms > limit_ms

    @property
    def _roll_after_ms(self) -> int:
        """`segment.ms` less this segment's share of the jitter; for compaction in time, less."""
        config = self.config
        limit_ms = config.segment_ms
        if config.segment_jitter_ms:
            # Not random: the same after a restart, and different from log to log.
            spread = crc32c(self.key.encode() + self._active.base_offset.to_bytes(8, "big"))
            limit_ms -= spread % (min(config.segment_jitter_ms, limit_ms) + 1)
        return min(limit_ms, config.max_compaction_lag_ms) if config.compacts else limit_ms

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
            aborted = note_batch(self.producers, header, marker, timestamp_ms)
            if aborted is not None:
                segment.transactions.append(aborted)
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

    # Moving to another directory (moving.py)

    @property
    def truncations(self) -> int:
        """Rises with every truncation: a copy of the log is then one no more."""
        return self._durability.truncations

    def take_place_of(self, log: Log) -> None:
        """This copy of `log`, which ends and starts where that does, is from now on the log: it
        takes over what batches do not say (epochs without records, producers whose batches are
        gone), and counts as synced what `log` did, until its folder's renaming is."""
        self.config = log.config
        self.epochs.clear()
        for leader_epoch, start_offset in log.epochs.entries:
            self.epochs.assign(leader_epoch, start_offset)
        self.producers = log.producers
        self._durability.sync_also = log.directory.path
        self._durability.lower(log.recovery_point)

    def note_moved(self) -> None:
        """The renaming of the folder before is durable."""
        self._durability.sync_also = None

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
            return LogSlice(
                self._active.file, start, positions[last] - start, offsets[first], offsets[last]
            )
        try:
            segment = self._segments[bisect_right(self._bases, offset) - 1]
            return search.find_slice(segment, offset, max_bytes, end_offset, at_least_one)
        except (DecodeError, OSError) as error:
            self._read_failed(error)

    def holds_more_than(self, found: LogSlice, bytes_max: int) -> bool:
        """Whether more than `bytes_max` lie between the start of a slice and the log's end."""
        size = -found.position
        for segment in self._segments[max(bisect_right(self._bases, found.base_offset) - 1, 0) :]:
            size += segment.size
            if size > bytes_max:
                return True
        return False

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

    def aborted_transactions(self, offset: int, end_offset: int) -> list[AbortedTransaction]:
        """Those that have records in [offset, end_offset), for readers of committed records."""
        self._check_readable()
        try:
            return search.find_aborted(
                self._segments[max(0, bisect_right(self._bases, offset) - 1) :], offset, end_offset
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
