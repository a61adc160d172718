from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from broker.control.metadata_cache import MetadataCache
from broker.control.requests import ReplicaState
from broker.internal.stream import StreamClosed
from broker.replication.manager import ReplicaManager
from broker.replication.seams import IsrProposal, LeadershipChange
from broker.replication.settings import ReplicationSettings
from broker.replication.transport import ReplicaStream
from controller.state import (
    BrokerRegistration,
    ClusterState,
    ConfigsChanged,
    PartitionMetadata,
    PartitionsChanged,
    Record,
    TopicCreated,
    TopicRemoved,
)
from ottla.core.clock import ManualClock
from ottla.core.errors import ProtocolError
from storage.log import Log
from storage.vfs import MemoryVfs
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    batch_of,
    make_logs,
    settled,
)


class Controller:
    def __init__(self) -> None:
        self.broker_epoch: int | None = 10
        self.unfenced = asyncio.Event()
        self.proposals: list[IsrProposal] = []

    async def alter_partition(self, proposal: IsrProposal) -> PartitionMetadata:
        self.proposals.append(proposal)
        await asyncio.Event().wait()
        raise AssertionError


class Node:
    """A replica manager of broker 1; every dial fails and is noted."""

    def __init__(self, vfs: MemoryVfs) -> None:
        self.clock = ManualClock()
        self.logs = make_logs(1, vfs, self.clock)
        self.metadata = MetadataCache()
        self.controller = Controller()
        self.dialled: list[tuple[str, int]] = []

        @asynccontextmanager
        async def dial(host: str, port: int) -> AsyncIterator[ReplicaStream]:
            self.dialled.append((host, port))
            raise StreamClosed("nobody there")
            yield

        self.manager = ReplicaManager(
            self.logs,
            self.metadata,
            self.controller,
            ReplicationSettings(1, "cluster", opens_on_loop_max=2),
            self.clock,
            dial=dial,
        )

    def tell(self, *records: Record) -> None:
        self.metadata.apply(records, self.metadata.offset + 1, 1)


@asynccontextmanager
async def running(vfs: MemoryVfs | None = None) -> AsyncIterator[Node]:
    node = Node(vfs or MemoryVfs())
    task = asyncio.create_task(node.manager.run())
    await settled()
    try:
        yield node
    finally:
        task.cancel()
        await asyncio.wait([task])
        node.logs.close()


def broker(broker_id: int) -> BrokerRegistration:
    return BrokerRegistration(
        broker_id, broker_id * 10, bytes(16), (), f"host{broker_id}", 9, None, False, False, ()
    )


def partition(
    index: int = 0, *, leader: int | None = 1, epoch: int = 0, replicas: tuple[int, ...] = (1, 2)
) -> PartitionMetadata:
    return PartitionMetadata(TOPIC_ID, index, replicas, replicas, leader, epoch, epoch)


def topic(*partitions: PartitionMetadata) -> tuple[Record, ...]:
    return (TopicCreated("topic", TOPIC_ID, False), PartitionsChanged(TOPIC_ID, partitions))


def test_a_new_topic_can_be_written_when_the_delta_is_applied() -> None:
    async def story() -> None:
        async with running() as node:
            changes: list[LeadershipChange] = []
            node.manager.add_leadership_listener(changes.append)
            node.tell(*topic(partition(0), partition(1, leader=2)))
            assert changes == [
                LeadershipChange("topic", TOPIC_ID, 0, 0, True),
                LeadershipChange("topic", TOPIC_ID, 1, 0, False),
            ]
            node.manager.partition("topic", 0).append(batch_of(b"a"), acks=1)
            assert node.manager.partition_by_id(TOPIC_ID, 1).leader_id == 2
            late: list[LeadershipChange] = []
            node.manager.add_leadership_listener(late.append)
            assert late == changes[:1]

    asyncio.run(story())


def test_logs_are_open_before_the_broker_calls_itself_ready() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0)))
            assert not node.manager.opened.is_set()  # what of it is ours is not known yet
            state = ClusterState()
            for record in (broker(1), broker(2), *topic(*map(partition, range(5)))):
                state.replay(record)
            node.metadata.install(state, 10, 1)
            assert not node.manager.opened.is_set()
            async with asyncio.timeout(5):
                await node.manager.opened.wait()
            assert len(node.manager.partitions) == 5

    asyncio.run(story())


