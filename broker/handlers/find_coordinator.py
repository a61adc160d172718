"""FindCoordinator (key 10), versions 0–6.

1   key types: groups, transactions
4   many keys at once (KIP-699)
6   share groups' key type, which is not supported

The first call for a group creates __consumer_offsets, the first for a transactional id
__transaction_state. Who coordinates is the leader of the partition that the key belongs to, told by
its address on the listener that was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.endpoints import live_endpoint
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.find_coordinator_request import FindCoordinatorRequest
from ottla.protocol.messages.find_coordinator_response import (
    Coordinator,
    FindCoordinatorResponse,
)

if TYPE_CHECKING:
    from broker.groups.group_coordinator import GroupCoordinator
    from broker.handlers.services import BrokerServices
    from broker.transactions.transaction_coordinator import TransactionCoordinator

_GROUP: Final = 0
_TRANSACTION: Final = 1


def handle(
    services: BrokerServices, context: RequestContext, request: FindCoordinatorRequest
) -> Answer:
    coordinator = _coordinator_of(services, request.key_type)
    if coordinator is not None and coordinator.topic.metadata is None:
        return _create_and_find(services, context, request, coordinator)
    return _find(services, context, request)


def _coordinator_of(
    services: BrokerServices, key_type: int
) -> GroupCoordinator | TransactionCoordinator | None:
    if key_type == _GROUP:
        return services.groups
    return services.transactions if key_type == _TRANSACTION else None


async def _create_and_find(
    services: BrokerServices,
    context: RequestContext,
    request: FindCoordinatorRequest,
    coordinator: GroupCoordinator | TransactionCoordinator,
) -> Answer:
    try:
        await coordinator.topic.ensure()
    except ProtocolError as error:
        return fail(request, context.api_version, error.code, error.message)
    return _find(services, context, request)


def _find(
    services: BrokerServices, context: RequestContext, request: FindCoordinatorRequest
) -> FindCoordinatorResponse:
    found = []
    for key in _keys(request, context.api_version):
        try:
            found.append(_coordinator(services, context, request.key_type, key))
        except ProtocolError as error:
            found.append(_failed(key, error.code, error.message))
    return _response(context.api_version, found)


def _coordinator(
    services: BrokerServices, context: RequestContext, key_type: int, key: str
) -> Coordinator:
    coordinator = _coordinator_of(services, key_type)
    if coordinator is None:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, f"coordinator key type {key_type}")
    if key_type == _TRANSACTION and not key:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "the transactional id is empty")
    partition = coordinator.partition_of(key)
    if partition is None or partition.leader_id is None:
        raise ProtocolError(
            ErrorCode.COORDINATOR_NOT_AVAILABLE, "its partition has no leader at the moment"
        )
    state = services.metadata.state
    endpoint = live_endpoint(state, partition.leader_id, context.listener_name)
    if endpoint is None:
        raise ProtocolError(
            ErrorCode.COORDINATOR_NOT_AVAILABLE,
            f"broker {partition.leader_id} is not alive or not on listener {context.listener_name}",
        )
    return Coordinator(key, partition.leader_id, endpoint.host, endpoint.port, 0, None)


def _keys(request: FindCoordinatorRequest, version: int) -> list[str]:
    return request.coordinator_keys if version >= 4 else [request.key]


def _failed(key: str, code: ErrorCode, message: str | None) -> Coordinator:
    return Coordinator(key, -1, "", -1, int(code), message)


def _response(version: int, found: list[Coordinator]) -> FindCoordinatorResponse:
    if version >= 4:
        return FindCoordinatorResponse(coordinators=found)
    only = found[0]
    return FindCoordinatorResponse(
        error_code=only.error_code,
        error_message=only.error_message,
        node_id=only.node_id,
        host=only.host,
        port=only.port,
    )


def fail(
    request: FindCoordinatorRequest, version: int, code: ErrorCode, message: str | None
) -> FindCoordinatorResponse:
    """The same error for every key."""
    return _response(version, [_failed(key, code, message) for key in _keys(request, version)])


HANDLER = HandlerSpec(ApiKey.FIND_COORDINATOR, 0, 6, handle, fail)
