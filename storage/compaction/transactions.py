"""Which batches belong to aborted transactions, and which markers have served. Pure.

An aborted transaction's records go in the pass that meets them. A marker may go when none of its
transaction's records is left in the log, and then only after `delete.retention.ms` (KIP-534): until
then consumers that are behind need it to know that the transaction ended.
"""

from __future__ import annotations

from collections.abc import Iterable

from ottla.record.batch import BatchHeader
from ottla.record.control import ControlRecordType
from storage.transaction_index import AbortedTransaction


class TransactionFilter:
    """Sees the batches of a pass in order, from `first_offset` (inclusive) on."""

    __slots__ = ("_aborted", "_committed", "_waiting")

    def __init__(self, aborted: Iterable[AbortedTransaction], first_offset: int) -> None:
        relevant = [one for one in aborted if one.last_offset >= first_offset]
        self._waiting = sorted(relevant, key=lambda one: one.first_offset, reverse=True)
        self._aborted: dict[int, bool] = {}  # producer id -> whether a record of it was met
        self._committed: set[int] = set()  # producers with records of a transaction, not yet ended

    def is_aborted(self, header: BatchHeader) -> bool:
        """Whether a data batch belongs to a transaction that was aborted."""
        if not header.is_transactional:
            return False
        self._begin_upto(header.last_offset)
        producer_id = header.producer_id
        if producer_id in self._aborted:
            self._aborted[producer_id] = True
            return True
        self._committed.add(producer_id)
        return False

    def has_served(self, header: BatchHeader, control_type: ControlRecordType | None) -> bool:
        """Whether no record of the transaction that this marker ends is left."""
        self._begin_upto(header.last_offset)
        producer_id = header.producer_id
        if control_type is ControlRecordType.ABORT:
            return not self._aborted.pop(producer_id, False)
        if control_type is ControlRecordType.COMMIT:
            left = producer_id in self._committed
            self._committed.discard(producer_id)
            return not left
        return False

    def _begin_upto(self, offset: int) -> None:
        waiting = self._waiting
        while waiting and waiting[-1].first_offset <= offset:
            self._aborted[waiting.pop().producer_id] = False
