"""ListTransactions (key 66), versions 0–2: the transactional ids that this broker coordinates.

1   a filter by duration (KIP-994)
2   a filter by pattern of the id (KIP-1152)

Filters that are empty let everything pass; states that do not exist are named in the answer. A
pattern has at most 1,000 characters, and one that is no regular expression, or has what may take
for ever, is INVALID_REGULAR_EXPRESSION.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.transactions.id_pattern import id_pattern
from broker.transactions.states import TransactionState as State
from ottla.core.errors import ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_transactions_request import ListTransactionsRequest
from ottla.protocol.messages.list_transactions_response import (
    ListTransactionsResponse,
    TransactionState,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_STATES: Final = frozenset({state.shown for state in State} | {"PrepareEpochFence"})


async def handle(
    services: BrokerServices, context: RequestContext, request: ListTransactionsRequest
) -> Answer:
    states, producers = set(request.state_filters), set(request.producer_id_filters)
    try:
        pattern = id_pattern(request.transactional_id_pattern)
        listings = await services.transactions.list_transactions()
    except ProtocolError as error:
        return ListTransactionsResponse(error_code=int(error.code))
    return ListTransactionsResponse(
        unknown_state_filters=sorted(states - _STATES),
        transaction_states=[
            TransactionState(one.transactional_id, one.producer_id, one.state)
            for one in listings
            if (not states or one.state in states)
            and (not producers or one.producer_id in producers)
            and (request.duration_filter < 0 or one.duration_ms > request.duration_filter)
            and (pattern is None or pattern.fullmatch(one.transactional_id))
        ],
    )


HANDLER = HandlerSpec(ApiKey.LIST_TRANSACTIONS, 0, 2, handle)
