"""InitProducerId (key 22), versions 0–5, for idempotent and transactional producers.

3   the producer's former id and epoch (KIP-360; only transactional producers bump an epoch,
    an idempotent one gets a new id)
4   PRODUCER_FENCED (KIP-588), before INVALID_PRODUCER_EPOCH
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from broker.handlers.fencing import fenced_code
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.transactions.requests import ProducerIdentity
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.init_producer_id_request import InitProducerIdRequest
from ottla.protocol.messages.init_producer_id_response import InitProducerIdResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_WAIT_MS: Final = 5_000


def handle(
    services: BrokerServices, context: RequestContext, request: InitProducerIdRequest
) -> Answer:
    if request.transactional_id is not None:
        return _transactional(services, context, request)
    producer_id = services.producer_ids.maybe_take()
    if producer_id is not None:
        return InitProducerIdResponse(producer_id=producer_id, producer_epoch=0)
    return _allocate(services)


async def _transactional(
    services: BrokerServices, context: RequestContext, request: InitProducerIdRequest
) -> InitProducerIdResponse:
    expected = None
    if request.producer_id >= 0 and request.producer_epoch >= 0:
        expected = ProducerIdentity(request.producer_id, request.producer_epoch)
    try:
        identity = await services.transactions.init_producer_id(
            request.transactional_id or "", request.transaction_timeout_ms, expected
        )
    except ProtocolError as error:
        return _error(fenced_code(error.code, is_new=context.api_version >= 4))
    return InitProducerIdResponse(
        producer_id=identity.producer_id, producer_epoch=identity.producer_epoch
    )


async def _allocate(services: BrokerServices) -> InitProducerIdResponse:
    try:
        async with asyncio.timeout(_WAIT_MS / 1000):
            producer_id = await services.producer_ids.take(
                services.controller.allocate_producer_ids
            )
    except (ProtocolError, TimeoutError):
        # Whatever keeps the controller from answering passes; this code makes every client retry.
        return _error(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    return InitProducerIdResponse(producer_id=producer_id, producer_epoch=0)


def _error(code: ErrorCode) -> InitProducerIdResponse:
    return InitProducerIdResponse(error_code=int(code), producer_id=-1, producer_epoch=-1)


HANDLER = HandlerSpec(ApiKey.INIT_PRODUCER_ID, 0, 5, handle)