def test_a_setting_that_changes_while_the_log_is_opened_is_taken_over() -> None:
    async def story() -> None:
        async with running() as node:
            state = ClusterState()
            for record in (broker(1), *topic(partition(0))):
                state.replay(record)
            opening = node.logs.open_log

            def open_log(*args: Any, **options: Any) -> Log:
                log = opening(*args, **options)
                loop.call_soon_threadsafe(
                    node.tell, ConfigsChanged("topic", "topic", {"flush.messages": "1"})
                )
                return log

            loop = asyncio.get_running_loop()
            node.logs.open_log = open_log  # type: ignore[method-assign]
            node.metadata.install(state, 10, 1)
            async with asyncio.timeout(5):
                await node.manager.opened.wait()
            assert node.manager.partition("topic", 0).durable

    asyncio.run(story())


def test_what_was_appended_before_a_topic_became_durable_is_synced_then() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0, replicas=(1,))))
            led = node.manager.partition("topic", 0)
            led.append(batch_of(b"a"), acks=1)
            loop, synced = asyncio.get_running_loop(), asyncio.Event()
            led.usable_log.flush = lambda: loop.call_soon_threadsafe(synced.set)  # type: ignore[assignment, method-assign]
            node.tell(ConfigsChanged("topic", "topic", {"flush.messages": "1"}))
            async with asyncio.timeout(5):
                await synced.wait()

    asyncio.run(story())


def test_what_is_not_here() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0, leader=2, replicas=(2, 3))))
            for name, index, code in (
                ("topic", 0, "NOT_LEADER_OR_FOLLOWER"),
                ("topic", 1, "UNKNOWN_TOPIC_OR_PARTITION"),
                ("other", 0, "UNKNOWN_TOPIC_OR_PARTITION"),
            ):
                with pytest.raises(ProtocolError, match=code):
                    node.manager.partition(name, index)
            with pytest.raises(ProtocolError, match="UNKNOWN_TOPIC_ID"):
                node.manager.partition_by_id(bytes(16), 0)
            with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
                node.manager.partition_by_id(TOPIC_ID, 0)

    asyncio.run(story())


async def opened(node: Node, count: int) -> None:
    async with asyncio.timeout(5):
        while len(node.manager.partitions) < count:  # noqa: ASYNC110 — threads have no event
            await asyncio.sleep(0)


def test_many_partitions_are_opened_off_the_loop() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(*[partition(index) for index in range(5)]))
            assert len(node.manager.partitions) == 2
            with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
                node.manager.partition("topic", 4)
            await opened(node, 5)
            assert node.manager.partition("topic", 4).is_leader

    asyncio.run(story())


def test_a_snapshot_opens_what_it_names_and_ends_what_it_does_not() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0)))
            state = ClusterState()
            other = bytes(15) + b"\7"
            state.replay(TopicCreated("other", other, False))
            state.replay(PartitionsChanged(other, (replace(partition(0), topic_id=other),)))
            node.metadata.install(state, 9, 1)
            await opened(node, 1)
            assert [p.topic for p in node.manager.partitions] == ["other"]
            assert node.logs.get_log(TOPIC_ID, 0) is None

    asyncio.run(story())


def test_a_deleted_topic_is_gone_and_its_waiters_fail() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0)))
            waiting = node.manager.partition("topic", 0).wait_committed(1, 0)
            node.tell(TopicRemoved(TOPIC_ID))
            with pytest.raises(ProtocolError, match="UNKNOWN_TOPIC_OR_PARTITION"):
                await waiting
            assert node.logs.get_log(TOPIC_ID, 0) is None
            assert node.manager.partitions == ()

    asyncio.run(story())


def test_a_partition_that_was_moved_away_is_deleted() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0)))
            moved = partition(0, leader=2, epoch=1, replicas=(2, 3))
            node.tell(PartitionsChanged(TOPIC_ID, (moved,)))
            assert node.manager.partitions == ()
            assert node.logs.get_log(TOPIC_ID, 0) is None

    asyncio.run(story())


def test_follows_the_leader_at_its_registered_address() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(broker(2))
            node.tell(*topic(partition(0, leader=2)))
            await settled()
            assert node.dialled[0] == ("host2", 9)

    asyncio.run(story())


def test_registrations_reach_the_partitions_and_the_streams() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(broker(1), replace(broker(2), fenced=True), *topic(partition(0)))
            found = node.manager.partition("topic", 0)
            follower = found.machine.followers[2]
            found.machine.on_subscribed(2, 20, 0, 0)
            node.tell(replace(broker(2), broker_epoch=21))
            assert follower.log_end_offset is None

    asyncio.run(story())


def test_configs_reach_the_log_and_the_machine() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0)))
            found = node.manager.partition("topic", 0)
            values = {"min.insync.replicas": "2", "max.message.bytes": "1000"}
            node.tell(ConfigsChanged("topic", "topic", values))
            assert found.machine.min_insync_replicas == 2
            assert found.log is not None
            assert found.log.config.max_message_bytes == 1000

    asyncio.run(story())


