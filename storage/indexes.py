"""Sparse indexes of a segment, in memory while they grow and on disk when they are done.

    .index       relative offset int32 | position int32             8 bytes, big endian
    .timeindex   timestamp int64 | relative offset int32           12 bytes, big endian

An offset entry says: the batch at `position` has this *last* offset (as Kafka writes it). A time
entry says: `timestamp` is the largest up to here, and the batch with this last offset brought it.
Relative offsets count from the segment's base offset. Every column grows strictly, except that
nothing is said of a time entry's offset beyond growing with it.

The active segment's indexes live in memory; `flush` saves them, and a segment that gets no more
appends is then searched on disk, a few small reads a lookup, so that cold segments cost no memory.
A crash loses what was not saved: recovery makes it again from the log.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable
from struct import Struct

from ottla.core.errors import DecodeError
from storage.vfs import OpenMode, Vfs, VfsFile, replace_file, write_all

OFFSET_ENTRY_SIZE = 8
TIME_ENTRY_SIZE = 12
RELATIVE_OFFSET_MAX = 2**31 - 1

_OFFSET_ENTRY = Struct(">ii")
_TIME_ENTRY = Struct(">qi")
_LITTLE_ENDIAN = sys.byteorder == "little"


class OffsetIndex:
    """An offset index in memory. Offsets in and out are absolute."""

    __slots__ = ("_offsets", "_positions", "base_offset")

    def __init__(self, base_offset: int) -> None:
        self.base_offset = base_offset
        self._offsets = array("I")
        self._positions = array("I")

    @classmethod
    def decode(cls, data: bytes, base_offset: int) -> OffsetIndex:
        """From a file's content; DecodeError unless both columns grow strictly."""
        if len(data) % OFFSET_ENTRY_SIZE:
            raise DecodeError(f"an offset index of {len(data)} bytes")
        cells = array("I", data)
        if _LITTLE_ENDIAN:
            cells.byteswap()
        index = cls(base_offset)
        index._offsets, index._positions = cells[0::2], cells[1::2]
        if not (_grows(index._offsets) and _grows(index._positions)):
            raise DecodeError("the entries of an offset index do not grow")
        return index

    def encode(self, first: int = 0) -> bytes:
        """The entries from number `first` on, as the file holds them."""
        count = len(self._positions)  # read once: the log's thread may append meanwhile
        cells = array("I", bytes(4 * 2 * max(0, count - first)))
        cells[0::2] = self._offsets[first:count]
        cells[1::2] = self._positions[first:count]
        if _LITTLE_ENDIAN:
            cells.byteswap()
        return cells.tobytes()

    @property
    def count(self) -> int:
        return len(self._positions)

    def append(self, last_offset: int, position: int) -> None:
        self._offsets.append(last_offset - self.base_offset)
        self._positions.append(position)

    def floor(self, offset: int) -> tuple[int, int] | None:
        """(last offset, position) of the last entry at or below `offset`."""
        return self._entry(bisect_right(self._offsets, offset - self.base_offset) - 1)

    def floor_position(self, position: int) -> tuple[int, int] | None:
        """(last offset, position) of the last entry at or before a position in the file."""
        return self._entry(bisect_right(self._positions, position) - 1)

    def cut(self, size: int) -> None:
        """Drop the entries of batches at or beyond `size` bytes."""
        keep = bisect_right(self._positions, size - 1) if size else 0
        del self._offsets[keep:]
        del self._positions[keep:]

    def last(self) -> tuple[int, int] | None:
        return self._entry(len(self._positions) - 1)

    def _entry(self, number: int) -> tuple[int, int] | None:
        if number < 0:
            return None
        return self.base_offset + self._offsets[number], self._positions[number]


class TimeIndex:
    """A time index in memory."""

    __slots__ = ("_offsets", "_timestamps", "base_offset")

    def __init__(self, base_offset: int) -> None:
        self.base_offset = base_offset
        self._timestamps = array("q")
        self._offsets = array("I")

    @classmethod
    def decode(cls, data: bytes, base_offset: int) -> TimeIndex:
        """From a file's content; DecodeError unless timestamps and offsets grow."""
        if len(data) % TIME_ENTRY_SIZE:
            raise DecodeError(f"a time index of {len(data)} bytes")
        index = cls(base_offset)
        for timestamp, relative in _TIME_ENTRY.iter_unpack(data):
            if timestamp < 0 or relative < 0:
                raise DecodeError("a negative number in a time index")
            index._timestamps.append(timestamp)
            index._offsets.append(relative)
        if not (_grows(index._timestamps) and _grows(index._offsets)):
            raise DecodeError("the entries of a time index do not grow")
        return index

    def encode(self, first: int = 0) -> bytes:
        count = len(self._offsets)
        pairs = zip(self._timestamps[first:count], self._offsets[first:count], strict=True)
        return b"".join(_TIME_ENTRY.pack(timestamp, offset) for timestamp, offset in pairs)

    @property
    def count(self) -> int:
        return len(self._offsets)

    def maybe_append(self, timestamp: int, last_offset: int) -> bool:
        """Add an entry unless the newest one says as much; whether it did."""
        if timestamp < 0 or (self._timestamps and timestamp <= self._timestamps[-1]):
            return False
        self._timestamps.append(timestamp)
        self._offsets.append(last_offset - self.base_offset)
        return True

    def floor(self, timestamp: int) -> tuple[int, int] | None:
        """(timestamp, last offset) of the last entry at or before `timestamp`."""
        return self._entry(bisect_right(self._timestamps, timestamp) - 1)

    def floor_offset(self, offset: int) -> tuple[int, int] | None:
        """(timestamp, last offset) of the last entry at or below `offset`."""
        return self._entry(bisect_right(self._offsets, offset - self.base_offset) - 1)

    def cut(self, next_offset: int) -> None:
        """Drop the entries at or beyond `next_offset`."""
        keep = bisect_right(self._offsets, next_offset - self.base_offset - 1)
        if next_offset <= self.base_offset:
            keep = 0
        del self._offsets[keep:]
        del self._timestamps[keep:]

    def last(self) -> tuple[int, int] | None:
        return self._entry(len(self._offsets) - 1)

    def _entry(self, number: int) -> tuple[int, int] | None:
        if number < 0:
            return None
        return self._timestamps[number], self.base_offset + self._offsets[number]


