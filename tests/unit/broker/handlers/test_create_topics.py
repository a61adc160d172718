from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from broker.control.requests import NewTopic, TopicResult
from broker.handlers import create_topics
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from ottla.protocol.messages.create_topics_response import CreateTopicsResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def topic(name: str = "t", count: int = 3, factor: int = 2, **fields: Any) -> CreatableTopic:
    return CreatableTopic(name, count, factor, **fields)


def call(
    world: World, *topics: CreatableTopic, version: int = 7, **fields: Any
) -> CreateTopicsResponse:
    asked = CreateTopicsRequest(list(topics), **fields)
    answer = asyncio.run(
        create_topics.handle(world.services, world.context(ApiKey.CREATE_TOPICS, version), asked)
    )
    return CreateTopicsResponse.decode(answer.encode(version), version)


def made(topics: list[NewTopic]) -> list[TopicResult]:
    return [
        TopicResult(t.name, ErrorCode.NONE, None, b"i" * 16, 3, 2, {"a": "1", "retention.ms": "5"})
        for t in topics
    ]


@pytest.mark.parametrize("version", range(2, 8))
def test_a_topic_is_forwarded_and_answered_as_it_was_made(world: World, version: int) -> None:
    world.controller.answer = made
    config = CreatableTopicConfig("retention.ms", "5")
    response = call(world, topic(configs=[config]), version=version, timeout_ms=700)
    assert world.controller.calls == [
        (
            "create_topics",
            [NewTopic("t", 3, 2, None, {"retention.ms": "5"})],
            {"validate_only": False, "timeout_ms": 700},
        )
    ]
    (result,) = response.topics
    assert (result.name, result.error_code) == ("t", 0)
    if version >= 5:
        assert (result.num_partitions, result.replication_factor) == (3, 2)
        assert [(c.name, c.value, c.config_source) for c in result.configs or ()] == [
            ("a", "1", 5),
            ("retention.ms", "5", 1),
        ]
    if version >= 7:
        assert result.topic_id == b"i" * 16


def test_defaults_assignments_and_a_trial_are_passed_on(world: World) -> None:
    world.controller.answer = made
    assignments = [CreatableReplicaAssignment(0, [1, 2]), CreatableReplicaAssignment(1, [2, 3])]
    call(
        world,
        topic("a", -1, -1),
        topic("b", -1, -1, assignments=assignments),
        validate_only=True,
    )
    ((_, topics, options),) = world.controller.calls
    assert topics == [
        NewTopic("a", -1, -1, None, {}),
        NewTopic("b", -1, -1, {0: (1, 2), 1: (2, 3)}, {}),
    ]
    assert options["validate_only"] is True


def test_what_is_wrong_without_looking_at_the_cluster_is_not_forwarded(world: World) -> None:
    world.controller.answer = made
    assignment = CreatableReplicaAssignment(0, [1])
    config = CreatableTopicConfig("x", "1")
    response = call(
        world,
        topic("twice"),
        topic("twice"),
        topic("both", assignments=[assignment]),
        topic("again", -1, -1, assignments=[assignment, assignment]),
        topic("configs", configs=[config, config]),
        topic("good"),
    )
    assert {t.name: t.error_code for t in response.topics} == {
        "twice": 42,
        "both": 42,
        "again": 39,
        "configs": 42,
        "good": 0,
    }
    assert all(t.error_message for t in response.topics if t.error_code)
    assert [t.name for t in world.controller.calls[0][1]] == ["good"]


def test_the_controllers_refusals_are_per_topic(world: World) -> None:
    world.controller.answer = lambda topics: [
        TopicResult("t", ErrorCode.TOPIC_ALREADY_EXISTS, "it exists", bytes(16), -1, -1, {})
    ]
    (result,) = call(world, topic()).topics
    assert (result.error_code, result.error_message) == (36, "it exists")


def test_a_controller_that_does_not_answer_is_told_for_every_topic(world: World) -> None:
    world.controller.error = ProtocolError(ErrorCode.NOT_CONTROLLER, "no controller")
    response = call(world, topic("a"), topic("b"))
    assert {t.name: t.error_code for t in response.topics} == {"a": 41, "b": 41}


def test_a_failure_as_a_whole() -> None:
    response = create_topics.fail(
        CreateTopicsRequest([topic("a")]), 7, ErrorCode.UNKNOWN_SERVER_ERROR, "why"
    )
    assert [t.error_code for t in response.topics] == [-1]
    response.encode(7)
