"""ElectLeaders (key 43), versions 0–2: preferred leaders back, or whoever is alive (KIP-183).

A request without partitions is for all; those that are led as they should be are then left out.

1   unclean elections (KIP-460)
2   flexible
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.control.requests import PartitionResult
from broker.handlers.admin_calls import ask, bounded_timeout
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.elect_leaders_request import ElectLeadersRequest
from ottla.protocol.messages.elect_leaders_response import (
    ElectLeadersResponse,
    ReplicaElectionResult,
)
from ottla.protocol.messages.elect_leaders_response import (
    PartitionResult as PartitionAnswer,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

PREFERRED: Final = 0
UNCLEAN: Final = 1


async def handle(
    services: BrokerServices, context: RequestContext, request: ElectLeadersRequest
) -> Answer:
    names = (
        None
        if request.topic_partitions is None
        else [(topic.topic, i) for topic in request.topic_partitions for i in topic.partitions]
    )
    timeout_ms = bounded_timeout(request.timeout_ms)
    try:
        if request.election_type not in (PREFERRED, UNCLEAN):
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST,
                f"election type {request.election_type} is neither 0 (preferred) nor 1 (unclean)",
            )
        results = await ask(
            services.controller.partitions.elect_leaders(
                names, unclean=request.election_type == UNCLEAN, timeout_ms=timeout_ms
            ),
            timeout_ms,
        )
    except ProtocolError as error:
        return _failed(names, error, context.api_version)
    return ElectLeadersResponse(replica_election_results=_by_topic(results))


def _failed(
    names: list[tuple[str, int]] | None, error: ProtocolError, version: int
) -> ElectLeadersResponse:
    """Version 0 has no error of the whole request: each partition that was named carries it."""
    results = [PartitionResult(topic, i, error.code, error.message) for topic, i in names or ()]
    return ElectLeadersResponse(
        error_code=int(error.code) if version >= 1 else 0,
        replica_election_results=_by_topic(results),
    )


def _by_topic(results: list[PartitionResult]) -> list[ReplicaElectionResult]:
    by_topic: dict[str, list[PartitionAnswer]] = {}
    for one in results:
        by_topic.setdefault(one.topic, []).append(
            PartitionAnswer(one.index, int(one.code), one.message)
        )
    return [ReplicaElectionResult(topic, found) for topic, found in by_topic.items()]


HANDLER = HandlerSpec(ApiKey.ELECT_LEADERS, 0, 2, handle)
