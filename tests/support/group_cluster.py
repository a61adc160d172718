"""A group coordinator with its surroundings in memory: metadata, controller, partitions."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

from broker.control.metadata_cache import MetadataCache
from broker.control.requests import NewTopic, TopicResult
from broker.coordinator.internal_topic import TOPIC
from broker.groups.group_coordinator import GroupCoordinator
from broker.groups.settings import GroupSettings
from broker.replication.seams import LeadershipChange
from controller.state import (
    BrokerRegistration,
    Endpoint,
    PartitionMetadata,
    PartitionsChanged,
    TopicCreated,
    TopicRemoved,
)
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.hashing import coordinator_partition
from tests.support.group_driver import SETTINGS
from tests.support.in_loop import turns
from tests.support.memory_partition import MemoryPartition

PARTITIONS = 4
OFFSETS_TOPIC_ID = bytes([9] * 16)


class GroupCluster:
    """Broker 1 of three; it leads whatever a test lets it lead."""

    def __init__(self, settings: GroupSettings = SETTINGS) -> None:
        self.clock = ManualClock(now_ms=1_000)
        self.metadata = MetadataCache()
        self.partitions = {index: MemoryPartition() for index in range(PARTITIONS)}
        self.listeners: list[Callable[[LeadershipChange], None]] = []
        self.creations = 0
        self.task: asyncio.Task[None] | None = None
        for broker_id in (1, 2, 3):
            self.apply(
                BrokerRegistration(
                    broker_id=broker_id,
                    broker_epoch=1,
                    incarnation_id=bytes(16),
                    endpoints=(Endpoint("CLIENTS", f"host{broker_id}", 9092, "PLAINTEXT"),),
                    internal_host="",
                    internal_port=0,
                    rack=None,
                    fenced=False,
                    in_controlled_shutdown=False,
                    directory_ids=(),
                )
            )
        self.groups = GroupCoordinator(
            self, self.metadata, self, settings, self.clock, random.Random(1)
        )

    def apply(self, *records: Any) -> None:
        self.metadata.apply(records, self.metadata.offset + 1, 1)

    # ---- what the coordinator asks

    def partition(self, topic: str, index: int) -> MemoryPartition:
        assert topic == TOPIC
        return self.partitions[index]

    def add_leadership_listener(self, listener: Callable[[LeadershipChange], None]) -> None:
        self.listeners.append(listener)

    async def create_topics(
        self, topics: Sequence[NewTopic], *, validate_only: bool, timeout_ms: int
    ) -> list[TopicResult]:
        self.creations += 1
        self.create_offsets_topic()
        return [TopicResult(TOPIC, ErrorCode.NONE, None, OFFSETS_TOPIC_ID, PARTITIONS, 3, {})]

    # ---- what tests do to it

    def create_topic(
        self, name: str, topic_id: bytes, partitions: int = 3, leader_id: int | None = 1
    ) -> None:
        self.apply(
            TopicCreated(name, topic_id, name == TOPIC),
            PartitionsChanged(
                topic_id,
                tuple(
                    PartitionMetadata(topic_id, index, (1, 2, 3), (1, 2, 3), leader_id, 1, 0)
                    for index in range(partitions)
                ),
            ),
        )

    def create_offsets_topic(self) -> None:
        self.create_topic(TOPIC, OFFSETS_TOPIC_ID, PARTITIONS)

    def delete_topic(self, topic_id: bytes) -> None:
        self.apply(TopicRemoved(topic_id))

    async def lead(self, *indexes: int) -> None:
        """Become leader of these partitions of __consumer_offsets, of all by default."""
        for index in indexes or range(PARTITIONS):
            self.tell(index, is_leader=True)
        await turns()

    def tell(self, index: int, *, is_leader: bool, topic: str = TOPIC) -> None:
        epoch = self.partitions[index].leader_epoch
        for listener in self.listeners:
            listener(LeadershipChange(topic, OFFSETS_TOPIC_ID, index, epoch, is_leader))

    async def __aenter__(self) -> GroupCluster:
        self.task = asyncio.create_task(self.groups.run())
        await turns()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait([self.task])


def index_of(group_id: str) -> int:
    return coordinator_partition(group_id, PARTITIONS)


def code_of(future: asyncio.Future[Any]) -> ErrorCode:
    error = future.exception()
    assert isinstance(error, ProtocolError)
    return error.code
