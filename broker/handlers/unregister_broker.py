"""UnregisterBroker (key 64), version 0: forget a broker that has left for good (KIP-631).

One that is alive is refused with INVALID_REQUEST: it would register again only with its next start,
and serve nothing until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.admin_calls import ask
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.unregister_broker_request import UnregisterBrokerRequest
from ottla.protocol.messages.unregister_broker_response import UnregisterBrokerResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

WAIT_MS: Final = 30_000


async def handle(
    services: BrokerServices, context: RequestContext, request: UnregisterBrokerRequest
) -> Answer:
    call = services.controller.partitions.unregister_broker(request.broker_id, WAIT_MS)
    try:
        await ask(call, WAIT_MS)
    except ProtocolError as error:
        return UnregisterBrokerResponse(error_code=int(error.code), error_message=error.message)
    return UnregisterBrokerResponse(error_message=None)


HANDLER = HandlerSpec(ApiKey.UNREGISTER_BROKER, 0, 0, handle)
