"""A broker of small fakes: partitions that are lists, a metadata image, a controller on call."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.handlers.fetch_sessions import FetchSessionCache
from broker.handlers.services import BrokerServices
from broker.handlers.spec import RequestContext
from broker.replication.traffic import TopicTraffic
from controller.state import ClusterState
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from ottla.protocol.api import ApiKey
from storage.transaction_index import AbortedTransaction

CLUSTER_ID = "abcdefghijklmnopqrstuA"


@dataclass
class FakeSlice:
    """Batches as a log gives them."""

    data: bytes
    end_offset: int
    position: int = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def fileno(self) -> int:
        raise OSError("no file")


@dataclass
class FakeLog:
    timestamps: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    max_timestamp: tuple[int, int, int] | None = None
    epoch_entries: tuple[tuple[int, int], ...] = ((0, 0),)
    asked_ends: list[int] = field(default_factory=list)

    @property
    def epochs(self) -> FakeLog:
        return self

    def epoch_at(self, offset: int) -> int | None:
        held = [epoch for epoch, start in self.epoch_entries if start <= offset]
        return held[-1] if held else None

    def offset_for_timestamp(self, timestamp_ms: int, end: int) -> tuple[int, int, int] | None:
        self.asked_ends.append(end)
        return self.timestamps.get(timestamp_ms)

    def max_timestamp_offset(self, end: int) -> tuple[int, int, int] | None:
        self.asked_ends.append(end)
        return self.max_timestamp


class FakePartition:
    """Each batch is one offset; everything up to `high_watermark` is readable."""

    def __init__(self, topic: str, topic_id: Uuid, index: int) -> None:
        self.topic, self.topic_id, self.index = topic, topic_id, index
        self.internal = False
        self.traffic = TopicTraffic()
        self.batches: list[bytes] = []
        self.leader_epoch = 5
        self.high_watermark = 0
        self.last_stable_offset = 0
        self.log_start_offset = 0
        self.epoch_start_offset = 0
        self.usable_log = FakeLog()
        self.error: ProtocolError | None = None
        self.waiters: list[Any] = []
        self.commits: list[tuple[int, int, asyncio.Future[None]]] = []
        self.aborted: list[AbortedTransaction] = []
        self.duplicate_at: int | None = None
        self.reads = 0
        self.is_leader = True
        self.readable: list[tuple[int, int, int]] = []
        self.may_follow: list[bool] = []
        """What each check and each read was told."""

    @property
    def log_end_offset(self) -> int:
        return self.log_start_offset + len(self.batches)

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    def check_leader(self, current_leader_epoch: int, *, may_follow: bool = False) -> None:
        self.may_follow.append(may_follow)
        self._check()
        if current_leader_epoch not in (-1, self.leader_epoch):
            is_old = current_leader_epoch < self.leader_epoch
            raise ProtocolError(
                ErrorCode.FENCED_LEADER_EPOCH if is_old else ErrorCode.UNKNOWN_LEADER_EPOCH
            )

    def append(self, batch: memoryview, *, acks: int) -> Any:
        self._check()
        offset = self.duplicate_at
        if offset is None:
            offset = self.log_end_offset
            self.batches.append(bytes(batch))
        return SimpleNamespace(
            base_offset=offset,
            last_offset=offset,
            log_append_time_ms=-1,
            log_start_offset=self.log_start_offset,
            leader_epoch=self.leader_epoch,
            duplicate=self.duplicate_at is not None,
        )

    def wait_committed(self, next_offset: int, leader_epoch: int) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.commits.append((next_offset, leader_epoch, future))
        return future

    def commit(self, high_watermark: int) -> None:
        """The high watermark moves; whoever waits for it is told."""
        self.high_watermark = self.last_stable_offset = high_watermark
        for next_offset, _, future in self.commits:
            if next_offset <= high_watermark and not future.done():
                future.set_result(None)
        self.wake()

    def readable_replicas(self) -> list[tuple[int, int, int]]:
        return self.readable

    def wake(self) -> None:
        for waiter in list(self.waiters):
            waiter.wake()

    def read(
        self,
        offset: int,
        max_bytes: int,
        *,
        committed_only: bool,
        at_least_one: bool,
        may_follow: bool = False,
    ) -> FakeSlice | None:
        self.may_follow.append(may_follow)
        self._check()
        self.reads += 1
        if not self.log_start_offset <= offset <= self.log_end_offset:
            raise ProtocolError(ErrorCode.OFFSET_OUT_OF_RANGE)
        end = self.last_stable_offset if committed_only else self.high_watermark
        data = b""
        upper = offset
        for batch in self.batches[offset - self.log_start_offset : end - self.log_start_offset]:
            if len(data) + len(batch) > max_bytes and (data or not at_least_one):
                break
            data += batch
            upper += 1
        return FakeSlice(data, upper) if data else None

    def aborted_transactions(self, offset: int, end_offset: int) -> list[AbortedTransaction]:
        return [
            one
            for one in self.aborted
            if one.first_offset < end_offset and one.last_offset >= offset
        ]

    def offset_for_leader_epoch(self, leader_epoch: int) -> tuple[int, int] | None:
        self._check()
        return (leader_epoch, 10 * leader_epoch) if leader_epoch <= 5 else None

    def add_waiter(self, waiter: Any) -> None:
        self.waiters.append(waiter)

    def remove_waiter(self, waiter: Any) -> None:
        self.waiters.remove(waiter)


class FakeState:
    """The cluster as brokers see it."""

    def __init__(self) -> None:
        self.cluster_id = CLUSTER_ID
        self.controller_id: int | None = 1
        self.brokers: dict[int, Any] = {}
        self.topics: dict[Uuid, Any] = {}
        self.topic_ids: dict[str, Uuid] = {}
        self.configs: dict[tuple[str, str], dict[str, str]] = {}
        self.default_min_insync_replicas = 1
        self.default_unclean_election = False
        self.quotas: dict[Any, Any] = {}
        self.features: dict[str, int] = {}

    dynamic_broker_configs = ClusterState.dynamic_broker_configs
    election_defaults = ClusterState.election_defaults

    def add_broker(self, broker_id: int, listeners: Iterable[str] = ("CLIENTS",)) -> Any:
        self.brokers[broker_id] = SimpleNamespace(
            broker_id=broker_id,
            endpoints=tuple(
                SimpleNamespace(name=name, host=f"host{broker_id}", port=9000 + broker_id)
                for name in listeners
            ),
            rack=f"rack{broker_id}",
            fenced=False,
        )
        return self.brokers[broker_id]

    def topic_named(self, name: str) -> Any:
        topic_id = self.topic_ids.get(name)
        return None if topic_id is None else self.topics[topic_id]

    def partition(self, topic_id: Uuid, index: int) -> Any:
        topic = self.topics.get(topic_id)
        if topic is None or index >= len(topic.partitions):
            return None
        return topic.partitions[index]


class FakeController:
    """Answers each call with what the test prepared, and remembers the arguments."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, dict[str, Any]]] = []
        self.answer: Callable[..., Any] = lambda *_: []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def _call(self, name: str, asked: Any, **options: Any) -> Any:
        self.calls.append((name, asked, options))
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.answer(asked)

    async def create_topics(self, topics: Any, **options: Any) -> Any:
        return await self._call("create_topics", topics, **options)

    async def delete_topics(self, topics: Any, timeout_ms: int) -> Any:
        return await self._call("delete_topics", topics, timeout_ms=timeout_ms)

    async def create_partitions(self, topics: Any, **options: Any) -> Any:
        return await self._call("create_partitions", topics, **options)

    async def allocate_producer_ids(self) -> Any:
        return await self._call("allocate_producer_ids", None)


