"""The three indexes of one segment, held against its batches while these are walked over."""

from __future__ import annotations

import os
from enum import Enum

from ottla.record.batch import BatchHeader
from storage import names
from storage.inspection.index_files import (
    OFFSET_ENTRY,
    TIME_ENTRY,
    TRANSACTION_ENTRY,
    OffsetIndexCheck,
    Report,
    TimeIndexCheck,
    TransactionIndexCheck,
)
from storage.inspection.report import Findings, Severity
from storage.transaction_index import AbortedTransaction
from storage.vfs import OpenMode, Vfs

_MADE_AGAIN = "; it is made again at the next start"


class Trust(Enum):
    """Whether a start believes the saved indexes of a segment."""

    BELIEVED = "believed"  # it ends at or below the index point
    MADE_AGAIN = "made again"  # above it
    UNKNOWN = "unknown"  # without a checkpoint


class SegmentIndexes:
    """See the module. Call `batch` for each batch, then `finish`; always `close`."""

    def __init__(
        self,
        vfs: Vfs,
        folder: str,
        base_offset: int,
        *,
        findings: Findings,
        first_known: int,
        sealed: bool,
        trust: Trust,
        recovery_point: int | None,
        stopped_cleanly: bool,
    ) -> None:
        self._vfs = vfs
        self._stem = os.path.join(folder, names.segment_name(base_offset))
        self._findings = findings
        self._sealed = sealed
        self._trust = trust
        self._stopped_cleanly = stopped_cleanly
        self._offsets: OffsetIndexCheck | None = None
        self._times: TimeIndexCheck | None = None
        self._transactions: TransactionIndexCheck | None = None
        self._aborted = 0
        if self._usable(names.INDEX_SUFFIX, OFFSET_ENTRY.size):
            path = self._stem + names.INDEX_SUFFIX
            self._offsets = OffsetIndexCheck(vfs, path, base_offset, self._reporter(path))
        if self._usable(names.TIME_INDEX_SUFFIX, TIME_ENTRY.size):
            path = self._stem + names.TIME_INDEX_SUFFIX
            exact = trust is not Trust.UNKNOWN
            self._times = TimeIndexCheck(vfs, path, base_offset, self._reporter(path), exact=exact)
        self._transactions_end = recovery_point
        path = self._stem + names.TRANSACTION_INDEX_SUFFIX
        if vfs.exists(path) and self._usable(
            names.TRANSACTION_INDEX_SUFFIX, TRANSACTION_ENTRY.size
        ):
            self._transactions = TransactionIndexCheck(
                vfs, path, first_known, recovery_point, self._transaction_fault
            )

    def batch(self, position: int, header: BatchHeader) -> None:
        """The next batch of the segment."""
        if self._offsets is not None:
            self._offsets.batch(position, header)
        if self._times is not None:
            self._times.batch(header)

    def aborted(self, found: AbortedTransaction, *, compacted: bool) -> None:
        """A transaction whose abort marker is the batch just told."""
        end = self._transactions_end
        self._aborted += end is None or found.last_offset < end
        if self._transactions is not None:
            self._transactions.aborted(found, compacted=compacted)

    def aborted_unknown(self, producer_id: int, marker_offset: int) -> None:
        """An abort marker of a transaction of which nothing else is left."""
        if self._transactions is not None:
            self._transactions.aborted_unknown(producer_id, marker_offset)

    def finish(self) -> None:
        """The segment has been walked over to its end."""
        if self._offsets is not None and (position := self._offsets.finish()) is not None:
            self._beyond(names.INDEX_SUFFIX, position)
        if self._times is not None:
            if (position := self._times.finish()) is not None:
                self._beyond(names.TIME_INDEX_SUFFIX, position)
            elif self._is_done and self._times.last_timestamp != self._times.largest >= 0:
                # The last entry of a segment that was sealed or closed is taken for its largest.
                self._report(
                    self._stem + names.TIME_INDEX_SUFFIX,
                    f"its last entry has timestamp {self._times.last_timestamp}, the segment up to "
                    f"{self._times.largest}",
                )
        if self._transactions is not None:
            self._transactions.finish()
        elif self._aborted:
            self._transaction_fault(
                None, f"missing, although {self._aborted} transactions are aborted in its segment"
            )

    @property
    def _is_done(self) -> bool:
        return self._trust is Trust.BELIEVED or (self._trust is Trust.UNKNOWN and self._sealed)

    def _beyond(self, suffix: str, position: int) -> None:
        """Entries beyond the last batch: saved before a truncation, which a crash then cut off."""
        path = self._stem + suffix
        message = "the entries from here on lie beyond the last batch"
        if self._trust is Trust.BELIEVED and not self._stopped_cleanly:
            self._findings.add(Severity.WARNING, path, message + _MADE_AGAIN, position=position)
        else:
            self._report(path, message, position)

    def close(self) -> None:
        """Drop the files that are open."""
        for check in (self._offsets, self._times, self._transactions):
            if check is not None:
                check.close()

    def _usable(self, suffix: str, entry_size: int) -> bool:
        """Whether the file is there; its absence and a broken size are reported."""
        path = self._stem + suffix
        if not self._vfs.exists(path):
            if self._trust is Trust.BELIEVED or (self._trust is Trust.UNKNOWN and self._sealed):
                self._findings.add(Severity.WARNING, path, "missing" + _MADE_AGAIN)
            return False
        file = self._vfs.open(path, OpenMode.READ)
        size = file.size()
        file.close()
        if size % entry_size:
            self._report(path, f"its {size} bytes are no whole entries of {entry_size}")
        return True

    def _transaction_fault(self, position: int | None, message: str) -> None:
        # Unlike the others it is as durable as the log, and believed up to the recovery point.
        path = self._stem + names.TRANSACTION_INDEX_SUFFIX
        self._findings.add(Severity.ERROR, path, message, position=position)

    def _reporter(self, path: str) -> Report:
        return lambda position, message: self._report(path, message, position)

    def _report(self, path: str, message: str, position: int | None = None) -> None:
        if self._trust is Trust.MADE_AGAIN:
            self._findings.add(Severity.WARNING, path, message + _MADE_AGAIN, position=position)
        else:
            self._findings.add(Severity.ERROR, path, message, position=position)
