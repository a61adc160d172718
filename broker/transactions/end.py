"""EndTxn, the time-out, and what follows when all markers are written.

The end is decided by the PREPARE_* record and answered once that is committed; the markers follow,
and COMPLETE_* says that nothing is left to do.

Epochs (KIP-890): with transaction.version 2 every end gives the producer a new epoch, which the
markers carry too. What a producer sent before the end and what comes late can then not become part
of its next transaction. An abort by the coordinator gives a new epoch in every version: it fences.
"""

from __future__ import annotations

from dataclasses import replace

from broker.coordinator.machine import Ticket, Turn
from broker.transactions.partitions import check_producer
from broker.transactions.requests import EndRequest, NeedsProducerId, ProducerIdentity
from broker.transactions.states import TransactionState
from broker.transactions.stored import (
    EPOCH_GIVEN_MAX,
    NO_PRODUCER_ID,
    VERSION_BUMPING,
    VERSION_CLASSIC,
    Record,
    StoredTransaction,
)
from ottla.core.errors import ErrorCode, ProtocolError


def prepare(
    stored: StoredTransaction,
    turn: Turn[Record],
    *,
    is_commit: bool,
    is_bumped: bool,
    next_producer_id: int = NO_PRODUCER_ID,
) -> StoredTransaction:
    """The transaction with its end decided."""
    return replace(
        stored,
        producer_epoch=stored.producer_epoch + is_bumped,
        state=TransactionState.PREPARE_COMMIT if is_commit else TransactionState.PREPARE_ABORT,
        next_producer_id=next_producer_id,
        update_timestamp_ms=turn.moment.timestamp_ms,
        client_version=VERSION_BUMPING if is_bumped else VERSION_CLASSIC,
    )


def identity_after(stored: StoredTransaction) -> ProducerIdentity:
    """What the producer goes by once `stored`, a transaction that ends, is complete."""
    if stored.next_producer_id != NO_PRODUCER_ID:
        return ProducerIdentity(stored.next_producer_id, 0)
    return ProducerIdentity(stored.producer_id, stored.producer_epoch)


def decide_end(
    stored: StoredTransaction | None, request: EndRequest, ticket: Ticket, turn: Turn[Record]
) -> None:
    """The result is the ProducerIdentity to go on with, or NeedsProducerId.

    INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, INVALID_TXN_STATE, CONCURRENT_TRANSACTIONS.
    """
    bumps = request.client_version >= VERSION_BUMPING
    is_retry = bumps and stored is not None and _is_bumped_since(stored, request.identity)
    if is_retry and stored is not None:
        current = stored
    else:
        current = check_producer(stored, request.identity)
    wanted = (
        TransactionState.PREPARE_COMMIT if request.is_commit else TransactionState.PREPARE_ABORT
    )
    done = (
        TransactionState.COMPLETE_COMMIT if request.is_commit else TransactionState.COMPLETE_ABORT
    )
    state = current.state
    if state is TransactionState.ONGOING:
        if is_retry:
            raise ProtocolError(ErrorCode.PRODUCER_FENCED, "a later transaction is open")
        _prepare(current, request, ticket, turn, bumps=bumps)
    elif state.is_prepared:
        if state is wanted or (bumps and not is_retry):
            raise ProtocolError(ErrorCode.CONCURRENT_TRANSACTIONS, "it is being completed")
        raise _not_open(current)
    elif state is done and (is_retry or not bumps):
        turn.answer(ticket, ProducerIdentity(current.producer_id, current.producer_epoch))
    elif bumps and not is_retry and not request.is_commit:
        # Nothing was added, or it failed on the way: the new epoch makes sure that nothing will be.
        _prepare(current, request, ticket, turn, bumps=True)
    else:
        raise _not_open(current)


def _prepare(
    current: StoredTransaction,
    request: EndRequest,
    ticket: Ticket,
    turn: Turn[Record],
    *,
    bumps: bool,
) -> None:
    next_producer_id = NO_PRODUCER_ID
    if bumps and current.is_exhausted:
        if request.fresh_producer_id is None:
            turn.answer(ticket, NeedsProducerId())
            return
        next_producer_id = request.fresh_producer_id
    prepared = prepare(
        current,
        turn,
        is_commit=request.is_commit,
        is_bumped=bumps,
        next_producer_id=next_producer_id,
    )
    turn.append(Record(request.transactional_id, prepared))
    turn.answer(ticket, identity_after(prepared))


def _is_bumped_since(stored: StoredTransaction, identity: ProducerIdentity) -> bool:
    """Whether `identity` is what the producer went by before the last end of a transaction."""
    if identity.producer_id == stored.producer_id:
        return identity.producer_epoch == stored.producer_epoch - 1
    return (
        identity == ProducerIdentity(stored.previous_producer_id, EPOCH_GIVEN_MAX)
        and stored.producer_epoch == 0
    )


def _not_open(stored: StoredTransaction) -> ProtocolError:
    return ProtocolError(
        ErrorCode.INVALID_TXN_STATE, f"the transaction is in state {stored.state.shown}"
    )


def complete(stored: StoredTransaction, timestamp_ms: int) -> StoredTransaction:
    """After all markers of a prepared transaction are committed."""
    identity = identity_after(stored)
    is_rotated = identity.producer_id != stored.producer_id
    return replace(
        stored,
        producer_id=identity.producer_id,
        producer_epoch=identity.producer_epoch,
        previous_producer_id=stored.producer_id if is_rotated else stored.previous_producer_id,
        next_producer_id=NO_PRODUCER_ID,
        state=(
            TransactionState.COMPLETE_COMMIT
            if stored.state is TransactionState.PREPARE_COMMIT
            else TransactionState.COMPLETE_ABORT
        ),
        partitions=frozenset(),
        start_timestamp_ms=-1,
        update_timestamp_ms=timestamp_ms,
    )
