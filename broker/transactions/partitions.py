"""AddPartitionsToTxn and AddOffsetsToTxn: what belongs to a transaction, and what is asked of it.

A partition is in the log of the transaction before its first record is in the partition: whoever
ends the transaction knows where markers have to go.
"""

from __future__ import annotations

from dataclasses import replace

from broker.coordinator.machine import Ticket, Turn
from broker.transactions.requests import AddRequest, ProducerIdentity
from broker.transactions.settings import TransactionSettings
from broker.transactions.states import TransactionState
from broker.transactions.stored import Record, StoredTransaction
from ottla.core.errors import ErrorCode, ProtocolError


def check_producer(
    stored: StoredTransaction | None, identity: ProducerIdentity
) -> StoredTransaction:
    """INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED."""
    if stored is None or stored.producer_id != identity.producer_id:
        raise ProtocolError(
            ErrorCode.INVALID_PRODUCER_ID_MAPPING,
            f"producer {identity.producer_id} is not that of the transactional id",
        )
    if stored.producer_epoch != identity.producer_epoch:
        raise ProtocolError(
            ErrorCode.PRODUCER_FENCED,
            f"producer {identity.producer_id} has epoch {stored.producer_epoch}; "
            f"epoch {identity.producer_epoch} was replaced",
        )
    return stored


def decide_add(
    stored: StoredTransaction | None,
    request: AddRequest,
    ticket: Ticket,
    turn: Turn[Record],
    settings: TransactionSettings,
) -> None:
    """The result is an ErrorCode for each partition.

    INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS; INVALID_REQUEST for more
    partitions than a transaction may have.
    """
    current = check_producer(stored, request.identity)
    if request.verify_only:
        is_open = current.state is TransactionState.ONGOING
        turn.answer(
            ticket,
            [
                ErrorCode.NONE
                if is_open and partition in current.partitions
                else ErrorCode.INVALID_TXN_STATE
                for partition in request.partitions
            ],
        )
        return
    if current.state.is_prepared:
        raise ProtocolError(
            ErrorCode.CONCURRENT_TRANSACTIONS, "the transaction before is being completed"
        )
    added = current.partitions.union(request.partitions)
    codes = [ErrorCode.NONE] * len(request.partitions)
    if current.state is TransactionState.ONGOING and len(added) == len(current.partitions):
        turn.answer(ticket, codes)
        return
    if len(added) > settings.partitions_max:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            f"a transaction has at most {settings.partitions_max} partitions",
        )
    now_ms = turn.moment.timestamp_ms
    is_first = current.state is not TransactionState.ONGOING
    opened = replace(
        current,
        state=TransactionState.ONGOING,
        partitions=added,
        start_timestamp_ms=now_ms if is_first else current.start_timestamp_ms,
        update_timestamp_ms=now_ms,
        client_version=request.client_version,
    )
    turn.append(Record(request.transactional_id, opened))
    turn.answer(ticket, codes)
