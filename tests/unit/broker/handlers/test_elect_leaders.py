from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from broker.control.requests import PartitionResult
from broker.handlers import elect_leaders
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from ottla.protocol.messages.elect_leaders_response import ElectLeadersResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


class Elections:
    def __init__(self) -> None:
        self.asked: Any = None
        self.error: ProtocolError | None = None

    async def elect_leaders(self, names: Any, **options: Any) -> list[PartitionResult]:
        self.asked = (names, options)
        if self.error is not None:
            raise self.error
        return [
            PartitionResult("t", 0, ErrorCode.NONE, None),
            PartitionResult("u", 1, ErrorCode.ELECTION_NOT_NEEDED, "it leads already"),
        ]


@pytest.fixture
def controller(world: World) -> Elections:
    elections = Elections()
    world.services.controller = SimpleNamespace(partitions=elections)  # type: ignore[assignment]
    return elections


def call(world: World, request: ElectLeadersRequest, version: int = 2) -> ElectLeadersResponse:
    asked = ElectLeadersRequest.decode(request.encode(version), version)
    context = world.context(ApiKey.ELECT_LEADERS, version)
    answer = asyncio.run(elect_leaders.handle(world.services, context, asked))
    return ElectLeadersResponse.decode(answer.encode(version), version)


def results(response: ElectLeadersResponse) -> list[tuple[str, int, int]]:
    return [
        (topic.topic, p.partition_id, p.error_code)
        for topic in response.replica_election_results
        for p in topic.partition_result
    ]


@pytest.mark.parametrize(("version", "kind"), [(0, 0), (1, 0), (1, 1), (2, 1)])
def test_partitions_and_the_kind_of_election_are_forwarded(
    world: World, controller: Elections, version: int, kind: int
) -> None:
    request = ElectLeadersRequest(kind, [TopicPartitions("t", [0]), TopicPartitions("u", [1])], 10)
    response = call(world, request, version)
    assert controller.asked == ([("t", 0), ("u", 1)], {"unclean": kind == 1, "timeout_ms": 10})
    assert results(response) == [("t", 0, 0), ("u", 1, ErrorCode.ELECTION_NOT_NEEDED)]


def test_without_partitions_all_are_meant(world: World, controller: Elections) -> None:
    call(world, ElectLeadersRequest(topic_partitions=None))
    assert controller.asked[0] is None


@pytest.mark.parametrize("version", [0, 1, 2])
def test_an_error_of_all_is_told_of_each(world: World, controller: Elections, version: int) -> None:
    controller.error = ProtocolError(ErrorCode.REQUEST_TIMED_OUT, "nobody is there")
    request = ElectLeadersRequest(topic_partitions=[TopicPartitions("t", [0, 1])])
    response = call(world, request, version)
    assert results(response) == [("t", 0, 7), ("t", 1, 7)]
    assert response.error_code == (7 if version else 0)


def test_an_unknown_kind_of_election(world: World, controller: Elections) -> None:
    response = call(world, ElectLeadersRequest(2, [TopicPartitions("t", [0])]))
    assert response.error_code == ErrorCode.INVALID_REQUEST
    assert controller.asked is None
