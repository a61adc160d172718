"""PushTelemetry (key 72), version 0: metrics of a client (KIP-714).

The payload is read before it is answered, so that the client hears what is wrong with it: after
INVALID_RECORD clients send no more, after TELEMETRY_TOO_LARGE they may send less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.handlers.get_telemetry_subscriptions import receiver_of, telemetry_client
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.push_telemetry_request import PushTelemetryRequest
from ottla.protocol.messages.push_telemetry_response import PushTelemetryResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: PushTelemetryRequest
) -> Answer:
    await receiver_of(services).push(
        request.client_instance_id,
        telemetry_client(context),
        request.subscription_id,
        request.compression_type,
        request.metrics,
        terminating=request.terminating,
    )
    return PushTelemetryResponse()


HANDLER = HandlerSpec(ApiKey.PUSH_TELEMETRY, 0, 0, handle)
