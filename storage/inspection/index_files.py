"""Reading the three indexes of a segment entry by entry, and holding them against its batches.

They are drawn in `storage.indexes` and `storage.transaction_index`. Files of any size are read in
pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from struct import Struct

from ottla.record.batch import BatchHeader
from storage.transaction_index import AbortedTransaction
from storage.vfs import OpenMode, Vfs

OFFSET_ENTRY = Struct(">ii")
TIME_ENTRY = Struct(">qi")
TRANSACTION_ENTRY = Struct(">hqqqq")
TRANSACTION_VERSION = 0
_ENTRIES_AT_A_TIME = 4096

Report = Callable[[int, str], None]
"""Told a position in the index file and what is wrong there."""


def read_entries(
    vfs: Vfs, path: str, entry: Struct
) -> Generator[tuple[int, tuple[int, ...]], None, None]:
    """(position, fields) of each whole entry; a rest that is none is left out. OSError."""
    file = vfs.open(path, OpenMode.READ)
    try:
        position = 0
        end = file.size() // entry.size * entry.size
        while position < end:
            data = file.pread(min(entry.size * _ENTRIES_AT_A_TIME, end - position), position)
            whole = len(data) // entry.size * entry.size
            if not whole:
                return
            for fields in entry.iter_unpack(data[:whole]):
                yield position, fields
                position += entry.size
    finally:
        file.close()


class OffsetIndexCheck:
    """Every entry must name a batch by its position and its last offset, both rising."""

    def __init__(self, vfs: Vfs, path: str, base_offset: int, report: Report) -> None:
        self._base_offset = base_offset
        self._report = report
        self._entries = read_entries(vfs, path, OFFSET_ENTRY)
        self._last = (-1, -1)
        self._next = self._advance()

    def batch(self, position: int, header: BatchHeader) -> None:
        """The next batch of the segment."""
        while self._next is not None and self._next[2] <= position:
            at, offset, named = self._next
            if named < position:
                self._report(at, f"the entry names byte {named}, where no batch begins")
            elif offset != header.last_offset:
                self._report(
                    at,
                    f"the entry says that the batch at byte {named} ends at offset {offset}; "
                    f"it ends at {header.last_offset}",
                )
            self._next = self._advance()

    def finish(self) -> int | None:
        """No more batches: the position of the first entry that is left, which names none."""
        return _rest(self._next, self._advance)

    def close(self) -> None:
        self._entries.close()

    def _advance(self) -> tuple[int, int, int] | None:
        for at, (relative, named) in self._entries:
            grows = relative > self._last[0] and named > self._last[1]
            if not grows:
                self._report(at, f"entry ({relative}, {named}) does not follow {self._last}")
                continue
            self._last = (relative, named)
            return at, self._base_offset + relative, named
        return None


class TimeIndexCheck:
    """Every entry must name the batch that brought the largest timestamp so far, both rising.

    `exact`: by its last offset. Kafka before 4.0 named the record itself in it.
    """

    def __init__(
        self, vfs: Vfs, path: str, base_offset: int, report: Report, *, exact: bool
    ) -> None:
        self._exact = exact
        self._base_offset = base_offset
        self._report = report
        self._entries = read_entries(vfs, path, TIME_ENTRY)
        self._last = (-1, -1)
        self._next = self._advance()
        self.largest = -1  # timestamp of the batches so far

    @property
    def last_timestamp(self) -> int:
        """The timestamp of the last entry that was read; -1 without one."""
        return self._last[0]

    def batch(self, header: BatchHeader) -> None:
        before = self.largest
        self.largest = max(before, header.max_timestamp)
        while self._next is not None and self._next[2] <= header.last_offset:
            at, timestamp, offset = self._next
            if offset < (header.last_offset if self._exact else header.base_offset):
                self._report(at, f"the entry names offset {offset}, where no batch ends")
            elif timestamp != header.max_timestamp or timestamp <= before:
                self._report(
                    at,
                    f"the entry says that offset {offset} brought the timestamp {timestamp}; its "
                    f"batch has {header.max_timestamp}, and those before it up to {before}",
                )
            self._next = self._advance()

    def finish(self) -> int | None:
        """As that of the offset index."""
        return _rest(self._next, self._advance)

    def close(self) -> None:
        self._entries.close()

    def _advance(self) -> tuple[int, int, int] | None:
        for at, (timestamp, relative) in self._entries:
            if timestamp <= self._last[0] or relative <= self._last[1]:
                self._report(at, f"entry ({timestamp}, {relative}) does not follow {self._last}")
                continue
            self._last = (timestamp, relative)
            return at, timestamp, self._base_offset + relative
        return None


class TransactionIndexCheck:
    """The entries must be the transactions that markers of the segment abort, in their order.

    Checked are markers below `end_offset` (exclusive; None: all): beyond the recovery point the
    file is not believed. A transaction that began below `first_known` is not known here.
    """

    def __init__(
        self, vfs: Vfs, path: str, first_known: int, end_offset: int | None, report: Report
    ) -> None:
        self._report = report
        self._first_known = first_known
        self._end_offset = end_offset
        self._entries = read_entries(vfs, path, TRANSACTION_ENTRY)
        self._last_offset = -1
        self._next = self._advance()

    def aborted(self, found: AbortedTransaction, *, compacted: bool) -> None:
        """The next transaction that a marker of the segment aborts.

        `compacted`: its first batches may be gone, which the entry still counts.
        """
        if self._end_offset is not None and found.last_offset >= self._end_offset:
            return
        entry = self._up_to(found.last_offset)
        if entry is None:
            self._report(0, f"the transaction aborted at offset {found.last_offset} has no entry")
            return
        at, stored = entry
        # Of a log whose beginning is gone, transactions that were open then are not known here.
        alike = stored == found
        if compacted or self._first_known:
            alike = (
                stored.producer_id == found.producer_id
                and stored.first_offset <= found.first_offset
                and stored.last_stable_offset <= found.last_stable_offset
            )
        if not alike:
            self._report(at, f"the entry {_shown(stored)} should be {_shown(found)}")

    def aborted_unknown(self, producer_id: int, marker_offset: int) -> None:
        """An abort marker of a transaction of which nothing else is left; it may have an entry."""
        entry = self._up_to(marker_offset)
        if entry is not None and entry[1].producer_id != producer_id:
            self._report(entry[0], f"the marker at offset {marker_offset} is another producer's")

    def finish(self) -> None:
        self._up_to(None)

    def close(self) -> None:
        self._entries.close()

    def _believed(self, stored: AbortedTransaction) -> bool:
        return self._end_offset is None or stored.last_offset < self._end_offset

    def _up_to(self, last_offset: int | None) -> tuple[int, AbortedTransaction] | None:
        """The entry of the marker at `last_offset`; those before it name no marker."""
        while self._next is not None:
            at, stored = self._next
            if last_offset is not None and stored.last_offset > last_offset:
                return None
            self._next = self._advance()
            if stored.last_offset == last_offset:
                return at, stored
            if stored.first_offset >= self._first_known and self._believed(stored):
                self._report(at, f"no marker at offset {stored.last_offset} aborts a transaction")
        return None

    def _advance(self) -> tuple[int, AbortedTransaction] | None:
        for at, (version, *fields) in self._entries:
            stored = AbortedTransaction(*fields)
            if version != TRANSACTION_VERSION:
                self._report(at, f"the entry has version {version}")
            elif not 0 <= stored.first_offset <= stored.last_offset:
                self._report(at, f"the entry {_shown(stored)} ends before it begins")
            elif stored.last_offset <= self._last_offset:
                self._report(at, f"the entry {_shown(stored)} does not follow {self._last_offset}")
            else:
                self._last_offset = stored.last_offset
                return at, stored
        return None


def _rest(
    waiting: tuple[int, int, int] | None, advance: Callable[[], tuple[int, int, int] | None]
) -> int | None:
    first = None if waiting is None else waiting[0]
    while waiting is not None:
        waiting = advance()
    return first


def _shown(entry: AbortedTransaction) -> str:
    return (
        f"(producer {entry.producer_id}, offsets {entry.first_offset} to {entry.last_offset}, "
        f"stable {entry.last_stable_offset})"
    )
