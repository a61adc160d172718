"""AlterReplicaLogDirs (key 34), versions 1–2: replicas moved to other log directories (KIP-113).

Answered as soon as it is known that it can be begun; DescribeLogDirs shows how far a copy is. A
replica that the broker has not got is answered REPLICA_NOT_AVAILABLE, and remembered: should it be
made here, it is made there. That is how a reassignment between brokers names directories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.alter_replica_log_dirs_request import AlterReplicaLogDirsRequest
from ottla.protocol.messages.alter_replica_log_dirs_response import (
    AlterReplicaLogDirPartitionResult,
    AlterReplicaLogDirsResponse,
    AlterReplicaLogDirTopicResult,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(
    services: BrokerServices, context: RequestContext, request: AlterReplicaLogDirsRequest
) -> Answer:
    results: dict[str, list[AlterReplicaLogDirPartitionResult]] = {}
    for directory in request.dirs:
        for topic in directory.topics:
            results.setdefault(topic.name, []).extend(
                AlterReplicaLogDirPartitionResult(
                    index, int(_move(services, topic.name, index, directory.path))
                )
                for index in topic.partitions
            )
    return _response(results)


def _move(services: BrokerServices, topic: str, index: int, path: str) -> ErrorCode:
    found = services.replicas.maybe_partition(topic, index)
    key = None if found is None else (found.topic_id, index)
    try:
        services.replicas.log_moves.request(topic, index, key, path)
    except ProtocolError as error:
        services.errors.note(ApiKey.ALTER_REPLICA_LOG_DIRS, error.code)
        return error.code
    return ErrorCode.NONE


def fail(
    request: AlterReplicaLogDirsRequest, version: int, code: ErrorCode, message: str | None
) -> AlterReplicaLogDirsResponse:
    """The same error for every partition."""
    results: dict[str, list[AlterReplicaLogDirPartitionResult]] = {}
    for directory in request.dirs:
        for topic in directory.topics:
            results.setdefault(topic.name, []).extend(
                AlterReplicaLogDirPartitionResult(index, int(code)) for index in topic.partitions
            )
    return _response(results)


def _response(
    results: dict[str, list[AlterReplicaLogDirPartitionResult]],
) -> AlterReplicaLogDirsResponse:
    return AlterReplicaLogDirsResponse(
        results=[AlterReplicaLogDirTopicResult(name, found) for name, found in results.items()]
    )


HANDLER = HandlerSpec(ApiKey.ALTER_REPLICA_LOG_DIRS, 1, 2, handle, fail)
