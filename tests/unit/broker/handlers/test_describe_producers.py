from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from broker.handlers import describe_producers
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_producers_request import (
    DescribeProducersRequest,
    TopicRequest,
)
from ottla.protocol.messages.describe_producers_response import DescribeProducersResponse
from ottla.record.batch import read_header
from ottla.record.build import build_batch
from storage.producers import ProducerState

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def state() -> ProducerState:
    """Producer 7 has an open transaction since offset 40, producer 8 none."""
    producers = ProducerState()
    for producer_id, transactional in ((7, True), (8, False)):
        batch = build_batch(
            [(None, b"x", (), 500)],
            base_offset=40,
            producer_id=producer_id,
            producer_epoch=2,
            base_sequence=3,
            transactional=transactional,
        )
        producers.update(read_header(batch), 1)
    return producers


def test_what_the_leader_knows_and_where_it_leads_not(world: World) -> None:
    first, second = world.add_topic("t", 2)
    first.usable_log = cast(Any, SimpleNamespace(producers=state()))
    second.error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    context = world.context(ApiKey.DESCRIBE_PRODUCERS, 0)
    request = DescribeProducersRequest([TopicRequest("t", [0, 1])])
    answer = describe_producers.handle(world.services, context, request)
    answer = DescribeProducersResponse.decode(answer.encode(0), 0)
    found, refused = answer.topics[0].partitions
    assert [
        (p.producer_id, p.producer_epoch, p.last_sequence, p.last_timestamp, p.coordinator_epoch)
        for p in found.active_producers
    ] == [(7, 2, 3, 500, -1), (8, 2, 3, 500, -1)]
    assert [p.current_txn_start_offset for p in found.active_producers] == [40, -1]
    assert refused.error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER
