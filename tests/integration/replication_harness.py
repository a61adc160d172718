"""Several replica managers in one process, over real gRPC on loopback and real logs.

The controller is a small one: compare-and-set on the epochs, registrations, elections on demand. It
tells every node its metadata unless the node is told to hear nothing.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from broker.control.metadata_cache import MetadataCache
from broker.internal.server import GrpcServer
from broker.node import INTERNAL_MESSAGE_BYTES_MAX
from broker.replication.manager import ReplicaManager
from broker.replication.partition import Partition
from broker.replication.partition_host import Appended
from broker.replication.seams import IsrProposal
from broker.replication.settings import ReplicationSettings
from controller.state import (
    BrokerRegistration,
    ClusterState,
    ConfigsChanged,
    ControllerInOffice,
    PartitionMetadata,
    PartitionsChanged,
    Record,
    TopicCreated,
    TopicRemoved,
)
from ottla.core.clock import SystemClock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from ottla.record.build import build_batch
from storage.manager import LogManager
from storage.vfs import OsVfs

CLUSTER_ID = "cluster-of-the-test-22"
TOPIC = "events"
TOPIC_ID: Uuid = bytes(15) + b"\x01"


class Metadata:
    """One node's image of the cluster, and what it has not heard yet."""

    def __init__(self) -> None:
        self.cache = MetadataCache()
        self.deaf = False
        self.missed: list[Record] = []

    def tell(self, record: Record) -> None:
        if self.deaf:
            self.missed.append(record)
        else:
            self.cache.apply([record], self.cache.offset + 1, 1)

    def hear(self) -> None:
        self.deaf = False
        missed, self.missed = self.missed, []
        for record in missed:
            self.tell(record)


class Controller:
    """One node's client of the controller."""

    def __init__(self, cluster: Cluster, broker_epoch: int) -> None:
        self._cluster = cluster
        self.broker_epoch: int | None = broker_epoch
        self.unfenced = asyncio.Event()
        self.unfenced.set()

    async def alter_partition(self, proposal: IsrProposal) -> PartitionMetadata:
        await asyncio.sleep(0)
        return self._cluster.alter_partition(proposal)


class Node:
    """One broker's half of replication."""

    def __init__(self, cluster: Cluster, node_id: int) -> None:
        self.cluster = cluster
        self.node_id = node_id
        self.metadata = Metadata()

    async def start(self) -> None:
        clock = SystemClock()
        cluster = self.cluster
        self.logs = LogManager.open(
            [str(cluster.path / str(self.node_id))],
            cluster_id=CLUSTER_ID,
            node_id=self.node_id,
            clock=clock,
            vfs=OsVfs(),
        )
        epoch = cluster.next_broker_epoch()
        self.logs.mark_running(epoch)
        self.metadata = Metadata()
        self.manager = ReplicaManager(
            self.logs,
            self.metadata.cache,
            Controller(cluster, epoch),
            replace(cluster.settings, node_id=self.node_id),
            clock,
        )
        self.server = GrpcServer(message_bytes_max=INTERNAL_MESSAGE_BYTES_MAX)
        self.manager.add_to_server(self.server)
        await self.server.start("127.0.0.1", 0)
        self.port = self.server.port
        self.task = asyncio.create_task(self.manager.run())
        await asyncio.sleep(0)
        cluster.register(self, epoch)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.server.stop(0)
        self.logs.close()

    @property
    def partition(self) -> Partition:
        return self.manager.partition(TOPIC, 0)


