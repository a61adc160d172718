from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.handlers import write_txn_markers
from broker.transactions.seams import TopicPartition, TransactionMarker
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.write_txn_markers_request import (
    WritableTxnMarker,
    WritableTxnMarkerTopic,
    WriteTxnMarkersRequest,
)
from ottla.protocol.messages.write_txn_markers_response import WriteTxnMarkersResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


CODES = (ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.NONE)


@pytest.mark.parametrize(("version", "is_bumped"), [(1, False), (2, True)])
def test_every_marker_is_written_where_it_says(world: World, version: int, is_bumped: bool) -> None:
    written: list[tuple[TransactionMarker, list[TopicPartition]]] = []

    class Writer:
        async def write(
            self, marker: TransactionMarker, partitions: Sequence[TopicPartition]
        ) -> dict[TopicPartition, ErrorCode]:
            written.append((marker, list(partitions)))
            return {
                p: ErrorCode.NONE if p[1] else ErrorCode.INVALID_PRODUCER_EPOCH for p in partitions
            }

    world.services.markers = cast(Any, Writer())
    topics = [WritableTxnMarkerTopic("t", [0, 1])]
    request = WriteTxnMarkersRequest([WritableTxnMarker(7, 2, False, topics, 5, 2)])
    sent = WriteTxnMarkersRequest.decode(request.encode(version), version)
    context = world.context(ApiKey.WRITE_TXN_MARKERS, version)
    answer = asyncio.run(write_txn_markers.handle(world.services, context, sent))
    answer = WriteTxnMarkersResponse.decode(answer.encode(version), version)
    marker = TransactionMarker(7, 2, 5, is_commit=False, is_bumped=is_bumped)
    assert written == [(marker, [("t", 0), ("t", 1)])]
    (result,) = answer.markers
    found = [(p.partition_index, p.error_code) for p in result.topics[0].partitions]
    assert (result.producer_id, found) == (7, [(0, ErrorCode.INVALID_PRODUCER_EPOCH), (1, 0)])
