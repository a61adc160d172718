from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from broker.control.requests import TopicResult
from broker.handlers import delete_topics
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from ottla.protocol.messages.delete_topics_response import DeleteTopicsResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

ID = b"i" * 16


def call(world: World, asked: DeleteTopicsRequest, version: int) -> DeleteTopicsResponse:
    answer = asyncio.run(
        delete_topics.handle(world.services, world.context(ApiKey.DELETE_TOPICS, version), asked)
    )
    return DeleteTopicsResponse.decode(answer.encode(version), version)


def result(name: str, code: ErrorCode = ErrorCode.NONE, topic_id: bytes = ID) -> TopicResult:
    return TopicResult(name, code, "why" if code else None, topic_id, -1, -1, {})


@pytest.mark.parametrize("version", range(1, 6))
def test_topics_by_name(world: World, version: int) -> None:
    world.controller.answer = lambda names: [result("a"), result("b", ErrorCode.INVALID_REQUEST)]
    asked = DeleteTopicsRequest(topic_names=["a", "b"], timeout_ms=300)
    response = call(world, asked, version)
    assert world.controller.calls == [("delete_topics", ["a", "b"], {"timeout_ms": 300})]
    assert [(r.name, r.error_code) for r in response.responses] == [("a", 0), ("b", 42)]
    if version >= 5:
        assert response.responses[1].error_message == "why"


def test_topics_by_name_and_id(world: World) -> None:
    world.controller.answer = lambda names: [
        result("a"),
        result("", ErrorCode.UNKNOWN_TOPIC_ID, b"?" * 16),
    ]
    topics = [DeleteTopicState("a"), DeleteTopicState(None, b"?" * 16)]
    response = call(world, DeleteTopicsRequest(topics=topics), 6)
    assert world.controller.calls[0][1] == ["a", b"?" * 16]
    assert [(r.name, r.topic_id, r.error_code) for r in response.responses] == [
        ("a", ID, 0),
        (None, b"?" * 16, 100),
    ]


def test_a_topic_named_twice_is_refused_and_the_others_go_on(world: World) -> None:
    world.controller.answer = lambda names: [result("b")]
    response = call(world, DeleteTopicsRequest(topic_names=["a", "b", "a"]), 5)
    assert world.controller.calls[0][1] == ["b"]
    assert {r.name: r.error_code for r in response.responses} == {"a": 42, "b": 0}


def test_a_controller_that_does_not_answer_is_told_for_every_topic(world: World) -> None:
    world.controller.error = ProtocolError(ErrorCode.NOT_CONTROLLER)
    response = call(world, DeleteTopicsRequest(topic_names=["a", "b"]), 5)
    assert [r.error_code for r in response.responses] == [41, 41]


def test_a_failure_as_a_whole() -> None:
    asked = DeleteTopicsRequest(topics=[DeleteTopicState("a"), DeleteTopicState(None, ID)])
    response = delete_topics.fail(asked, 6, ErrorCode.UNKNOWN_SERVER_ERROR, None)
    assert [(r.name, r.error_code) for r in response.responses] == [("a", -1), (None, -1)]
    response.encode(6)
