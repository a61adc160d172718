"""ListOffsets (key 2), versions 0–11.

    0   a list of offsets (one is given); from 1 on one offset and its timestamp
    2   isolation level
    4   leader epochs
    5   OFFSET_NOT_AVAILABLE (KIP-207)

Timestamps with a meaning of their own, by the version that brought them:

    -1  latest: the high watermark, or the last stable offset under read_committed
    -2  earliest: the log start
    -3  the record with the largest timestamp (7, KIP-734)
    -4  earliest on local disk (8): the log start, since nothing is tiered
    -5  latest in tiered storage (9) and -6 earliest that waits for it (11): none, offset -1

A time before the first record gives the first record at or after it; after the last, offset -1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_offsets_request import ListOffsetsPartition, ListOffsetsRequest
from ottla.protocol.messages.list_offsets_response import (
    ListOffsetsPartitionResponse,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from broker.replication.partition import Partition

_LATEST: Final = -1
_EARLIEST: Final = -2
_MAX_TIMESTAMP: Final = -3
_EARLIEST_LOCAL: Final = -4
_LATEST_TIERED: Final = -5
_EARLIEST_PENDING: Final = -6
_SINCE_VERSION: Final = {
    _MAX_TIMESTAMP: 7,
    _EARLIEST_LOCAL: 8,
    _LATEST_TIERED: 9,
    _EARLIEST_PENDING: 11,
}


def handle(
    services: BrokerServices, context: RequestContext, request: ListOffsetsRequest
) -> Answer:
    version = context.api_version
    committed_only = request.isolation_level == 1
    topics = []
    for topic in request.topics:
        results = []
        for asked in topic.partitions:
            result = ListOffsetsPartitionResponse(partition_index=asked.partition_index)
            results.append(result)
            try:
                partition = services.replicas.partition(topic.name, asked.partition_index)
                partition.check_leader(asked.current_leader_epoch)
                timestamp, offset, epoch = _find(partition, asked, committed_only, version)
            except ProtocolError as error:
                result.error_code = int(error.code)
                continue
            if version == 0:
                result.old_style_offsets = [offset] if offset >= 0 else []
            else:
                result.timestamp, result.offset = timestamp, offset
                result.leader_epoch = epoch if version >= 4 else -1
        topics.append(ListOffsetsTopicResponse(topic.name, results))
    return ListOffsetsResponse(topics=topics)


def fail(
    request: ListOffsetsRequest, version: int, code: ErrorCode, message: str | None
) -> ListOffsetsResponse:
    """The same error for every partition."""
    return ListOffsetsResponse(
        topics=[
            ListOffsetsTopicResponse(
                topic.name,
                [
                    ListOffsetsPartitionResponse(p.partition_index, int(code))
                    for p in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


def _find(
    partition: Partition, asked: ListOffsetsPartition, committed_only: bool, version: int
) -> tuple[int, int, int]:
    """(timestamp, offset, leader epoch), each -1 where there is none."""
    wanted = asked.timestamp
    log = partition.usable_log
    if wanted in (_EARLIEST, _EARLIEST_LOCAL) and version >= _SINCE_VERSION.get(wanted, 0):
        return -1, partition.log_start_offset, _epoch_of(partition, partition.log_start_offset)
    if wanted >= 0 or wanted == _LATEST or version >= _SINCE_VERSION.get(wanted, 128):
        _check_high_watermark_is_known(partition, version)
    end_offset = partition.last_stable_offset if committed_only else partition.high_watermark
    if wanted == _LATEST:
        return -1, end_offset, partition.leader_epoch
    if wanted in (_LATEST_TIERED, _EARLIEST_PENDING) and version >= _SINCE_VERSION[wanted]:
        return -1, -1, -1
    if wanted == _MAX_TIMESTAMP and version >= _SINCE_VERSION[wanted]:
        found = log.max_timestamp_offset(end_offset)
    elif wanted >= 0:
        found = log.offset_for_timestamp(wanted, end_offset)
    else:
        raise ProtocolError(ErrorCode.UNSUPPORTED_VERSION, f"no meaning of timestamp {wanted}")
    return found if found is not None else (-1, -1, -1)


def _check_high_watermark_is_known(partition: Partition, version: int) -> None:
    # A new leader learns the true high watermark only with the first commit of its own epoch; what
    # it has before may lie behind what a consumer has read already (KIP-207).
    if partition.high_watermark < partition.epoch_start_offset:
        raise ProtocolError(
            ErrorCode.OFFSET_NOT_AVAILABLE if version >= 5 else ErrorCode.LEADER_NOT_AVAILABLE
        )


def _epoch_of(partition: Partition, offset: int) -> int:
    """The leader epoch of the record at `offset`; -1 when there is no such record."""
    epoch = partition.usable_log.epochs.epoch_at(offset)
    return epoch if epoch is not None else -1


HANDLER = HandlerSpec(ApiKey.LIST_OFFSETS, 0, 11, handle, fail)
