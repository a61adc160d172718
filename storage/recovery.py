"""Opening a log's folder: what the last stop left is found out, checked and mended.

The steps, whose reasons are in README.md:

1. Leftovers go: `*.deleted`, `*.tmp`, `*.cleaned`, indexes without their .log file. A compaction
   that had come as far as `*.swap` is completed: see compaction/swap.py.
2. After a clean stop whose checkpoint agrees with the end of the log nothing is scanned.
3. Otherwise all below the recovery point is taken as it is (it was synced), with its indexes if
   they were synced and are sane, else with new ones; everything from the recovery point on is
   scanned: whole batches, CRC, offsets without a gap, leader epochs that do not fall.
4. The first batch that fails is where the log ends; the file is cut there, later segments go. A
   batch that the *next* segment holds again is the remnant of a truncation: the file is cut, the
   scan goes on in the next segment.
5. Nothing below the recovery point is ever dropped: what is missing or broken there keeps the log
   closed with KAFKA_STORAGE_ERROR, for the operator and the leader's copy to mend.
6. After a failed sync, everything from the recovery point on is written once more.
7. Leader epochs, producers and aborted transactions come from checkpoint and index as far as the
   recovery point and from the batches after it.
8. In a log that was never opened here, stopped cleanly by another program, a segment may end before
   the next one begins: Kafka's compaction leaves that. An empty batch closes the gap.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from ottla.core.errors import DecodeError
from ottla.record.batch import BatchHeader, read_header
from ottla.record.build import empty_batch
from storage import names
from storage.checkpoints import Checkpoints, LogKey
from storage.compaction.swap import complete_swaps
from storage.config import LogConfig
from storage.directory import LogDirectory, StopState
from storage.epochs import LeaderEpochCache
from storage.errors import LogDamaged
from storage.producers import ProducerState
from storage.scan import scan_batches, walk_headers
from storage.segment import Segment
from storage.snapshots import ProducerSnapshots, replay_batch, replay_segment
from storage.vfs import OpenMode, Vfs, VfsFile

_log = logging.getLogger(__name__)

_REWRITE_CHUNK = 1 << 20
_LEFTOVERS = (names.DELETED_SUFFIX, names.TEMPORARY_SUFFIX, names.CLEANED_SUFFIX)


@dataclass(slots=True)
class LoadedLog:
    """What a folder holds. `segments` is never empty; the last one may be sealed."""

    segments: list[Segment]
    log_start_offset: int
    recovery_point: int
    index_point: int
    epochs: LeaderEpochCache
    producers: ProducerState
    scanned_bytes: int = 0


def load_log(
    vfs: Vfs,
    folder: str,
    *,
    key: LogKey,
    config: LogConfig,
    directory: LogDirectory,
    checkpoints: Checkpoints,
    timestamp_ms: int,
) -> LoadedLog:
    """Open the log in `folder`. Blocks for as long as the scan takes.

    ProtocolError KAFKA_STORAGE_ERROR: data below the recovery point is missing or damaged.
    OSError: the disk.
    """
    return _Loader(vfs, folder, key, config, directory, checkpoints, timestamp_ms).load()


class _Loader:
    def __init__(
        self,
        vfs: Vfs,
        folder: str,
        key: LogKey,
        config: LogConfig,
        directory: LogDirectory,
        checkpoints: Checkpoints,
        timestamp_ms: int,
    ) -> None:
        self._vfs = vfs
        self._folder = folder
        self._key = key
        self._config = config
        self._clean = directory.stop_state is StopState.CLEAN
        self._suspect = directory.suspect
        self._checkpoints = checkpoints
        self._timestamp_ms = timestamp_ms
        self._segments: list[Segment] = []
        self._epochs = LeaderEpochCache()
        self._producers = ProducerState()
        self._producers_from = 0  # the producer state covers everything below this offset
        self._recovery_point = 0
        self._index_point = 0
        self._scanned_bytes = 0
        self._last_epoch = -1  # of the batches read so far
        self._newest_epoch = -1  # that `_epochs` knows
        self._foreign = False
        self._transactions_damaged = False

    def load(self) -> LoadedLog:
        bases = self._remove_leftovers()
        checkpoint = self._checkpoints.log(self._key)
        log_start_offset = checkpoint.log_start_offset if checkpoint else 0
        if not bases:
            if checkpoint and checkpoint.recovery_point > log_start_offset:
                raise self._damaged("has no segments", checkpoint.recovery_point)
            segment = Segment.create(self._vfs, self._folder, log_start_offset, self._timestamp_ms)
            return LoadedLog([segment], log_start_offset, 0, 0, self._epochs, self._producers)
        first = bases[0]
        self._foreign = checkpoint is None and self._clean
        self._recovery_point = max(first, checkpoint.recovery_point if checkpoint else first)
        if checkpoint:
            self._index_point = checkpoint.index_point
            self._epochs = LeaderEpochCache(checkpoint.epochs)
            self._epochs.truncate_to(self._recovery_point)
            newest = self._epochs.latest()
            self._newest_epoch = -1 if newest is None else newest
        # A snapshot above the recovery point may be of another history than the log has now; so
        # may one at the start of a log that was emptied, which lies above the stored point.
        trusted = checkpoint.recovery_point if checkpoint else -1
        snapshots = ProducerSnapshots(self._checkpoints, self._key)
        self._producers_from, self._producers = snapshots.latest(first, trusted)
        self._load_segments(bases)
        if self._transactions_damaged:
            self._rebuild_transactions()
        log_end_offset = self._segments[-1].next_offset
        if log_end_offset < self._recovery_point:
            raise self._damaged(f"ends at offset {log_end_offset}", self._recovery_point)
        log_start_offset = min(max(log_start_offset, first), log_end_offset)
        self._check_epochs(log_end_offset)
        self._epochs.forget_below(log_start_offset)
        for segment in self._segments[:-1]:
            segment.drop_files()  # three each; a broker has thousands of segments
        return LoadedLog(
            self._segments,
            log_start_offset,
            # Not raised to the first segment: that the ones before it went may not be synced, and
            # they could be there again, torn.
            checkpoint.recovery_point if checkpoint else 0,
            self._index_point,
            self._epochs,
            self._producers,
            self._scanned_bytes,
        )

    def _remove_leftovers(self) -> list[int]:
        """The base offsets of the segments, rising."""
        try:
            found = complete_swaps(self._vfs, self._folder, self._vfs.listdir(self._folder))
        except DecodeError as error:
            raise self._damaged(str(error), self._recovery_point) from error
        bases = [base for name in found if (base := names.base_offset_of(name)) is not None]
        kept = {names.segment_name(base) for base in bases}
        for name in found:
            stem, suffix = os.path.splitext(name)
            orphan = suffix in names.INDEX_SUFFIXES and stem not in kept
            if orphan or suffix in _LEFTOVERS:
                self._vfs.unlink(os.path.join(self._folder, name))
        return sorted(bases)

    # Segments

    def _load_segments(self, bases: list[int]) -> None:
        for number, base_offset in enumerate(bases):
            following = bases[number + 1] if number + 1 < len(bases) else None
            path = os.path.join(self._folder, names.segment_name(base_offset) + names.LOG_SUFFIX)
            size = self._vfs.open(path, OpenMode.READ).size()
            if following is not None and following <= self._recovery_point:
                segment = self._settled(base_offset, following, size)
                self._segments.append(segment)
                self._replay_settled(segment)
                continue
            segment = Segment(
                self._vfs, self._folder, base_offset, size=size, next_offset=base_offset
            )
            self._segments.append(segment)
            if following is None and self._opened_cleanly(segment):
                return
            if not self._scan(segment, size, following) and following is not None:
                self._drop(bases[number + 1 :])
                return

    def _settled(self, base_offset: int, following: int, size: int) -> Segment:
        """A segment that lies below the recovery point, and so was synced with its indexes."""
        segment = Segment(self._vfs, self._folder, base_offset, size=size, next_offset=following)
        segment.sealed = True
        interval = self._config.index_interval_bytes
        try:
            if following <= self._index_point:
                segment.adopt_or_rebuild_indexes(interval)
            else:
                segment.rebuild_indexes(interval)
            if not self._clean:
                # Right at the recovery point it may have been cut, and the cut not been synced.
                segment.trim()
                segment.dirty |= following == self._recovery_point
        except DecodeError as damage:
            raise self._damaged(str(damage), self._recovery_point) from damage
        self._load_transactions(segment)
        return segment

    def _load_transactions(self, segment: Segment) -> None:
        """The aborted transactions whose markers lie below the recovery point."""
        try:
            segment.transactions.load(segment.base_offset, self._recovery_point)
        except DecodeError as error:
            _log.warning("reading aborted transactions from the log: %s", error)
            self._transactions_damaged = True

    def _rebuild_transactions(self) -> None:
        """Make all indexes of aborted transactions again, from the start of the log on."""
        producers = ProducerState()
        try:
            for segment in self._segments:
                segment.transactions.begin()
                for position, header in walk_headers(segment.file, 0, segment.size):
                    aborted = replay_batch(producers, segment, position, header, self._timestamp_ms)
                    if aborted is not None:
                        segment.transactions.append(aborted)
                segment.dirty = True
        except DecodeError as error:
            raise self._damaged(str(error), self._recovery_point) from error

    def _opened_cleanly(self, segment: Segment) -> bool:
        """Open the last segment without a scan, if the stop was clean and its end is right."""
        if not self._clean:
            return False
        try:
            segment.open_indexes()
        except DecodeError as error:
            _log.warning("scanning the last segment: %s", error)
            return False
        if segment.next_offset != self._recovery_point:
            return False
        self._load_transactions(segment)
        self._replay_settled(segment)
        return True

    def _scan(self, segment: Segment, size: int, following: int | None) -> bool:
        """Read a segment that holds the recovery point or lies above it, noting every batch.

        False when the log ends in it although another segment follows.
        """
        interval = self._config.index_interval_bytes
        segment.begin_indexes()
        self._load_transactions(segment)
        segment.size, segment.next_offset = 0, segment.base_offset
        try:
            self._last_epoch = self._epoch_before(segment)
            if segment.base_offset < self._recovery_point:
                for position, header in walk_headers(segment.file, 0, size):
                    segment.check_follows(position, header)
                    if header.next_offset > self._recovery_point:
                        break
                    self._visit(segment, position, header)
                    segment.note(header, interval)
                    if segment.next_offset == self._recovery_point:
                        break  # what follows may be torn
        except DecodeError as error:
            raise self._damaged(str(error), self._recovery_point) from error
        start = segment.size
        end = self._scan_tail(segment, size, following)
        if self._foreign and following is not None and end == size:
            end = size = self._close_gap(segment, following)
        if segment.next_offset < self._recovery_point:  # before anything is cut
            raise self._damaged(
                f"{segment.path}.log ends at offset {segment.next_offset}", self._recovery_point
            )
        self._scanned_bytes += end - start
        if self._suspect:
            _write_again(segment.file, start, end)
        continues = following is not None and segment.next_offset == following
        if end < size:
            segment.cut(end, segment.next_offset)
        else:
            # The last one too: a truncation of the last run may not be synced, and what it cut off
            # would be there again under new bytes.
            segment.seal()
        segment.dirty = True
        return continues

    def _close_gap(self, segment: Segment, following: int) -> int:
        """Let a segment of Kafka's that ends below the next one reach up to it; its size then."""
        if segment.next_offset < following:
            filler = empty_batch(segment.next_offset, following - 1, self._last_epoch)
            segment.append(filler)
            segment.note(read_header(filler), self._config.index_interval_bytes)
        return segment.size

    def _epoch_before(self, segment: Segment) -> int:
        """The leader epoch of the batch before a segment, from the log itself; -1 without one."""
        before = [other for other in self._segments if other is not segment and other.size]
        if not before:
            return -1
        return before[-1].locate(before[-1].next_offset - 1)[1].leader_epoch

    def _scan_tail(self, segment: Segment, size: int, following: int | None) -> int:
        """Note the sound batches from `segment.size` on; where they end."""
        interval = self._config.index_interval_bytes
        try:
            for position, header in scan_batches(segment.file, segment.size, size):
                if following is not None and header.next_offset > following:
                    return position
                segment.check_follows(position, header)
                if header.leader_epoch < self._last_epoch:
                    raise DecodeError(
                        f"the batch at byte {position} of {segment.path}.log has leader epoch "
                        f"{header.leader_epoch} after {self._last_epoch}"
                    )
                self._visit(segment, position, header)
                segment.note(header, interval)
        except DecodeError as error:
            _log.warning(
                "%s; the log ends at offset %d, %d unsynced bytes are dropped",
                error,
                segment.next_offset,
                size - segment.size,
            )
        return segment.size

    def _drop(self, bases: list[int]) -> None:
        """Remove the segments after the one in which the log ends, the last one first."""
        for base_offset in reversed(bases):
            _log.warning("dropping segment %d of %s: unsynced", base_offset, self._folder)
            for suffix in names.SEGMENT_SUFFIXES:
                path = os.path.join(self._folder, names.segment_name(base_offset) + suffix)
                if self._vfs.exists(path):
                    self._vfs.unlink(path)
        self._vfs.fsync_dir(self._folder)

    # Epochs and producers

    def _visit(self, segment: Segment, position: int, header: BatchHeader) -> None:
        """One batch, in order: what follows from its header."""
        leader_epoch = header.leader_epoch
        if leader_epoch > self._last_epoch:
            self._last_epoch = leader_epoch
        if leader_epoch > self._newest_epoch and header.base_offset >= self._recovery_point:
            self._newest_epoch = leader_epoch
            self._epochs.assign(leader_epoch, header.base_offset)
        if header.producer_id >= 0 and header.base_offset >= self._producers_from:
            aborted = replay_batch(self._producers, segment, position, header, self._timestamp_ms)
            if aborted is not None and aborted.last_offset >= self._recovery_point:
                segment.transactions.append(aborted)

    def _replay_settled(self, segment: Segment) -> None:
        """Bring the producer state up to the end of a segment that is not scanned."""
        try:
            replay_segment(self._producers, segment, self._producers_from, self._timestamp_ms)
        except DecodeError as error:
            raise self._damaged(str(error), self._recovery_point) from error

    def _check_epochs(self, log_end_offset: int) -> None:
        """Make the epochs again from all headers when they disagree with the log's ends."""
        self._epochs.truncate_to(log_end_offset)
        filled = [segment for segment in self._segments if segment.size]
        if not filled:
            return
        try:
            _, first = next(walk_headers(filled[0].file, 0, filled[0].size))
            _, last = filled[-1].locate(log_end_offset - 1)
            if _agrees(self._epochs, first) and _agrees(self._epochs, last):
                return
            _log.warning("the leader epochs of %s are read from the log again", self._folder)
            self._epochs = LeaderEpochCache()
            for segment in filled:
                for _, header in walk_headers(segment.file, 0, segment.size):
                    newest = self._epochs.latest()
                    if header.leader_epoch >= 0 and (
                        newest is None or header.leader_epoch > newest
                    ):
                        self._epochs.assign(header.leader_epoch, header.base_offset)
        except DecodeError as error:
            raise self._damaged(str(error), self._recovery_point) from error

    def _damaged(self, what: str, recovery_point: int) -> LogDamaged:
        return LogDamaged(
            f"{self._folder}: {what}, although everything below offset {recovery_point} was "
            "synced. Nothing was changed"
        )


def _write_again(file: VfsFile, start: int, end: int) -> None:
    """Write the same bytes once more: pages whose sync failed count as clean, and a later sync
    would leave them out."""
    while start < end:
        data = file.pread(min(_REWRITE_CHUNK, end - start), start)
        start += file.pwrite(data, start)


def _agrees(epochs: LeaderEpochCache, header: BatchHeader) -> bool:
    known = epochs.epoch_at(header.base_offset)
    return (-1 if known is None else known) == header.leader_epoch
