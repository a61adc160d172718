"""InitProducerId: which id and epoch a transactional producer goes by (KIP-98, KIP-360).

    state            the answer
    none             a new producer id, epoch 0
    idle             the next epoch; a new id when the epochs are used up
    ONGOING          CONCURRENT_TRANSACTIONS, and the transaction is aborted with an epoch that
                     fences whoever began it
    PREPARE_*        CONCURRENT_TRANSACTIONS: its end is on the way

A producer that names the id and epoch it goes by must be the last one: else it is a zombie,
PRODUCER_FENCED. That it asks twice, since the first answer was lost, is recognised by
`bumped_from`, which the coordinator keeps in memory as Kafka does.
"""

from __future__ import annotations

from dataclasses import replace

from broker.coordinator.machine import Ticket, Turn
from broker.transactions.end import prepare
from broker.transactions.requests import InitRequest, NeedsProducerId, ProducerIdentity
from broker.transactions.states import TransactionState
from broker.transactions.stored import NO_PRODUCER_ID, Record, StoredTransaction
from ottla.core.errors import ErrorCode, ProtocolError


def decide_init(
    stored: StoredTransaction | None,
    request: InitRequest,
    bumped_from: dict[str, ProducerIdentity],
    ticket: Ticket,
    turn: Turn[Record],
) -> None:
    """The result is a ProducerIdentity, or NeedsProducerId.

    CONCURRENT_TRANSACTIONS, PRODUCER_FENCED.
    """
    name, expected, now_ms = request.transactional_id, request.expected, turn.moment.timestamp_ms
    if stored is None:
        if request.fresh_producer_id is None:
            turn.answer(ticket, NeedsProducerId())
            return
        created = StoredTransaction(
            request.fresh_producer_id, 0, request.timeout_ms, TransactionState.EMPTY, now_ms
        )
        turn.append(Record(name, created))
        turn.answer(ticket, ProducerIdentity(created.producer_id, 0))
        return
    current = ProducerIdentity(stored.producer_id, stored.producer_epoch)
    is_retry = False
    if expected is not None and expected != current:
        is_retry = bumped_from.get(name) == expected and stored.state.is_idle
        if not is_retry:
            raise ProtocolError(
                ErrorCode.PRODUCER_FENCED, f"{name} is used by another producer since"
            )
    if stored.state.is_prepared:
        raise ProtocolError(ErrorCode.CONCURRENT_TRANSACTIONS, "a transaction is being completed")
    if stored.state is TransactionState.ONGOING:
        turn.append(Record(name, prepare(stored, turn, is_commit=False, is_bumped=True)))
        turn.note(f"transactional id {name} starts anew: its open transaction is aborted")
        bumped_from.pop(name, None)
        turn.answer(
            ticket,
            ProtocolError(ErrorCode.CONCURRENT_TRANSACTIONS, "an open transaction is aborted"),
        )
        return
    if is_retry:
        turn.answer(ticket, current)
        return
    fresh = request.fresh_producer_id
    if stored.is_exhausted and fresh is None:
        turn.answer(ticket, NeedsProducerId())
        return
    if stored.is_exhausted and fresh is not None:
        identity, previous = ProducerIdentity(fresh, 0), stored.producer_id
    else:
        identity = ProducerIdentity(stored.producer_id, stored.producer_epoch + 1)
        previous = NO_PRODUCER_ID
    started = replace(
        stored,
        producer_id=identity.producer_id,
        producer_epoch=identity.producer_epoch,
        previous_producer_id=previous,
        timeout_ms=request.timeout_ms,
        state=TransactionState.EMPTY,
        update_timestamp_ms=now_ms,
    )
    if expected is None:
        bumped_from.pop(name, None)
    else:
        bumped_from[name] = expected
    turn.append(Record(name, started))
    turn.answer(ticket, identity)
