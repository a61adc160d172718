from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from broker.control.requests import NewPartitions, TopicResult
from broker.handlers import create_partitions
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.create_partitions_request import (
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
)
from ottla.protocol.messages.create_partitions_response import CreatePartitionsResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def call(
    world: World, *topics: CreatePartitionsTopic, version: int = 3, **fields: Any
) -> dict[str, tuple[int, str | None]]:
    asked = CreatePartitionsRequest(list(topics), **fields)
    answer = asyncio.run(
        create_partitions.handle(
            world.services, world.context(ApiKey.CREATE_PARTITIONS, version), asked
        )
    )
    response = CreatePartitionsResponse.decode(answer.encode(version), version)
    return {r.name: (r.error_code, r.error_message) for r in response.results}


def test_more_partitions_are_forwarded(world: World) -> None:
    world.controller.answer = lambda topics: [
        TopicResult("a", ErrorCode.NONE, None, bytes(16), 5, 3, {}),
        TopicResult("b", ErrorCode.INVALID_PARTITIONS, "it has 9", bytes(16), -1, -1, {}),
    ]
    for version in range(4):
        world.controller.calls.clear()
        results = call(
            world,
            CreatePartitionsTopic("a", 5, None),
            CreatePartitionsTopic("b", 6, [CreatePartitionsAssignment([1, 2])]),
            version=version,
            timeout_ms=10,
            validate_only=True,
        )
        assert results == {"a": (0, None), "b": (37, "it has 9")}
        assert world.controller.calls == [
            (
                "create_partitions",
                [NewPartitions("a", 5, None), NewPartitions("b", 6, [(1, 2)])],
                {"validate_only": True, "timeout_ms": 10},
            )
        ]


def test_a_topic_named_twice_is_refused(world: World) -> None:
    topic = CreatePartitionsTopic("a", 5, None)
    results = call(world, topic, topic)
    assert results["a"][0] == ErrorCode.INVALID_REQUEST
    assert world.controller.calls == []


def test_a_controller_that_does_not_answer_is_told_for_every_topic(world: World) -> None:
    world.controller.error = ProtocolError(ErrorCode.NOT_CONTROLLER, "none")
    assert call(world, CreatePartitionsTopic("a", 5, None)) == {"a": (41, "none")}


@pytest.mark.parametrize("version", range(4))
def test_a_failure_as_a_whole(version: int) -> None:
    asked = CreatePartitionsRequest([CreatePartitionsTopic("a", 5, None)])
    response = create_partitions.fail(asked, version, ErrorCode.UNKNOWN_SERVER_ERROR, "why")
    assert [r.error_code for r in response.results] == [-1]
    response.encode(version)
