"""The phases of a transactional producer, and what an error means for it.

    UNINITIALIZED ──init──▶ READY ──begin──▶ IN_TRANSACTION ──commit──▶ COMMITTING ──▶ READY
                                               │         │                  │
                                               │         └──abort──┐        │ TRANSACTION_ABORTABLE
                                               ▼                   ▼        ▼
                                          ABORTABLE_ERROR ──▶ ABORTING   ABORTABLE_ERROR
                                                                   └──▶ READY
    any ── fenced, or refused for good ──▶ FATAL_ERROR

An end whose answer did not come in time stays in COMMITTING or ABORTING: whether it was decided is
unknown, and only the same end may be asked for again. Codes as the Java client classes them
(TransactionManager). Pure.
"""

from __future__ import annotations

from enum import Enum

from ottla.client.errors import (
    ClientError,
    FatalTransactionError,
    ProducerFencedError,
    TransactionAbortableError,
    UnsupportedApiError,
    sentence,
)
from ottla.core.errors import ErrorCode, OttlaError, ProtocolError


class Phase(Enum):
    UNINITIALIZED = "has no producer id yet: call init_transactions() first"
    READY = "is in no transaction: call begin() first"
    IN_TRANSACTION = "is in a transaction: commit() or abort() it first"
    COMMITTING = "is committing, and its outcome is not known: call commit() again"
    ABORTING = "is aborting, and its outcome is not known: call abort() again"
    ABORTABLE_ERROR = "has a transaction that failed: abort() it first"
    FATAL_ERROR = "can only be closed"


_FENCED = frozenset({ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH})
_ABORTABLE = frozenset(
    {
        ErrorCode.TRANSACTION_ABORTABLE,
        ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        ErrorCode.GROUP_AUTHORIZATION_FAILED,
        ErrorCode.OPERATION_NOT_ATTEMPTED,
        ErrorCode.UNKNOWN_PRODUCER_ID,
        ErrorCode.INVALID_PRODUCER_ID_MAPPING,
        ErrorCode.UNKNOWN_MEMBER_ID,
        ErrorCode.ILLEGAL_GENERATION,
        ErrorCode.FENCED_INSTANCE_ID,
        ErrorCode.FENCED_MEMBER_EPOCH,
        ErrorCode.STALE_MEMBER_EPOCH,
    }
)
"""Of coordinators: the producer can go on after an abort."""
_FATAL_IN_PRODUCE = frozenset(
    {
        ErrorCode.PRODUCER_FENCED,
        ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
        ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ErrorCode.INVALID_PRODUCER_ID_MAPPING,
        ErrorCode.UNSUPPORTED_VERSION,
    }
)


def meaning_of_refusal(error: OttlaError) -> ClientError:
    """What a coordinator's answer, or none within the deadline, means for the transaction."""
    if isinstance(error, FatalTransactionError | TransactionAbortableError):
        return error
    text = sentence(error)
    if isinstance(error, UnsupportedApiError):
        return FatalTransactionError(f"{text}; the producer can only be closed")
    if isinstance(error, ProtocolError):
        if error.code in _FENCED:
            return ProducerFencedError(f"{text}; this one can only be closed")
        if error.code not in _ABORTABLE:
            return FatalTransactionError(f"{text}; the producer can only be closed")
    return TransactionAbortableError(f"{text}; abort() the transaction and begin() anew")


def meaning_of_lost_records(error: OttlaError) -> ClientError:
    """What a batch that failed means for its transaction.

    An epoch that a partition refuses may have been replaced by the coordinator after the
    transaction's time-out: whether the producer is fenced comes out in the abort.
    """
    if isinstance(error, FatalTransactionError | TransactionAbortableError):
        return error
    text = sentence(error)
    if isinstance(error, ProtocolError) and error.code in _FATAL_IN_PRODUCE:
        return FatalTransactionError(f"{text}; the producer can only be closed")
    return TransactionAbortableError(f"{text}; abort() the transaction and begin() anew")


class TransactionState:
    """The phase, and the error that led into one of the two error phases."""

    def __init__(self, subject: str) -> None:
        self.phase = Phase.UNINITIALIZED
        self.failure: ClientError | None = None
        self._subject = subject

    def require(self, *phases: Phase) -> None:
        """ClientError unless in one of `phases`; in an error phase, the error that led there."""
        if self.phase in phases:
            return
        if self.failure is not None:
            raise self.failure
        raise ClientError(f"{self._subject} {self.phase.value}")

    def enter(self, phase: Phase) -> None:
        """Another phase; READY and IN_TRANSACTION forget what failed before."""
        self.phase = phase
        if phase in (Phase.READY, Phase.IN_TRANSACTION):
            self.failure = None

    def fail(self, failure: ClientError) -> None:
        """Take in an error: the first one counts, and a fatal one for ever."""
        if self.phase is Phase.FATAL_ERROR:
            return
        if isinstance(failure, FatalTransactionError):
            self.phase, self.failure = Phase.FATAL_ERROR, failure
        elif self.phase in (Phase.IN_TRANSACTION, Phase.COMMITTING):
            self.phase, self.failure = Phase.ABORTABLE_ERROR, failure