def test_the_lists_of_throttled_replicas_reach_partitions_old_and_new() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0)))
            found = node.manager.partition("topic", 0)
            lists = {"leader.replication.throttled.replicas": "0:1,1:1"}
            node.tell(ConfigsChanged("topic", "topic", lists))
            assert found.throttled.sends(1)
            assert not found.throttled.takes(1)
            node.tell(PartitionsChanged(TOPIC_ID, (partition(1),)))
            assert node.manager.partition("topic", 1).throttled.sends(1)
            node.tell(ConfigsChanged("topic", "topic", {}))
            assert not found.throttled.sends(1)
            node.manager.set_throttled_rates(rate_out=5, rate_in=6)
            rates = (node.manager.service.throttle, node.manager.throttle_in)
            assert [rate.bytes_per_second for rate in rates] == [5, 6]

    asyncio.run(story())


def test_what_is_set_for_brokers_is_the_default_of_topics() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(*topic(partition(0)))
            found = node.manager.partition("topic", 0)
            assert found.log is not None
            values = {
                "min.insync.replicas": "2",
                "message.max.bytes": "1000",
                "log.retention.ms": "5",
            }
            node.tell(ConfigsChanged("broker", "", values))
            assert found.machine.min_insync_replicas == 2
            assert found.log.config.max_message_bytes == 1000
            node.tell(ConfigsChanged("broker", "1", {"message.max.bytes": "2000"}))
            node.tell(ConfigsChanged("broker", "2", {"message.max.bytes": "3000"}))
            assert found.log.config.max_message_bytes == 2000
            assert found.log.config.retention_ms == 5
            node.tell(ConfigsChanged("topic", "topic", {"max.message.bytes": "4000"}))
            assert found.log.config.max_message_bytes == 4000
            node.tell(ConfigsChanged("broker", "", {}), ConfigsChanged("broker", "1", {}))
            assert found.machine.min_insync_replicas == 1
            assert found.log.config.retention_ms == 7 * 24 * 3600 * 1000

    asyncio.run(story())


def test_isr_changes_go_to_the_controller() -> None:
    async def story() -> None:
        async with running() as node:
            node.tell(broker(1), broker(2), *topic(partition(0)))
            found = node.manager.partition("topic", 0)
            found.append(batch_of(b"a"), acks=1)
            node.clock.advance(30_001)
            found.tick()
            await settled()
            assert node.controller.proposals == [IsrProposal(TOPIC_ID, 0, 0, 0, ((1, 10),))]

    asyncio.run(story())


def test_strays_are_renamed_once_metadata_has_caught_up() -> None:
    async def story() -> None:
        vfs = MemoryVfs()
        async with running(vfs) as node:
            node.tell(*topic(partition(0)))
        async with running(vfs) as node:
            await settled()
            assert "topic-0" in vfs.listdir("/logs")
            node.controller.unfenced.set()
            await settled()
            assert "topic-0" not in vfs.listdir("/logs")
            assert any(name.endswith("-stray") for name in vfs.listdir("/logs"))

    asyncio.run(story())


def test_the_last_directory_that_fails_ends_the_node() -> None:
    async def story() -> None:
        node = Node(MemoryVfs())
        task = asyncio.create_task(node.manager.run())
        await settled()
        node.tell(*topic(partition(0)))
        found = node.manager.partition("topic", 0)
        node.logs.directories[0].fail(OSError(5, "EIO"))
        with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
            found.append(batch_of(b"a"), acks=1)
        assert not found.is_leader
        with pytest.raises(ExceptionGroup) as failure:
            await task
        assert failure.value.subgroup(OSError) is not None
        node.logs.close()

    asyncio.run(story())


def test_a_damaged_replica_goes_through_the_controller_to_a_new_log() -> None:
    async def story() -> None:
        vfs = MemoryVfs()
        key = (TOPIC_ID, 0)
        async with running(vfs) as node:
            node.tell(broker(1), broker(2), *topic(partition(0)))
            found = node.manager.partition("topic", 0)
            found.append(batch_of(b"a"), acks=1)
            log = found.log
            assert log is not None
            log.damaged = True
            log.abandon("it is damaged")
            with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
                found.append(batch_of(b"b"), acks=1)
            assert node.manager.replica_states() == {key: ReplicaState.DAMAGED}
            after = replace(partition(0, leader=2, epoch=1), isr=(2,), offline_replicas=(1,))
            node.tell(PartitionsChanged(TOPIC_ID, (after,)))
            async with asyncio.timeout(5):
                while node.manager.replica_states():  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                while node.manager.partition_by_id(*key) is found:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            again = node.manager.partition("topic", 0)
            assert again is not found
            assert again.log_end_offset == 0
            assert again.leader_id == 2
            assert any(name.endswith("-damaged") for name in vfs.listdir("/logs"))

    asyncio.run(story())
