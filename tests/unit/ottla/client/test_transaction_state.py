from __future__ import annotations

import pytest

from ottla.client.errors import (
    ClientError,
    DeadlineError,
    FatalTransactionError,
    ProducerFencedError,
    TransactionAbortableError,
    UnsupportedApiError,
)
from ottla.client.transaction_state import (
    Phase,
    TransactionState,
    meaning_of_lost_records,
    meaning_of_refusal,
)
from ottla.core.errors import ErrorCode, OttlaError, ProtocolError


@pytest.mark.parametrize(
    ("error", "refusal", "lost"),
    [
        (ErrorCode.PRODUCER_FENCED, ProducerFencedError, FatalTransactionError),
        (ErrorCode.INVALID_PRODUCER_EPOCH, ProducerFencedError, TransactionAbortableError),
        (ErrorCode.INVALID_TXN_STATE, FatalTransactionError, TransactionAbortableError),
        (ErrorCode.TRANSACTION_ABORTABLE, TransactionAbortableError, TransactionAbortableError),
        (ErrorCode.INVALID_PRODUCER_ID_MAPPING, TransactionAbortableError, FatalTransactionError),
        (
            ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            FatalTransactionError,
            FatalTransactionError,
        ),
        (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, FatalTransactionError, TransactionAbortableError),
        (ErrorCode.ILLEGAL_GENERATION, TransactionAbortableError, TransactionAbortableError),
        (DeadlineError("late"), TransactionAbortableError, TransactionAbortableError),
        (UnsupportedApiError("old"), FatalTransactionError, TransactionAbortableError),
        (ProducerFencedError("x"), ProducerFencedError, ProducerFencedError),
    ],
)
def test_what_errors_mean(
    error: ErrorCode | OttlaError, refusal: type[ClientError], lost: type[ClientError]
) -> None:
    raised = ProtocolError(error, "it") if isinstance(error, ErrorCode) else error
    assert type(meaning_of_refusal(raised)) is refusal
    assert type(meaning_of_lost_records(raised)) is lost


def test_the_first_failure_counts_and_a_fatal_one_for_ever() -> None:
    state = TransactionState("x")
    state.fail(TransactionAbortableError("no transaction is open"))
    assert state.phase is Phase.UNINITIALIZED
    state.enter(Phase.IN_TRANSACTION)
    state.fail(TransactionAbortableError("first"))
    state.fail(TransactionAbortableError("second"))
    with pytest.raises(TransactionAbortableError, match="first"):
        state.require(Phase.IN_TRANSACTION)
    state.require(Phase.ABORTABLE_ERROR)
    state.enter(Phase.ABORTING)
    state.fail(TransactionAbortableError("third"))
    state.require(Phase.ABORTING)
    state.enter(Phase.READY)
    assert state.failure is None
    state.fail(FatalTransactionError("over"))
    state.fail(TransactionAbortableError("fourth"))
    with pytest.raises(FatalTransactionError, match="over"):
        state.require(Phase.READY)
