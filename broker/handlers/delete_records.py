"""DeleteRecords (key 21), versions 0–2 (KIP-107): hide a partition's oldest records for good.

The offset is the first one kept; -1 means the high watermark. The log start moves at once; the
answer waits, at most `timeout_ms`, until no live replica has the records any more, not even after a
crash, and tells the low watermark: the least log start among them. Kafka answers before the log
start is on disk. Where time runs out, the deletion goes on all the same.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from broker.handlers.admin_calls import bounded_timeout
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.replication.record_deletion import delete_before
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.delete_records_request import DeleteRecordsRequest
from ottla.protocol.messages.delete_records_response import (
    DeleteRecordsPartitionResult,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from broker.replication.partition import Partition

_NO_LOW_WATERMARK: Final = -1


def handle(
    services: BrokerServices, context: RequestContext, request: DeleteRecordsRequest
) -> Answer:
    waiting: list[tuple[asyncio.Future[None], Partition, DeleteRecordsPartitionResult]] = []
    topics = []
    for topic in request.topics:
        results = []
        for asked in topic.partitions:
            result = DeleteRecordsPartitionResult(asked.partition_index, _NO_LOW_WATERMARK)
            results.append(result)
            try:
                partition = services.replicas.partition(topic.name, asked.partition_index)
                if partition.internal:
                    raise ProtocolError(ErrorCode.INVALID_TOPIC_EXCEPTION)
                waiting.append((delete_before(partition, asked.offset), partition, result))
            except ProtocolError as error:
                result.error_code = int(error.code)
        topics.append(DeleteRecordsTopicResult(topic.name, results))
    response = DeleteRecordsResponse(topics=topics)
    if not waiting:
        return response
    return _wait(response, waiting, bounded_timeout(request.timeout_ms))


async def _wait(
    response: DeleteRecordsResponse,
    waiting: list[tuple[asyncio.Future[None], Partition, DeleteRecordsPartitionResult]],
    timeout_ms: int,
) -> DeleteRecordsResponse:
    await asyncio.wait([future for future, _, _ in waiting], timeout=timeout_ms / 1000)
    for future, partition, result in waiting:
        if not future.done():
            future.cancel()
            result.error_code = int(ErrorCode.REQUEST_TIMED_OUT)
            continue
        error = future.exception()
        if isinstance(error, ProtocolError):
            result.error_code = int(error.code)
        elif error is not None:
            raise error
        else:
            result.low_watermark = partition.machine.low_watermark_offset
    return response


def fail(
    request: DeleteRecordsRequest, version: int, code: ErrorCode, message: str | None
) -> DeleteRecordsResponse:
    """The same error for every partition."""
    return DeleteRecordsResponse(
        topics=[
            DeleteRecordsTopicResult(
                topic.name,
                [
                    DeleteRecordsPartitionResult(p.partition_index, _NO_LOW_WATERMARK, int(code))
                    for p in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


HANDLER = HandlerSpec(ApiKey.DELETE_RECORDS, 0, 2, handle, fail)
