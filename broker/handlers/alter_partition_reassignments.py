"""AlterPartitionReassignments (key 45), versions 0–1: move partitions to other brokers (KIP-455).

Replicas that are null call off what is under way. The answer means that the reassignment has begun;
ListPartitionReassignments tells when it has ended.

1   AllowReplicationFactorChange (KIP-860)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.control.requests import PartitionResult
from broker.handlers.admin_calls import ask, bounded_timeout
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
)
from ottla.protocol.messages.alter_partition_reassignments_response import (
    AlterPartitionReassignmentsResponse,
    ReassignablePartitionResponse,
    ReassignableTopicResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: AlterPartitionReassignmentsRequest
) -> Answer:
    targets: dict[tuple[str, int], list[int] | None] = {}
    results: list[PartitionResult] = []
    for topic in request.topics:
        for wanted in topic.partitions:
            name = (topic.name, wanted.partition_index)
            if name in targets:
                message = "the request names the partition twice"
                results.append(PartitionResult(*name, ErrorCode.INVALID_REQUEST, message))
            else:
                targets[name] = wanted.replicas
    if targets:
        timeout_ms = bounded_timeout(request.timeout_ms)
        try:
            results += await ask(
                services.controller.partitions.reassign(
                    targets,
                    replication_factor_may_change=request.allow_replication_factor_change,
                    timeout_ms=timeout_ms,
                ),
                timeout_ms,
            )
        except ProtocolError as error:
            return _response(request, int(error.code), error.message, results)
    return _response(request, 0, None, results)


def _response(
    request: AlterPartitionReassignmentsRequest,
    code: int,
    message: str | None,
    results: list[PartitionResult],
) -> AlterPartitionReassignmentsResponse:
    by_topic: dict[str, list[ReassignablePartitionResponse]] = {}
    for one in results:
        by_topic.setdefault(one.topic, []).append(
            ReassignablePartitionResponse(one.index, int(one.code), one.message)
        )
    return AlterPartitionReassignmentsResponse(
        allow_replication_factor_change=request.allow_replication_factor_change,
        error_code=code,
        error_message=message,
        responses=[ReassignableTopicResponse(name, found) for name, found in by_topic.items()],
    )


HANDLER = HandlerSpec(ApiKey.ALTER_PARTITION_REASSIGNMENTS, 0, 1, handle)