class World:
    """Broker 1 of three, asked over the listener CLIENTS."""

    def __init__(self) -> None:
        self.state = FakeState()
        for broker_id in (1, 2, 3):
            self.state.add_broker(broker_id)
        self.clock = ManualClock()
        self.metadata = SimpleNamespace(state=self.state, offset=100)
        self.controller = FakeController()
        self.settings = SimpleNamespace(
            auto_create_topics_enable=True,
            fetch_max_bytes=57_671_680,
            replica_selector_class=None,
            num_partitions=1,
        )
        self.partitions: dict[tuple[str | Uuid, int], FakePartition] = {}
        self.services = BrokerServices(
            node_id=1,
            cluster_id=CLUSTER_ID,
            settings=cast(Any, self.settings),
            clock=self.clock,
            metadata=cast(Any, self.metadata),
            controller=cast(Any, self.controller),
            replicas=cast(Any, self),
            groups=cast(Any, None),
            transactions=cast(Any, None),
            transaction_gate=cast(Any, None),
            markers=cast(Any, None),
            admissions=cast(Any, None),
            fetch_sessions=FetchSessionCache(random.Random(1), sessions_max=10),
        )

    def add_topic(
        self, name: str, partitions: int = 1, leader_id: int | None = 1, internal: bool = False
    ) -> list[FakePartition]:
        """A topic that this broker has all partitions of."""
        topic_id = name.encode().ljust(16, b".")
        infos = tuple(
            SimpleNamespace(
                topic_id=topic_id,
                index=index,
                replicas=(1, 2, 3),
                isr=(1, 2),
                leader_id=leader_id,
                leader_epoch=5,
                offline_replicas=(),
            )
            for index in range(partitions)
        )
        self.state.topics[topic_id] = SimpleNamespace(
            name=name, topic_id=topic_id, partitions=infos, internal=internal
        )
        self.state.topic_ids[name] = topic_id
        fakes = [FakePartition(name, topic_id, index) for index in range(partitions)]
        for fake in fakes:
            fake.internal = internal
            self.partitions[name, fake.index] = self.partitions[topic_id, fake.index] = fake
        return fakes

    def partition(self, topic: str, index: int) -> FakePartition:
        try:
            return self.partitions[topic, index]
        except KeyError:
            raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) from None

    def partition_by_id(self, topic_id: Uuid, index: int) -> FakePartition:
        try:
            return self.partitions[topic_id, index]
        except KeyError:
            raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_ID) from None

    def context(self, key: ApiKey, version: int, listener: str = "CLIENTS") -> RequestContext:
        return RequestContext(
            key, version, 1, "client", "", "c-1", listener, "127.0.0.1", "User:ANONYMOUS"
        )


@pytest.fixture
def world() -> World:
    return World()
