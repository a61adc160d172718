"""EndTxn (key 26), versions 0–5: commits or aborts a transaction.

2   PRODUCER_FENCED (KIP-588), before INVALID_PRODUCER_EPOCH
5   the producer's next epoch comes with the answer (KIP-890)

Answered once the decision is committed; the markers follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.handlers.fencing import fenced_code
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.transactions.requests import ProducerIdentity
from broker.transactions.stored import VERSION_BUMPING, VERSION_CLASSIC
from ottla.core.errors import ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.end_txn_request import EndTxnRequest
from ottla.protocol.messages.end_txn_response import EndTxnResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: EndTxnRequest
) -> Answer:
    bumps = context.api_version >= 5
    try:
        identity = await services.transactions.end(
            request.transactional_id,
            ProducerIdentity(request.producer_id, request.producer_epoch),
            is_commit=request.committed,
            client_version=VERSION_BUMPING if bumps else VERSION_CLASSIC,
        )
    except ProtocolError as error:
        code = fenced_code(error.code, is_new=context.api_version >= 2)
        return EndTxnResponse(error_code=int(code))
    if not bumps:
        return EndTxnResponse()
    return EndTxnResponse(producer_id=identity.producer_id, producer_epoch=identity.producer_epoch)


HANDLER = HandlerSpec(ApiKey.END_TXN, 0, 5, handle)
