"""controller_mutation_rate (KIP-599), by the three APIs that it concerns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from broker.control.metadata_cache import MetadataCache
from broker.control.requests import TopicResult
from broker.handlers import create_partitions, create_topics, delete_topics
from broker.quotas.client_quotas import ClientQuotas
from broker.quotas.table import QuotaKind
from controller.state import QuotasChanged
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.create_partitions_request import (
    CreatePartitionsRequest,
    CreatePartitionsTopic,
)
from ottla.protocol.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from ottla.protocol.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

THROTTLED = ErrorCode.THROTTLING_QUOTA_EXCEEDED
RATE, BURST_SECONDS = 1.0, 10


@pytest.fixture(autouse=True)
def quotas(world: World) -> ClientQuotas:
    """One partition a second, ten at once."""
    cache = MetadataCache()
    quotas = ClientQuotas(cache, world.clock, mutation_burst_seconds=BURST_SECONDS)
    values = {"controller_mutation_rate": RATE}
    cache.apply([QuotasChanged((("client-id", "client"),), values)], 1, 1)
    world.services.quotas = quotas
    world.controller.answer = lambda asked: [
        TopicResult(getattr(one, "name", one), ErrorCode.NONE, None, b"i" * 16, 1, 1, {})
        for one in asked
    ]
    return quotas


def create(world: World, *counts: int, version: int = 7, **fields: Any) -> tuple[list[int], int]:
    """(code by topic, pause in ms)"""
    topics = [CreatableTopic(f"t{n}", count, 1) for n, count in enumerate(counts)]
    context = world.context(ApiKey.CREATE_TOPICS, version)
    asked = CreateTopicsRequest(topics, **fields)
    answer = asyncio.run(create_topics.handle(world.services, context, asked))
    codes = {topic.name: topic.error_code for topic in answer.topics}
    return [codes[topic.name] for topic in topics], answer.throttle_time_ms


def test_topics_beyond_the_quota_are_refused_one_by_one(world: World, quotas: ClientQuotas) -> None:
    assert create(world, 5, 6, 1) == ([0, 0, THROTTLED], 1_000)
    (call,) = world.controller.calls
    assert [topic.name for topic in call[1]] == ["t0", "t1"]
    assert quotas.throttles[QuotaKind.MUTATION] == 1
    world.clock.advance(999)
    assert create(world, 1) == ([THROTTLED], 1)
    world.clock.advance(1)
    assert create(world, 1) == ([0], 1_000)


def test_before_version_6_the_connection_is_paused_and_nothing_refused(world: World) -> None:
    assert create(world, 20, 5, version=5) == ([0, 0], 15_000)


def test_the_default_number_of_partitions_counts(world: World) -> None:
    world.services.settings = create_topics_settings(num_partitions=12)
    assert create(world, -1) == ([0], 2_000)


def create_topics_settings(num_partitions: int) -> Any:
    from broker.settings import NodeSettings

    return NodeSettings(node_id=1, cluster_id="x" * 22, num_partitions=num_partitions)


def test_a_trial_costs_nothing(world: World) -> None:
    assert create(world, 50, 50, validate_only=True) == ([0, 0], 0)


def test_what_the_controller_refuses_costs_nothing(world: World) -> None:
    world.controller.error = ProtocolError(ErrorCode.REQUEST_TIMED_OUT, "late")
    assert create(world, 50) == ([ErrorCode.REQUEST_TIMED_OUT], 0)
    world.controller.error = None
    world.controller.answer = lambda asked: [
        TopicResult(one.name, ErrorCode.TOPIC_ALREADY_EXISTS, None, bytes(16), -1, -1, {})
        for one in asked
    ]
    assert create(world, 50) == ([ErrorCode.TOPIC_ALREADY_EXISTS], 0)


def test_who_has_no_quota_is_not_counted(world: World) -> None:
    world.services.quotas = None
    assert create(world, 1_000, 1_000) == ([0, 0], 0)


@pytest.mark.parametrize(("version", "refused"), [(2, 0), (3, THROTTLED)])
def test_partitions_that_are_added(world: World, version: int, refused: int) -> None:
    world.add_topic("a", 3)
    world.add_topic("b", 3)
    asked = CreatePartitionsRequest(
        [CreatePartitionsTopic("a", 14, None), CreatePartitionsTopic("b", 4, None)]
    )
    context = world.context(ApiKey.CREATE_PARTITIONS, version)
    answer = asyncio.run(create_partitions.handle(world.services, context, asked))
    codes = {result.name: result.error_code for result in answer.results}
    assert codes == {"a": 0, "b": refused}
    assert answer.throttle_time_ms == (1_000 if refused else 2_000)


@pytest.mark.parametrize(("version", "refused"), [(4, 0), (5, THROTTLED), (6, THROTTLED)])
def test_partitions_that_are_deleted(world: World, version: int, refused: int) -> None:
    for name in ("a", "b"):
        world.add_topic(name, 11)
    asked = DeleteTopicsRequest(
        [DeleteTopicState("a"), DeleteTopicState("b"), DeleteTopicState("unknown")],
        ["a", "b", "unknown"],
    )
    context = world.context(ApiKey.DELETE_TOPICS, version)
    answer = asyncio.run(delete_topics.handle(world.services, context, asked))
    codes = {result.name: result.error_code for result in answer.responses}
    assert codes == {"a": 0, "b": refused, "unknown": 0}
    assert answer.throttle_time_ms == (1_000 if refused else 12_000)
