"""What the log holds of a transactional id; made by decisions, taken over by `replay`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from broker.transactions.seams import TopicPartition
from broker.transactions.states import TransactionState

NO_PRODUCER_ID: Final = -1
NO_EPOCH: Final = -1
EPOCH_MAX: Final = 2**15 - 1
EPOCH_GIVEN_MAX: Final = EPOCH_MAX - 1
"""The last that a producer gets; the one above is left for fencing it."""
TEXT_BYTES_MAX: Final = 32_767
"""Of a transactional id: the key's format counts it in an int16."""

VERSION_CLASSIC: Final = 0
VERSION_BUMPING: Final = 2
"""transaction.version 2 (KIP-890): every end of a transaction gives the producer a new epoch."""


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A transactional id: its producer, and its transaction if one is under way."""

    producer_id: int
    producer_epoch: int
    """The highest that was given out or, in PREPARE_*, that the markers carry."""
    timeout_ms: int
    state: TransactionState
    update_timestamp_ms: int
    start_timestamp_ms: int = -1
    """Wall time at which the transaction began; -1 without one."""
    partitions: frozenset[TopicPartition] = frozenset()
    """In ONGOING and PREPARE_*."""
    client_version: int = VERSION_CLASSIC
    """Of the transaction protocol that the client speaks."""
    previous_producer_id: int = NO_PRODUCER_ID
    """Whose epochs were used up; the present id took its place."""
    next_producer_id: int = NO_PRODUCER_ID
    """In PREPARE_*: the id that takes over once the markers are written."""

    @property
    def is_exhausted(self) -> bool:
        """No further epoch of this producer id may be given out."""
        return self.producer_epoch >= EPOCH_GIVEN_MAX


@dataclass(frozen=True, slots=True)
class Record:
    transactional_id: str
    transaction: StoredTransaction | None
    """None: a tombstone."""
