"""WriteTxnMarkers (key 27), versions 1–2: an administrator ends a hanging transaction (KIP-664).

2   the transaction protocol of the producer

The cluster's own coordinators do not use it: their markers go by the internal listener.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.transactions.seams import TopicPartition, TransactionMarker
from broker.transactions.stored import VERSION_BUMPING
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.write_txn_markers_request import (
    WritableTxnMarker,
    WriteTxnMarkersRequest,
)
from ottla.protocol.messages.write_txn_markers_response import (
    WritableTxnMarkerPartitionResult,
    WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
    WriteTxnMarkersResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: WriteTxnMarkersRequest
) -> Answer:
    results = await asyncio.gather(
        *(
            services.markers.write(
                TransactionMarker(
                    asked.producer_id,
                    asked.producer_epoch,
                    asked.coordinator_epoch,
                    is_commit=asked.transaction_result,
                    is_bumped=asked.transaction_version >= VERSION_BUMPING,
                ),
                _partitions(asked),
            )
            for asked in request.markers
        )
    )
    return WriteTxnMarkersResponse(
        markers=[
            _result(asked, codes) for asked, codes in zip(request.markers, results, strict=True)
        ]
    )


def _partitions(asked: WritableTxnMarker) -> list[TopicPartition]:
    return [(topic.name, index) for topic in asked.topics for index in topic.partition_indexes]


def _result(
    asked: WritableTxnMarker, codes: dict[TopicPartition, ErrorCode]
) -> WritableTxnMarkerResult:
    return WritableTxnMarkerResult(
        asked.producer_id,
        [
            WritableTxnMarkerTopicResult(
                topic.name,
                [
                    WritableTxnMarkerPartitionResult(index, int(codes[topic.name, index]))
                    for index in topic.partition_indexes
                ],
            )
            for topic in asked.topics
        ],
    )


def fail(
    request: WriteTxnMarkersRequest, version: int, code: ErrorCode, message: str | None
) -> WriteTxnMarkersResponse:
    """The same error for every partition."""
    return WriteTxnMarkersResponse(
        markers=[
            _result(asked, dict.fromkeys(_partitions(asked), code)) for asked in request.markers
        ]
    )


HANDLER = HandlerSpec(ApiKey.WRITE_TXN_MARKERS, 1, 2, handle, fail)