class StoredOffsetIndex:
    """An offset index in its file, searched there."""

    __slots__ = ("_file", "base_offset", "count")

    def __init__(self, file: VfsFile, base_offset: int) -> None:
        self._file = file
        self.base_offset = base_offset
        self.count = file.size() // OFFSET_ENTRY_SIZE

    def floor(self, offset: int) -> tuple[int, int] | None:
        relative = offset - self.base_offset
        return self._entry(bisect_right(range(self.count), relative, key=self._offset) - 1)

    def floor_position(self, position: int) -> tuple[int, int] | None:
        return self._entry(bisect_right(range(self.count), position, key=self._position) - 1)

    def last(self) -> tuple[int, int] | None:
        return self._entry(self.count - 1)

    def load(self) -> OffsetIndex:
        """The whole of it in memory; DecodeError when it is damaged."""
        return OffsetIndex.decode(self._file.pread(self._file.size(), 0), self.base_offset)

    def _entry(self, number: int) -> tuple[int, int] | None:
        if number < 0:
            return None
        relative, position = self._read(number)
        return self.base_offset + relative, position

    def _offset(self, number: int) -> int:
        return self._read(number)[0]

    def _position(self, number: int) -> int:
        return self._read(number)[1]

    def _read(self, number: int) -> tuple[int, int]:
        return _read_entry(self._file, _OFFSET_ENTRY, number)


class StoredTimeIndex:
    """A time index in its file, searched there."""

    __slots__ = ("_file", "base_offset", "count")

    def __init__(self, file: VfsFile, base_offset: int) -> None:
        self._file = file
        self.base_offset = base_offset
        self.count = file.size() // TIME_ENTRY_SIZE

    def floor(self, timestamp: int) -> tuple[int, int] | None:
        return self._entry(bisect_right(range(self.count), timestamp, key=self._timestamp) - 1)

    def floor_offset(self, offset: int) -> tuple[int, int] | None:
        relative = offset - self.base_offset
        return self._entry(bisect_right(range(self.count), relative, key=self._offset) - 1)

    def last(self) -> tuple[int, int] | None:
        return self._entry(self.count - 1)

    def load(self) -> TimeIndex:
        """The whole of it in memory; DecodeError when it is damaged."""
        return TimeIndex.decode(self._file.pread(self._file.size(), 0), self.base_offset)

    def _entry(self, number: int) -> tuple[int, int] | None:
        if number < 0:
            return None
        timestamp, relative = self._read(number)
        return timestamp, self.base_offset + relative

    def _timestamp(self, number: int) -> int:
        return self._read(number)[0]

    def _offset(self, number: int) -> int:
        return self._read(number)[1]

    def _read(self, number: int) -> tuple[int, int]:
        return _read_entry(self._file, _TIME_ENTRY, number)


def save_entries(
    vfs: Vfs, path: str, encode: Callable[[int], bytes], entry_size: int, saved_count: int
) -> int:
    """Make the file hold the entries of `encode(0)`, of which it has the first `saved_count`.

    It is appended to, and synced; unless it holds something else: then it is replaced as a whole,
    since a crash must not leave a synced index half cut. How many entries it has then.
    """
    file = vfs.open(path, OpenMode.CREATE)
    if file.size() != saved_count * entry_size:
        data = encode(0)
        replace_file(vfs, path, data)
        return len(data) // entry_size
    data = encode(saved_count)
    if data:
        write_all(file, data)
    file.fsync()
    return saved_count + len(data) // entry_size


def _read_entry(file: VfsFile, entry: Struct, number: int) -> tuple[int, int]:
    data = file.pread(entry.size, number * entry.size)
    if len(data) < entry.size:
        raise DecodeError(f"{file.path} ends before its entry number {number}")
    first, second = entry.unpack(data)
    return first, second


def _grows(column: array[int]) -> bool:
    return all(map(int.__lt__, column, column[1:]))
