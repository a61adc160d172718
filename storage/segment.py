"""One segment: a run of batches in one file, with its sparse indexes and aborted transactions.

A segment grows only at its end. It is *sealed* when the log rolls to another one or when a
truncation cut it: it then never gets another append, so that new bytes never share a file with the
bytes that they replace (a power cut could leave a mixture of both). `flush` saves and syncs; the
indexes of a sealed segment then leave the memory.

Offsets rise; compaction leaves gaps between batches, but the last batch always ends right where the
next segment begins.

The file is never closed, only dropped: slices in flight hold it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from ottla.core.errors import DecodeError
from ottla.record.batch import HEADER_SIZE, BatchHeader, read_header
from storage import names
from storage.errors import DISK_FULL, NO_DESCRIPTOR, IndexesNotSaved
from storage.indexes import (
    RELATIVE_OFFSET_MAX,
    OffsetIndex,
    StoredOffsetIndex,
    StoredTimeIndex,
    TimeIndex,
)
from storage.scan import FAR_WINDOW, NEAR_WINDOW, walk_headers
from storage.sparse_indexes import SparseIndexes
from storage.transaction_index import TransactionIndex
from storage.vfs import Buffer, OpenMode, Vfs, VfsFile, write_all

_log = logging.getLogger(__name__)

INDEX_INTERVAL_DEFAULT = 4096


class Segment:
    """Offsets `base_offset` (inclusive) to `next_offset` (exclusive) in `size` bytes."""

    __slots__ = (
        "_file",
        "_indexes",
        "_unindexed_bytes",
        "_vfs",
        "base_offset",
        "created_ms",
        "dirty",
        "ending",
        "first_timestamp",
        "max_timestamp",
        "max_timestamp_offset",
        "next_offset",
        "path",
        "removed",
        "sealed",
        "size",
        "transactions",
        "used",
    )

    def __init__(
        self,
        vfs: Vfs,
        folder: str,
        base_offset: int,
        *,
        size: int,
        next_offset: int,
        ending: str = "",
    ) -> None:
        self._vfs = vfs
        self.path = os.path.join(folder, names.segment_name(base_offset))  # without suffix
        self.ending = ending  # of its files' names, while compaction makes it
        self.base_offset = base_offset
        self.next_offset = next_offset
        self.size = size
        self.sealed = False
        self.dirty = False  # something of it is not synced
        self.removed = False  # its files are on their way out
        self.used = False  # read since `release` was last asked for
        self.created_ms: int | None = None
        self.first_timestamp: int | None = None  # the first batch's largest; for segment.ms
        self.max_timestamp = -1
        self.max_timestamp_offset = base_offset  # last offset of the batch that brought it
        self._file: VfsFile | None = None
        self._indexes = SparseIndexes(vfs, self.path, ending, base_offset)
        self._unindexed_bytes = 0
        self.transactions = TransactionIndex(vfs, self.file_path(names.TRANSACTION_INDEX_SUFFIX))

    @classmethod
    def create(
        cls, vfs: Vfs, folder: str, base_offset: int, created_ms: int, *, ending: str = ""
    ) -> Segment:
        """A new, empty segment with its file; one of that name is replaced in one step.

        So a log that consists of one emptied segment never loses its place to a crash.
        """
        segment = cls(vfs, folder, base_offset, size=0, next_offset=base_offset, ending=ending)
        path = segment.file_path(names.LOG_SUFFIX)
        for suffix in names.INDEX_SUFFIXES:
            if vfs.exists(segment.file_path(suffix)):
                vfs.unlink(segment.file_path(suffix))
        if vfs.exists(path):
            temporary = path + names.TEMPORARY_SUFFIX
            if vfs.exists(temporary):
                vfs.unlink(temporary)
            segment._file = vfs.open(temporary, OpenMode.CREATE_NEW)
            vfs.rename(temporary, path)
        else:
            segment._file = vfs.open(path, OpenMode.CREATE_NEW)
        segment.created_ms = created_ms
        segment.begin_indexes()
        segment.transactions.begin()
        segment.dirty = True
        return segment

    def file_path(self, suffix: str) -> str:
        """Where one of its files is."""
        return self.path + suffix + self.ending

    @property
    def file(self) -> VfsFile:
        """The .log file, opened when needed."""
        self.used = True
        file = self._file
        if file is None:
            file = self._file = self._vfs.open(self.file_path(names.LOG_SUFFIX), OpenMode.WRITE)
        return file

    # Appending

    def append(self, data: Buffer) -> None:
        """Write whole batches at the end; `note` must follow for each. OSError: see write_all."""
        write_all(self.file, data)

    def note(self, header: BatchHeader, index_interval_bytes: int) -> None:
        """Take into account the batch that stands at `size` in the file."""
        position = self.size
        last_offset = header.base_offset + header.last_offset_delta
        if header.max_timestamp > self.max_timestamp:
            self.max_timestamp = header.max_timestamp
            self.max_timestamp_offset = last_offset
        if not position:
            self.first_timestamp = header.max_timestamp
        if self._unindexed_bytes > index_interval_bytes:
            self._indexes.append(last_offset, position, self._newest)
            self._unindexed_bytes = 0
        self._unindexed_bytes += header.size
        self.size = position + header.size
        self.next_offset = last_offset + 1
        self.dirty = True

    def check_follows(self, position: int, header: BatchHeader) -> None:
        """DecodeError unless the batch at `position` may follow those noted so far.

        To be asked of batches that are read: no CRC covers their base offset.
        """
        if (
            not self.next_offset
            <= header.base_offset
            <= header.last_offset
            <= (self.base_offset + RELATIVE_OFFSET_MAX)
        ):
            raise DecodeError(
                f"the batch at byte {position} of {self.path}.log has offsets "
                f"{header.base_offset} to {header.last_offset}; {self.next_offset} was next"
            )

    def begin_indexes(self) -> None:
        """Start with empty indexes in memory, for a new file or before noting it all again."""
        self._indexes.begin()
        self._unindexed_bytes = 0
        self.max_timestamp = -1

    def is_full(self, header: BatchHeader, config_index_bytes: int) -> bool:
        """Whether indexes or relative offsets leave no room for another batch."""
        last_offset = header.base_offset + header.last_offset_delta
        too_far = last_offset - self.base_offset > RELATIVE_OFFSET_MAX
        return too_far or self._indexes.is_full(config_index_bytes)

    def seal(self) -> None:
        """No appends from here on: the time index gets its last entry."""
        self._indexes.finish(self._newest)
        self.sealed = True
        self.dirty = True

    # Finding

    def locate(self, offset: int) -> tuple[int, BatchHeader]:
        """(position, header) of the first batch that ends above `offset`.

        It holds `offset`, unless compaction removed that. DecodeError: there is none, or damage.
        """
        for position, header in self._walk_from(offset):
            if header.next_offset > offset:
                return position, header
        raise DecodeError(f"offset {offset} is not in {self.path}.log")

    def boundary_at(self, offset: int) -> tuple[int, int]:
        """(position, end offset) where the batches end that lie wholly below `offset`."""
        end, end_offset = 0, self.base_offset
        for position, header in self._walk_from(offset - 1):
            end = position
            if header.next_offset > offset:
                break
            end, end_offset = position + header.size, header.next_offset
            if end_offset == offset:  # what follows may be torn
                break
        return end, end_offset

    def _walk_from(self, offset: int) -> Iterator[tuple[int, BatchHeader]]:
        """The batches from one at or below that which holds `offset`, by the offset index."""
        return walk_headers(self.file, self._floor(offset), self.size, NEAR_WINDOW)

    def _floor(self, offset: int) -> int:
        """The position of a batch whose last offset is at or below `offset`; 0 without one.

        What the index says is compared with the log; an index that lies is made again.
        """
        try:
            entry = self.offset_index.floor(offset)
            if entry is None:
                return 0
            if read_header(self.file.pread(HEADER_SIZE, entry[1])).last_offset == entry[0]:
                return entry[1]
        except DecodeError:
            pass
        _log.warning("the offset index of %s.log is damaged; it is made again", self.path)
        self.rebuild_indexes(INDEX_INTERVAL_DEFAULT)
        entry = self.offset_index.floor(offset)
        return 0 if entry is None else entry[1]

    def boundary_before(self, limit: int, start: int) -> tuple[int, int]:
        """(position, offset) of the last batch boundary at or before the byte `limit`.

        `start` is a boundary at or before `limit`, and the answer when the batch there is longer.
        Offset is that of the batch which begins at the boundary.
        """
        entry = self.offset_index.floor_position(limit)
        if entry is not None and entry[1] > start:
            start = entry[1]
        for position, header in walk_headers(self.file, start, self.size, NEAR_WINDOW):
            if position + header.size > limit:
                return position, header.base_offset
        return self.size, self.next_offset

    @property
    def offset_index(self) -> OffsetIndex | StoredOffsetIndex:
        return self._indexes.offsets

    @property
    def time_index(self) -> TimeIndex | StoredTimeIndex:
        return self._indexes.times

    @property
    def _newest(self) -> tuple[int, int]:
        return self.max_timestamp, self.max_timestamp_offset

    # Changing

    def rebuild_indexes(self, index_interval_bytes: int) -> None:
        """Make both indexes again from the batch headers up to `next_offset`.

        DecodeError where they do not hold.
        """
        size, next_offset = self.size, self.next_offset
        self.begin_indexes()
        self.size, self.next_offset = 0, self.base_offset
        try:
            for position, header in walk_headers(self.file, 0, size, FAR_WINDOW):
                self.check_follows(position, header)
                if header.next_offset > next_offset:
                    break
                self.note(header, index_interval_bytes)
                if self.next_offset == next_offset:
                    break
        finally:
            self.size, self.next_offset = size, next_offset
        if self.sealed:
            self.seal()

    def trim(self) -> None:
        """Cut off what follows the batch that ends at `next_offset`, if anything does.

        DecodeError when no batch ends there.
        """
        end, end_offset = self.boundary_at(self.next_offset)
        if end_offset != self.next_offset:
            raise DecodeError(f"no batch of {self.path}.log ends at offset {self.next_offset}")
        if end < self.size:
            self.file.truncate(end)
            self.size = end
            self.dirty = True

    def cut(self, size: int, next_offset: int) -> None:
        """Truncate the file to the boundary `size`, seal it, cut the indexes alike."""
        try:
            self._indexes.cut(size, next_offset)
        except DecodeError:
            self.rebuild_indexes(INDEX_INTERVAL_DEFAULT)
            self._indexes.cut(size, next_offset)
        self.transactions.cut(next_offset)
        self.file.truncate(size)
        self.size, self.next_offset = size, next_offset
        if self.max_timestamp_offset >= next_offset:
            self.max_timestamp, self.max_timestamp_offset = self.max_timestamp_below(next_offset)
        self.seal()

    def open_indexes(self) -> None:
        """Bring the saved indexes into memory, to append to them, and find `next_offset`.

        DecodeError when they are damaged or do not agree with the file of `size` bytes.
        """
        offset_index, time_index = self._indexes.load()
        last = offset_index.last()
        start = 0 if last is None else last[1]
        next_offset = self.base_offset
        unindexed_bytes = 0
        for position, header in walk_headers(self.file, start, self.size, NEAR_WINDOW):
            if last is not None and position == start and header.last_offset != last[0]:
                raise DecodeError(f"the offset index of {self.path}.log points elsewhere")
            next_offset = header.next_offset
            unindexed_bytes += header.size
        self.next_offset = next_offset
        self._check_last_entries(last, time_index.last())
        self._indexes.grow_on(offset_index, time_index)
        self._unindexed_bytes = unindexed_bytes
        self._adopt_max_timestamp(time_index.last())

    def adopt_or_rebuild_indexes(self, index_interval_bytes: int) -> None:
        """Use the saved indexes of a sealed segment as they are, or make them again if damaged.

        DecodeError: the log itself is damaged.
        """
        try:
            self.adopt_indexes(index_interval_bytes)
        except DecodeError as error:
            _log.warning("making indexes again: %s", error)
            self.rebuild_indexes(index_interval_bytes)

    def adopt_indexes(self, index_interval_bytes: int) -> None:
        """Use the saved indexes of a sealed segment as they are; DecodeError when damaged."""
        self._indexes.check_files()
        last = self.offset_index.last()
        if last is None:
            for position, _ in walk_headers(self.file, 0, self.size, NEAR_WINDOW):
                if position > index_interval_bytes:
                    raise DecodeError(f"{self.path}{names.INDEX_SUFFIX} is empty")
        self._check_last_entries(last, self.time_index.last())
        self._adopt_max_timestamp(self.time_index.last())

    def _adopt_max_timestamp(self, last_entry: tuple[int, int] | None) -> None:
        # The last entry of an index that was saved when sealed or closed tells the largest.
        self.max_timestamp, self.max_timestamp_offset = last_entry or (-1, self.base_offset)

    def _check_last_entries(
        self, last: tuple[int, int] | None, last_time: tuple[int, int] | None
    ) -> None:
        if last is not None and not (
            0 <= last[1] < self.size and self.base_offset <= last[0] < self.next_offset
        ):
            raise DecodeError(f"the offset index of {self.path}.log points beyond it")
        if last_time is not None and not self.base_offset <= last_time[1] < self.next_offset:
            raise DecodeError(f"the time index of {self.path}.log points beyond it")

    def max_timestamp_below(self, end_offset: int) -> tuple[int, int]:
        """(largest timestamp or -1, last offset of its batch) of the batches below `end_offset`."""
        entry = self.time_index.floor_offset(end_offset - 1)
        timestamp, offset = entry if entry is not None else (-1, self.base_offset)
        start = 0
        if entry is not None:
            start = self.locate(offset)[0]
        for _, header in walk_headers(self.file, start, self.size):
            if header.base_offset >= end_offset:
                break
            if header.max_timestamp > timestamp:
                timestamp, offset = header.max_timestamp, header.last_offset
        return timestamp, offset

    def load_first_timestamp(self) -> int | None:
        """The first batch's largest timestamp; None in an empty segment."""
        if self.first_timestamp is None and self.size:
            self.first_timestamp = read_header(self.file.pread(HEADER_SIZE, 0)).max_timestamp
        return self.first_timestamp

    # Saving

    def flush(self, *, closing: bool = False) -> bool:
        """Sync the batches. In a thread; one at a time for a segment. Whether files were made.

        The sparse indexes of a sealed segment, or of any when `closing`, are saved and synced as
        well. Those of a growing one are not: after a crash they are made again anyway, and in
        durable mode they would make three syncs of one.
        """
        try:
            file = self.file  # it may have to be opened, for which there may be no descriptor
            self.dirty = False  # first: an append meanwhile makes it dirty again
            file.fsync()
            if self.removed:
                return False
            return self._save_all(closing=closing)
        except FileNotFoundError:
            if not self.removed:  # else a truncation took its files while they were being saved
                raise
        return False

    def _save_all(self, *, closing: bool) -> bool:
        try:
            made = self.transactions.save()
            if self.sealed or closing:
                is_done = self.sealed
                self._indexes.save(self._newest if closing else None, is_done=is_done)
                made = True
            return made
        except OSError as error:
            if error.errno not in DISK_FULL | NO_DESCRIPTOR:
                raise
            self.dirty = True  # to be tried again
            raise IndexesNotSaved(error.errno, error.strerror, self.path) from error

    def release(self) -> None:
        """Drop files of a sealed segment that nobody has read since the last call."""
        if self.used:
            self.used = False
        else:
            self.drop_files()

    def drop_files(self) -> None:
        """Close its files until they are needed again, if it is sealed and all of it is synced.

        Not before: the kernel tells a failed write to those who had the file open; a sync of one
        that opens it afterwards may succeed, although the content is lost.
        """
        if self.dirty or not self.sealed:
            return
        self.used = False
        self._file = None
        self.transactions.release()
        self._indexes.drop_files()

    def file_paths(self) -> list[str]:
        """Its files that exist."""
        paths = [self.file_path(suffix) for suffix in names.SEGMENT_SUFFIXES]
        return [path for path in paths if self._vfs.exists(path)]
