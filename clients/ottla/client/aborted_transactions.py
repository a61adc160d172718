"""Reading committed records alone (KIP-98).

Below the last stable offset every transaction is decided, and an answer names those of its range
that were aborted: (producer id, first offset). A producer has one transaction at a time, so the
records of its aborted one are its transactional batches from there to its ABORT marker.

Pure: batches go in by rising offset.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from ottla.record.batch import BatchHeader
from ottla.record.control import ControlRecordType, control_record_type


class AbortedTransactions:
    """The aborted transactions of one answer for one partition."""

    __slots__ = ("_open", "_waiting")

    def __init__(self, aborted: Iterable[tuple[int, int]]) -> None:
        """`aborted`: (producer id, first offset), in any order."""
        self._waiting = deque(sorted(aborted, key=lambda one: one[1]))
        self._open: set[int] = set()
        """Producers within their aborted transaction."""

    def covers(self, header: BatchHeader, marker_key: Callable[[], bytes | None]) -> bool:
        """Whether the next batch belongs to one of them; asked of every batch, markers included.

        `marker_key` reads the key of a control batch's record; None when compaction has left none.
        DecodeError: the key is none of a control record.
        """
        while self._waiting and self._waiting[0][1] <= header.last_offset:
            self._open.add(self._waiting.popleft()[0])
        if header.producer_id not in self._open:
            return False
        if header.is_control:
            key = marker_key()
            if key is not None and control_record_type(key) is ControlRecordType.ABORT:
                self._open.discard(header.producer_id)
            return False
        return header.is_transactional
