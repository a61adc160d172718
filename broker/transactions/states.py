"""The states of a transaction, and which may follow which.

All of them are in the log; `replay` alone moves a transaction between them. What they promise: once
PREPARE_* is committed, the transaction *will* end so, whatever dies: whoever coordinates next finds
the state and writes the markers (again).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class TransactionState(IntEnum):
    """Values are those of the log (Kafka's TransactionState)."""

    EMPTY = 0
    """The producer has its id and epoch; no transaction was begun.

    Action: AddPartitionsToTxn, AddOffsetsToTxn, or a first batch (KIP-890) begin one. EndTxn has
    nothing to end: INVALID_TXN_STATE, except that KIP-890 allows to abort. InitProducerId gives the
    next epoch.
    Transition: → ONGOING; expired → gone.
    Previous: none, EMPTY, COMPLETE_COMMIT, COMPLETE_ABORT.
    """

    ONGOING = 1
    """Partitions have been added; their records are not yet decided.

    Action: more partitions are added. InitProducerId aborts with a higher epoch, which fences
    whoever goes by the lower one, and answers CONCURRENT_TRANSACTIONS; so does the time-out.
    Transition: EndTxn → PREPARE_COMMIT or PREPARE_ABORT; InitProducerId, time-out → PREPARE_ABORT.
    Previous: EMPTY, ONGOING, COMPLETE_COMMIT, COMPLETE_ABORT.
    """

    PREPARE_COMMIT = 2
    """Decided. The markers are being written to every partition.

    Action: everything but a repeated EndTxn waits: CONCURRENT_TRANSACTIONS.
    Transition: all markers are committed → COMPLETE_COMMIT.
    Previous: ONGOING.
    """

    PREPARE_ABORT = 3
    """As PREPARE_COMMIT, with abort markers.

    Previous: ONGOING; under KIP-890 also EMPTY, COMPLETE_COMMIT and COMPLETE_ABORT, without
    partitions: an abort gives a new epoch.
    """

    COMPLETE_COMMIT = 4
    """Committed everywhere. As EMPTY; a repeated commit is confirmed again.

    Previous: PREPARE_COMMIT.
    """

    COMPLETE_ABORT = 5
    """Aborted everywhere. As EMPTY; a repeated abort is confirmed again.

    Previous: PREPARE_ABORT.
    """

    DEAD = 6
    """Kafka's, while it deletes an id that nobody used for long. Never written here: a tombstone
    says it."""

    @property
    def shown(self) -> str:
        """The name that DescribeTransactions and ListTransactions use."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    @property
    def is_prepared(self) -> bool:
        return self in (TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT)

    @property
    def is_idle(self) -> bool:
        """Nothing is under way."""
        return self in _IDLE


_IDLE: Final = frozenset(
    {TransactionState.EMPTY, TransactionState.COMPLETE_COMMIT, TransactionState.COMPLETE_ABORT}
)

VALID_PREVIOUS: Final = {
    TransactionState.EMPTY: _IDLE,
    TransactionState.ONGOING: _IDLE | {TransactionState.ONGOING},
    TransactionState.PREPARE_COMMIT: frozenset({TransactionState.ONGOING}),
    TransactionState.PREPARE_ABORT: _IDLE | {TransactionState.ONGOING},
    TransactionState.COMPLETE_COMMIT: frozenset({TransactionState.PREPARE_COMMIT}),
    TransactionState.COMPLETE_ABORT: frozenset({TransactionState.PREPARE_ABORT}),
    TransactionState.DEAD: frozenset(),
}
