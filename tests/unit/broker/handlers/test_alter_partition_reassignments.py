from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from broker.control.requests import PartitionResult
from broker.handlers import alter_partition_reassignments
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from ottla.protocol.messages.alter_partition_reassignments_response import (
    AlterPartitionReassignmentsResponse,
)

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


class Reassigner:
    def __init__(self) -> None:
        self.asked: Any = None
        self.error: ProtocolError | None = None

    async def reassign(self, targets: Any, **options: Any) -> list[PartitionResult]:
        self.asked = (dict(targets), options)
        if self.error is not None:
            raise self.error
        return [PartitionResult(topic, i, ErrorCode.NONE, None) for topic, i in targets]


def call(
    world: World, *partitions: ReassignablePartition, version: int = 1, **fields: Any
) -> AlterPartitionReassignmentsResponse:
    asked = AlterPartitionReassignmentsRequest(
        topics=[ReassignableTopic("t", list(partitions))], **fields
    )
    asked = AlterPartitionReassignmentsRequest.decode(asked.encode(version), version)
    context = world.context(ApiKey.ALTER_PARTITION_REASSIGNMENTS, version)
    answer = asyncio.run(alter_partition_reassignments.handle(world.services, context, asked))
    return AlterPartitionReassignmentsResponse.decode(answer.encode(version), version)


@pytest.fixture
def controller(world: World) -> Reassigner:
    reassigner = Reassigner()
    world.services.controller = SimpleNamespace(partitions=reassigner)  # type: ignore[assignment]
    return reassigner


@pytest.mark.parametrize("version", [0, 1])
def test_targets_and_cancellations_are_forwarded(
    world: World, controller: Reassigner, version: int
) -> None:
    response = call(
        world,
        ReassignablePartition(0, [2, 3]),
        ReassignablePartition(1, None),
        version=version,
        timeout_ms=10,
    )
    assert controller.asked == (
        {("t", 0): [2, 3], ("t", 1): None},
        {"replication_factor_may_change": True, "timeout_ms": 10},
    )
    (topic,) = response.responses
    assert [(p.partition_index, p.error_code) for p in topic.partitions] == [(0, 0), (1, 0)]


def test_the_replication_factor_may_be_kept(world: World, controller: Reassigner) -> None:
    response = call(world, ReassignablePartition(0, [1]), allow_replication_factor_change=False)
    assert controller.asked[1]["replication_factor_may_change"] is False
    assert not response.allow_replication_factor_change


def test_a_partition_that_is_named_twice(world: World, controller: Reassigner) -> None:
    response = call(world, ReassignablePartition(0, [1]), ReassignablePartition(0, [2]))
    (topic,) = response.responses
    assert [p.error_code for p in topic.partitions] == [ErrorCode.INVALID_REQUEST, 0]
    assert controller.asked[0] == {("t", 0): [1]}


def test_no_controller_answers(world: World, controller: Reassigner) -> None:
    controller.error = ProtocolError(ErrorCode.REQUEST_TIMED_OUT, "nobody is there")
    response = call(world, ReassignablePartition(0, [1]))
    assert response.error_code == ErrorCode.REQUEST_TIMED_OUT
    assert response.error_message == "nobody is there"


def test_nothing_is_asked_of_the_controller_for_nothing(
    world: World, controller: Reassigner
) -> None:
    assert call(world).error_code == 0
    assert controller.asked is None
