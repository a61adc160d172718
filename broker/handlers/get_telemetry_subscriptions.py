"""GetTelemetrySubscriptions (key 71), version 0: which metrics a client is to send (KIP-714).

A client without an instance id is given one. Counts are asked for as totals, not as differences,
since that is how they are shown. Offered only by a node that shows what it is sent.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.telemetry.receiver import ACCEPTED, TelemetryClient, TelemetryReceiver
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID, random_uuid
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.get_telemetry_subscriptions_request import (
    GetTelemetrySubscriptionsRequest,
)
from ottla.protocol.messages.get_telemetry_subscriptions_response import (
    GetTelemetrySubscriptionsResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_CLIENT_ID_CHARACTERS_MAX: Final = 255
_RANDOM: Final = random.SystemRandom()


def handle(
    services: BrokerServices, context: RequestContext, request: GetTelemetrySubscriptionsRequest
) -> Answer:
    receiver = receiver_of(services)
    instance_id = request.client_instance_id
    if instance_id == NIL_UUID:
        instance_id = random_uuid(_RANDOM)
    instance = receiver.get(instance_id, telemetry_client(context))
    return GetTelemetrySubscriptionsResponse(
        client_instance_id=instance_id,
        subscription_id=instance.subscription_id,
        accepted_compression_types=[int(codec) for codec in ACCEPTED],
        push_interval_ms=instance.wanted.interval_ms,
        telemetry_max_bytes=receiver.bytes_max,
        delta_temporality=False,
        requested_metrics=list(instance.wanted.prefixes),
    )


def receiver_of(services: BrokerServices) -> TelemetryReceiver:
    if services.telemetry is None:
        raise ProtocolError(ErrorCode.UNSUPPORTED_VERSION, "this node takes no metrics of clients")
    return services.telemetry


def telemetry_client(context: RequestContext) -> TelemetryClient:
    """Who asks."""
    return TelemetryClient(
        (context.client_id or "")[:_CLIENT_ID_CHARACTERS_MAX],
        context.client_software[:_CLIENT_ID_CHARACTERS_MAX],
        context.peer_host,
        context.peer_port,
    )


HANDLER = HandlerSpec(ApiKey.GET_TELEMETRY_SUBSCRIPTIONS, 0, 0, handle)
