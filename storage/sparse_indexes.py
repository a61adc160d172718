"""The offset and the time index of one segment: in memory while they grow, in their files then.

The log's thread appends, cuts and looks up; `save` runs in a thread of its own, and takes the pair
out of memory once it is saved and grows no more. A lock says which pair is the true one.
"""

from __future__ import annotations

import threading

from ottla.core.errors import DecodeError
from storage import names
from storage.indexes import (
    OFFSET_ENTRY_SIZE,
    TIME_ENTRY_SIZE,
    OffsetIndex,
    StoredOffsetIndex,
    StoredTimeIndex,
    TimeIndex,
    save_entries,
)
from storage.vfs import OpenMode, Vfs


class SparseIndexes:
    """See the module. `path` and `ending` enclose the suffixes of the files' names."""

    __slots__ = (
        "_base_offset",
        "_cuts",
        "_ending",
        "_lock",
        "_offsets",
        "_path",
        "_saved_offsets",
        "_saved_times",
        "_stored_offsets",
        "_stored_times",
        "_times",
        "_vfs",
    )

    def __init__(self, vfs: Vfs, path: str, ending: str, base_offset: int) -> None:
        self._vfs = vfs
        self._path = path
        self._ending = ending
        self._base_offset = base_offset
        self._offsets: OffsetIndex | None = None
        self._times: TimeIndex | None = None
        self._stored_offsets: StoredOffsetIndex | None = None
        self._stored_times: StoredTimeIndex | None = None
        self._saved_offsets = 0
        self._saved_times = 0
        self._cuts = 0
        self._lock = threading.Lock()

    @property
    def offsets(self) -> OffsetIndex | StoredOffsetIndex:
        with self._lock:
            if self._offsets is not None:
                return self._offsets
            if self._stored_offsets is None:
                file = self._vfs.open(self._file(names.INDEX_SUFFIX), OpenMode.CREATE)
                self._stored_offsets = StoredOffsetIndex(file, self._base_offset)
            return self._stored_offsets

    @property
    def times(self) -> TimeIndex | StoredTimeIndex:
        with self._lock:
            if self._times is not None:
                return self._times
            if self._stored_times is None:
                file = self._vfs.open(self._file(names.TIME_INDEX_SUFFIX), OpenMode.CREATE)
                self._stored_times = StoredTimeIndex(file, self._base_offset)
            return self._stored_times

    # Growing

    def begin(self) -> None:
        """Start with empty ones in memory."""
        self._offsets = OffsetIndex(self._base_offset)
        self._times = TimeIndex(self._base_offset)
        self._saved_offsets = self._saved_times = 0

    def append(self, last_offset: int, position: int, newest: tuple[int, int]) -> None:
        """The batch at `position`; `newest`: (largest timestamp so far, its batch's offset)."""
        if self._offsets is not None and self._times is not None:
            self._offsets.append(last_offset, position)
            self._times.maybe_append(*newest)

    def finish(self, newest: tuple[int, int]) -> None:
        """No more appends: the last time entry tells the segment's largest timestamp."""
        with self._lock:
            if self._times is not None:
                self._times.maybe_append(*newest)

    def is_full(self, bytes_max: int) -> bool:
        """Whether there is no room for another entry, or they do not grow any more."""
        offsets, times = self._offsets, self._times
        if offsets is None or times is None:
            return True
        return (offsets.count + 1) * OFFSET_ENTRY_SIZE > bytes_max or (
            times.count + 2
        ) * TIME_ENTRY_SIZE > bytes_max

    def cut(self, size: int, next_offset: int) -> None:
        """Drop the entries of batches at or beyond `size` bytes; in memory from then on.

        DecodeError, and nothing has changed: the files are damaged.
        """
        with self._lock:
            offsets, times = self._offsets, self._times
        if offsets is None or times is None:
            offsets, times = self.load()
        with self._lock:
            self._cuts += 1
            offsets.cut(size)
            times.cut(next_offset)
            self._offsets, self._times = offsets, times
            self._stored_offsets = self._stored_times = None
            self._saved_offsets = min(self._saved_offsets, offsets.count)
            self._saved_times = min(self._saved_times, times.count)

    # Files

    def check_files(self) -> None:
        """DecodeError unless both files are there and hold whole entries."""
        for suffix, entry_size in (
            (names.INDEX_SUFFIX, OFFSET_ENTRY_SIZE),
            (names.TIME_INDEX_SUFFIX, TIME_ENTRY_SIZE),
        ):
            path = self._file(suffix)
            if not self._vfs.exists(path):
                raise DecodeError(f"{path} is missing")
            if self._vfs.open(path, OpenMode.READ).size() % entry_size:
                raise DecodeError(f"{path} ends within an entry")

    def load(self) -> tuple[OffsetIndex, TimeIndex]:
        """What the files hold; DecodeError when they are missing or damaged."""
        self.check_files()
        offsets_file = self._vfs.open(self._file(names.INDEX_SUFFIX), OpenMode.READ)
        times_file = self._vfs.open(self._file(names.TIME_INDEX_SUFFIX), OpenMode.READ)
        return (
            StoredOffsetIndex(offsets_file, self._base_offset).load(),
            StoredTimeIndex(times_file, self._base_offset).load(),
        )

    def grow_on(self, offsets: OffsetIndex, times: TimeIndex) -> None:
        """Take what `load` gave into memory, to append to it."""
        self._offsets, self._times = offsets, times
        self._saved_offsets, self._saved_times = offsets.count, times.count

    def save(self, newest: tuple[int, int] | None, *, is_done: bool) -> None:
        """Write and sync what the files lack. In a thread. OSError: the disk.

        `newest`: of a segment that is closed while it grows, else None; see `finish`. `is_done`:
        they grow no more, and leave the memory.
        """
        with self._lock:
            cuts, offsets, times = self._cuts, self._offsets, self._times
            saved_offsets, saved_times = self._saved_offsets, self._saved_times
            if newest is not None and times is not None:
                times.maybe_append(*newest)
        if offsets is None or times is None:
            return
        saved_offsets = save_entries(
            self._vfs,
            self._file(names.INDEX_SUFFIX),
            offsets.encode,
            OFFSET_ENTRY_SIZE,
            saved_offsets,
        )
        saved_times = save_entries(
            self._vfs,
            self._file(names.TIME_INDEX_SUFFIX),
            times.encode,
            TIME_ENTRY_SIZE,
            saved_times,
        )
        with self._lock:
            if self._offsets is not offsets or self._cuts != cuts:
                return  # the files hold more than is true now: the next save replaces them
            self._saved_offsets, self._saved_times = saved_offsets, saved_times
            if is_done:
                self._offsets = self._times = None

    def drop_files(self) -> None:
        """Close the files until they are needed again."""
        with self._lock:
            self._stored_offsets = self._stored_times = None

    def _file(self, suffix: str) -> str:
        return self._path + suffix + self._ending
