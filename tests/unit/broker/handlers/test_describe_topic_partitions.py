from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.handlers import describe_topic_partitions
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_topic_partitions_request import (
    Cursor,
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from ottla.protocol.messages.describe_topic_partitions_response import (
    DescribeTopicPartitionsResponse,
)

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def add_topic(world: World, name: str, partitions: int, leader_id: int | None = 1) -> None:
    world.add_topic(name, partitions, leader_id)
    topic = world.state.topic_named(name)
    for partition in topic.partitions:
        cast(SimpleNamespace, partition).elr = (3,)
        cast(SimpleNamespace, partition).last_known_elr = ()


def call(
    world: World, *names: str, limit: int = 2_000, cursor: tuple[str, int] | None = None
) -> DescribeTopicPartitionsResponse:
    request = DescribeTopicPartitionsRequest(
        [TopicRequest(name) for name in names], limit, None if cursor is None else Cursor(*cursor)
    )
    context = world.context(ApiKey.DESCRIBE_TOPIC_PARTITIONS, 0)
    answer = cast(Any, describe_topic_partitions.handle(world.services, context, request))
    return DescribeTopicPartitionsResponse.decode(answer.encode(0), 0)


def told(response: DescribeTopicPartitionsResponse) -> list[tuple[str | None, list[int]]]:
    return [(t.name, [p.partition_index for p in t.partitions]) for t in response.topics]


def test_all_topics_by_name_with_their_eligible_leaders(world: World) -> None:
    add_topic(world, "b", 2)
    add_topic(world, "a", 1, leader_id=None)
    response = call(world)
    assert told(response) == [("a", [0]), ("b", [0, 1])]
    assert response.next_cursor is None
    (leaderless,), (first, _) = (topic.partitions for topic in response.topics)
    assert (leaderless.error_code, leaderless.leader_id) == (ErrorCode.LEADER_NOT_AVAILABLE, -1)
    assert (first.leader_id, first.leader_epoch, first.isr_nodes) == (1, 5, [1, 2])
    assert (first.eligible_leader_replicas, first.last_known_elr) == ([3], [])


def test_named_topics_once_each_and_what_is_wrong_with_them(world: World) -> None:
    add_topic(world, "a", 1)
    add_topic(world, "b", 1)
    response = call(world, "c", "a/b", "a", "a")
    assert [(t.name, t.error_code) for t in response.topics] == [
        ("a", 0),
        ("a/b", ErrorCode.INVALID_TOPIC_EXCEPTION),
        ("c", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_pages_make_up_the_whole(world: World, limit: int) -> None:
    add_topic(world, "a", 3)
    add_topic(world, "b", 2)
    found: list[tuple[str | None, int]] = []
    cursor: tuple[str, int] | None = None
    for _ in range(6):
        response = call(world, limit=limit, cursor=cursor)
        page = [(name, index) for name, indexes in told(response) for index in indexes]
        assert 1 <= len(page) <= limit
        found += page
        if response.next_cursor is None:
            break
        cursor = (response.next_cursor.topic_name, response.next_cursor.partition_index)
    assert found == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)]


def test_a_limit_below_one_is_one(world: World) -> None:
    add_topic(world, "a", 3)
    assert told(call(world, limit=0)) == [("a", [0])]


@pytest.mark.parametrize("cursor", [("a", -1), ("b", 0)])
def test_a_cursor_that_leads_nowhere(world: World, cursor: tuple[str, int]) -> None:
    add_topic(world, "a", 3)
    with pytest.raises(ProtocolError) as raised:
        call(world, "a", cursor=cursor)
    assert raised.value.code == ErrorCode.INVALID_REQUEST


def test_a_failure_as_a_whole() -> None:
    asked = DescribeTopicPartitionsRequest([TopicRequest("t")])
    response = describe_topic_partitions.fail(asked, 0, ErrorCode.INVALID_REQUEST, "why")
    assert [topic.error_code for topic in response.topics] == [ErrorCode.INVALID_REQUEST]
