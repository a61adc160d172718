from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from broker.control.requests import NewTopic, TopicResult
from broker.coordinator.internal_topic import InternalTopic
from controller.state import TopicMetadata
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.in_loop import in_loop

NAME = "__consumer_offsets"


class Cluster:
    """Metadata and controller in one."""

    def __init__(self, brokers: int) -> None:
        self.brokers = {n: SimpleNamespace(fenced=False) for n in range(brokers)}
        self.topics: dict[str, TopicMetadata] = {}
        self.calls: list[NewTopic] = []
        self.code = ErrorCode.NONE
        self.gate: asyncio.Event | None = None
        self.before_answer: Callable[[], None] = lambda: None

    @property
    def state(self) -> Any:
        return self

    def topic_named(self, name: str) -> TopicMetadata | None:
        return self.topics.get(name)

    async def create_topics(
        self, topics: Sequence[NewTopic], *, validate_only: bool, timeout_ms: int
    ) -> list[TopicResult]:
        assert not validate_only
        self.calls += topics
        if self.gate is not None:
            await self.gate.wait()
        if self.code is ErrorCode.REQUEST_TIMED_OUT:
            raise ProtocolError(self.code, "no controller")
        if self.code in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
            self.topics[NAME] = TopicMetadata(NAME, bytes(16), (), True)
        return [TopicResult(NAME, self.code, "why", bytes(16), 50, 3, {})]


def topic_of(cluster: Cluster, replication_factor: int = 3) -> InternalTopic:
    return InternalTopic(NAME, 50, replication_factor, cluster, cluster)


@in_loop
async def test_created_once_and_compacted() -> None:
    cluster = Cluster(brokers=3)
    topic = topic_of(cluster)
    assert topic.metadata is None
    assert (await topic.ensure()).name == NAME
    assert (await topic.ensure()).name == NAME
    [made] = cluster.calls
    assert (made.partition_count, made.replication_factor) == (50, 3)
    assert made.configs["cleanup.policy"] == "compact"
    assert "min.insync.replicas" not in made.configs  # so the cluster's holds


@in_loop
async def test_many_who_ask_share_one_creation() -> None:
    cluster = Cluster(brokers=3)
    cluster.gate = asyncio.Event()
    topic = topic_of(cluster)
    tasks = [asyncio.create_task(topic.ensure()) for _ in range(5)]
    await asyncio.sleep(0)
    cluster.gate.set()
    await asyncio.gather(*tasks)
    assert len(cluster.calls) == 1


@in_loop
async def test_never_with_fewer_replicas() -> None:
    cluster = Cluster(brokers=3)
    cluster.brokers[0].fenced = True
    with pytest.raises(ProtocolError, match="needs 3 brokers and 2 are there") as raised:
        await topic_of(cluster).ensure()
    assert raised.value.code is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert cluster.calls == []


@pytest.mark.parametrize(
    ("code", "text"),
    [(ErrorCode.REQUEST_TIMED_OUT, "no controller"), (ErrorCode.POLICY_VIOLATION, "why")],
)
@in_loop
async def test_a_failure_is_told_and_tried_again(code: ErrorCode, text: str) -> None:
    cluster = Cluster(brokers=3)
    cluster.code = code
    topic = topic_of(cluster)
    with pytest.raises(ProtocolError, match=text) as raised:
        await topic.ensure()
    assert raised.value.code is ErrorCode.COORDINATOR_NOT_AVAILABLE
    cluster.code = ErrorCode.NONE
    await topic.ensure()


@in_loop
async def test_another_broker_was_faster() -> None:
    cluster = Cluster(brokers=3)
    cluster.code = ErrorCode.TOPIC_ALREADY_EXISTS
    assert (await topic_of(cluster).ensure()).name == NAME
