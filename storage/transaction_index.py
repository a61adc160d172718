"""The aborted transactions of a segment (KIP-98): what readers of committed records must pass over.

    .txnindex    version int16 = 0 | producer id int64 | first offset int64 | last offset int64
                 | last stable offset int64                                34 bytes, big endian

An entry belongs to the segment that holds the abort marker, which is its last offset. `last stable
offset` is that of the log right after the marker: no transaction that aborts later has records
below it. So whoever looks for the transactions that overlap a range may stop at an entry whose last
stable offset has reached the range's end. Entries stand in the order of their markers.

Below the log's recovery point the file is as durable as the log: every flush saves it first. What
it holds beyond is made again from the log after a crash. Without entries there is no file, as in
Kafka; so a file that somebody removes is not noticed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from ottla.core.errors import DecodeError
from storage.indexes import save_entries
from storage.vfs import Vfs, read_file

_ENTRY = Struct(">hqqqq")
_VERSION = 0
_SOMETHING_ELSE = -1  # as a count of saved entries: the file must be replaced
_lock = threading.Lock()  # of all indexes: what a save has written against a cut meanwhile


@dataclass(frozen=True, slots=True)
class AbortedTransaction:
    """Offsets are inclusive, but for `last_stable_offset`, which is exclusive."""

    producer_id: int
    first_offset: int
    last_offset: int
    last_stable_offset: int


class TransactionIndex:
    """The entries of one segment. `save` runs in a thread, the rest on the log's."""

    __slots__ = ("_data", "_path", "_saved_count", "_vfs")

    def __init__(self, vfs: Vfs, path: str) -> None:
        self._vfs = vfs
        self._path = path
        self._data: bytearray | None = None  # None: all of it is in the file
        self._saved_count = 0

    @property
    def unsaved(self) -> bool:
        """Whether `save` has something to do."""
        return self._data is not None and len(self._data) != self._saved_count * _ENTRY.size

    def begin(self) -> None:
        """Start without entries, whatever the file holds."""
        self._set(bytearray(), 0 if not self._vfs.exists(self._path) else _SOMETHING_ELSE)

    def append(self, aborted: AbortedTransaction) -> None:
        """Add the transaction of a marker that has just been appended."""
        data = self._loaded()
        data += _ENTRY.pack(
            _VERSION,
            aborted.producer_id,
            aborted.first_offset,
            aborted.last_offset,
            aborted.last_stable_offset,
        )

    def load(self, base_offset: int, end_offset: int) -> None:
        """Bring the saved entries of markers below `end_offset` into memory; others are dropped.

        DecodeError: an entry that cannot be of a segment from `base_offset` on.
        """
        data = self._read()
        kept = 0
        previous = base_offset - 1
        for end, aborted in _entries(data):
            if aborted.last_offset >= end_offset:
                break
            if not previous < aborted.last_offset or aborted.first_offset > aborted.last_offset:
                raise DecodeError(f"{self._path} says what cannot be, before byte {end}")
            previous = aborted.last_offset
            kept = end
        whole = kept == len(data)
        self._set(bytearray(data[:kept]), kept // _ENTRY.size if whole else _SOMETHING_ELSE)

    def cut(self, next_offset: int) -> None:
        """Drop the entries of markers at or beyond `next_offset`."""
        data = bytes(self._loaded())
        for end, aborted in _entries(data):
            if aborted.last_offset >= next_offset:
                self._set(bytearray(data[: end - _ENTRY.size]), _SOMETHING_ELSE)
                return

    def entries(self) -> list[AbortedTransaction]:
        """All, in order; DecodeError: the file is damaged."""
        data = self._loaded()
        return [aborted for _, aborted in _entries(bytes(data))] if data else []

    def save(self) -> bool:
        """Write and sync what the file lacks; whether it was written. OSError: the disk."""
        with _lock:
            data, saved_count = self._data, self._saved_count
        if data is None or len(data) == saved_count * _ENTRY.size:
            return False
        saved_count = save_entries(
            self._vfs,
            self._path,
            lambda first: bytes(data[first * _ENTRY.size :]),
            _ENTRY.size,
            saved_count,
        )
        with _lock:
            if self._data is data:
                self._saved_count = saved_count
        return True

    def release(self) -> None:
        """Leave it to the file, if that holds everything. Nothing is little enough to be kept."""
        if self._data and not self.unsaved:
            self._data = None

    def _loaded(self) -> bytearray:
        data = self._data
        if data is None:
            data = bytearray(self._read())
            self._set(data, len(data) // _ENTRY.size)
        return data

    def _set(self, data: bytearray, saved_count: int) -> None:
        with _lock:
            self._data, self._saved_count = data, saved_count

    def _read(self) -> bytes:
        return read_file(self._vfs, self._path) if self._vfs.exists(self._path) else b""


def _entries(data: bytes) -> Iterator[tuple[int, AbortedTransaction]]:
    """(byte after it, entry) of each entry; DecodeError for another version, and a torn one."""
    for position in range(0, len(data), _ENTRY.size):
        if position + _ENTRY.size > len(data):
            raise DecodeError("an index of aborted transactions ends within an entry")
        version, *fields = _ENTRY.unpack_from(data, position)
        if version != _VERSION:
            raise DecodeError(f"an aborted transaction has format version {version}")
        yield position + _ENTRY.size, AbortedTransaction(*fields)