class Cluster:
    def __init__(self, path: Path, settings: ReplicationSettings) -> None:
        self.path = path
        self.settings = settings
        self.state = ClusterState()
        self.nodes: dict[int, Node] = {}
        self.up: set[int] = set()
        self._broker_epoch = 0
        self.publish(ControllerInOffice(1, 1, 1))

    def next_broker_epoch(self) -> int:
        self._broker_epoch += 1
        return self._broker_epoch

    def publish(self, record: Record) -> None:
        self.state.replay(record)
        for node_id in self.up:
            self.nodes[node_id].metadata.tell(record)

    def register(self, node: Node, broker_epoch: int) -> None:
        snapshot = ClusterState()
        for record in self.state.to_records():
            snapshot.replay(record)
        node.metadata.cache.install(snapshot, 1, 1)
        self.up.add(node.node_id)
        registration = BrokerRegistration(
            node.node_id,
            broker_epoch,
            bytes(16),
            (),
            "127.0.0.1",
            node.port,
            None,
            False,
            False,
            (),
        )
        self.publish(registration)

    def alter_partition(self, proposal: IsrProposal) -> PartitionMetadata:
        now = self.state.partition(proposal.topic_id, proposal.partition)
        if now is None:
            raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        if now.leader_epoch != proposal.leader_epoch:
            raise ProtocolError(ErrorCode.FENCED_LEADER_EPOCH)
        if now.partition_epoch != proposal.partition_epoch:
            raise ProtocolError(ErrorCode.INVALID_UPDATE_VERSION)
        for broker_id, broker_epoch in proposal.isr:
            if self.state.brokers[broker_id].broker_epoch != broker_epoch:
                raise ProtocolError(ErrorCode.INELIGIBLE_REPLICA)
        isr = tuple(broker_id for broker_id, _ in proposal.isr)
        return self.change(replace(now, isr=isr, partition_epoch=now.partition_epoch + 1))

    def change(self, partition: PartitionMetadata) -> PartitionMetadata:
        self.publish(PartitionsChanged(partition.topic_id, (partition,)))
        return partition

    def create_topic(
        self,
        replicas: tuple[int, ...],
        *,
        name: str = TOPIC,
        topic_id: Uuid = TOPIC_ID,
        partitions: int = 1,
        configs: Mapping[str, str] | None = None,
    ) -> None:
        self.publish(TopicCreated(name, topic_id, False))
        if configs:
            self.publish(ConfigsChanged("topic", name, configs))
        made = tuple(
            PartitionMetadata(topic_id, index, replicas, replicas, replicas[0], 0, 0)
            for index in range(partitions)
        )
        self.publish(PartitionsChanged(topic_id, made))

    def delete_topic(self, topic_id: Uuid = TOPIC_ID) -> None:
        self.publish(TopicRemoved(topic_id))

    def elect(self, leader_id: int | None, *, isr: tuple[int, ...] | None = None) -> None:
        """A new leader epoch of the topic's only partition."""
        now = self.state.partition(TOPIC_ID, 0)
        assert now is not None
        self.change(
            replace(
                now,
                leader_id=leader_id,
                leader_epoch=now.leader_epoch + 1,
                partition_epoch=now.partition_epoch + 1,
                isr=now.isr if isr is None else isr,
            )
        )

    @property
    def isr(self) -> tuple[int, ...]:
        now = self.state.partition(TOPIC_ID, 0)
        assert now is not None
        return now.isr


@asynccontextmanager
async def cluster_of(
    path: Path, count: int = 3, *, settings: ReplicationSettings | None = None
) -> AsyncIterator[Cluster]:
    cluster = Cluster(path, settings or ReplicationSettings(0, CLUSTER_ID))
    try:
        for node_id in range(1, count + 1):
            cluster.nodes[node_id] = Node(cluster, node_id)
            await cluster.nodes[node_id].start()
        yield cluster
    finally:
        for node_id in [*cluster.up]:
            cluster.up.discard(node_id)
            await cluster.nodes[node_id].stop()


def batch_of(*values: bytes) -> memoryview:
    return memoryview(build_batch([(None, value, (), 1_700_000_000_000) for value in values]))


async def produce(partition: Partition, *values: bytes, acks: int = -1) -> Appended:
    """Append one batch and, with acks=all, wait until it is committed."""
    appended = partition.append(batch_of(*values), acks=acks)
    if acks == -1:
        async with asyncio.timeout(10):
            await partition.wait_committed(appended.last_offset + 1, appended.leader_epoch)
    return appended


def content(partition: Partition) -> bytes:
    """The bytes of the whole log."""
    log = partition.log
    assert log is not None
    read = bytearray()
    offset = log.log_start_offset
    while offset < log.log_end_offset:
        found = log.read(offset, 1 << 20, end_offset=log.log_end_offset)
        assert found is not None
        batches = found.read()
        read += batches
        position = 0
        while position < len(batches):
            base, length = struct.unpack_from(">qi", batches, position)
            (delta,) = struct.unpack_from(">i", batches, position + 23)
            offset = base + delta + 1
            position += length + 12
    return bytes(read)


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Let the loop run until `condition` holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 — what is awaited has no event
            await asyncio.sleep(0.005)
