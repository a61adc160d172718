"""DescribeCluster (key 60), versions 0–2.

1   endpoint type (KIP-919): brokers; controllers are asked over their own listeners
2   fenced brokers on demand
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.endpoints import controller_for_clients
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_cluster_request import DescribeClusterRequest
from ottla.protocol.messages.describe_cluster_response import (
    DescribeClusterBroker,
    DescribeClusterResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_BROKERS: Final = 1
_CONTROLLERS: Final = 2


def handle(
    services: BrokerServices, context: RequestContext, request: DescribeClusterRequest
) -> Answer:
    if request.endpoint_type == _CONTROLLERS:
        return DescribeClusterResponse(
            error_code=int(ErrorCode.MISMATCHED_ENDPOINT_TYPE),
            error_message="this listener is a broker's, not a controller's",
            endpoint_type=_CONTROLLERS if context.api_version >= 1 else _BROKERS,
        )
    if request.endpoint_type != _BROKERS:
        return DescribeClusterResponse(
            error_code=int(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE),
            error_message=f"unknown endpoint type {request.endpoint_type}",
        )
    state = services.metadata.state
    with_fenced = context.api_version >= 2 and request.include_fenced_brokers
    brokers = []
    for broker_id in sorted(state.brokers):
        broker = state.brokers[broker_id]
        if broker.fenced and not with_fenced:
            continue
        for endpoint in broker.endpoints:
            if endpoint.name == context.listener_name:
                brokers.append(
                    DescribeClusterBroker(
                        broker_id,
                        endpoint.host,
                        endpoint.port,
                        broker.rack,
                        broker.fenced if context.api_version >= 2 else False,
                    )
                )
    return DescribeClusterResponse(
        cluster_id=services.cluster_id,
        controller_id=controller_for_clients(state, context.listener_name),
        brokers=brokers,
    )


HANDLER = HandlerSpec(ApiKey.DESCRIBE_CLUSTER, 0, 2, handle)
