"""Partitions over real logs in memory, with a manager that only takes notes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from broker.internal.stream import StreamClosed
from broker.replication.cold_reads import Done, SliceReader
from broker.replication.isr import IsrChange
from broker.replication.leader_session import LeaderSession
from broker.replication.partition import Partition
from broker.replication.partition_machine import PartitionMachine
from broker.replication.progress import BrokerView, PartitionView
from broker.replication.seams import LeadershipChange
from broker.replication.tail import TailBudget
from broker.replication.throttle import Throttle
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from ottla.record.build import build_batch
from storage.checkpoints import Checkpoints, MemoryStore
from storage.config import LogConfig
from storage.manager import LogManager
from storage.room import HOLD_MS
from storage.slices import LogSlice
from storage.vfs import MemoryVfs

TOPIC_ID: Uuid = bytes(range(16))
LAG_MS_MAX = 1_000
BROKERS = {id: BrokerView(id * 10, True) for id in (1, 2, 3)}


def make_logs(node_id: int, vfs: MemoryVfs, clock: ManualClock) -> LogManager:
    logs = LogManager.open(
        ["/logs"],
        cluster_id="cluster",
        node_id=node_id,
        clock=clock,
        vfs=vfs,
        checkpoints=Checkpoints(MemoryStore()),
    )
    logs.mark_running(node_id * 10)
    return logs


class Host:
    """PartitionHost that notes what it is asked."""

    def __init__(self, node_id: int = 1) -> None:
        self.node_id = node_id
        self.clock = ManualClock()
        self.vfs = MemoryVfs()
        self.logs = make_logs(node_id, self.vfs, self.clock)
        self.tail_budget = TailBudget(1 << 20)
        self.proposals: list[IsrChange] = []
        self.leaderships: list[LeadershipChange] = []
        self.flushes: list[Partition] = []
        self.log_starts: list[Partition] = []
        self.failed: list[Partition] = []
        self.noted: list[int] = []

    def propose(self, partition: Partition, change: IsrChange) -> None:
        self.proposals.append(change)

    def leadership_changed(self, change: LeadershipChange) -> None:
        self.leaderships.append(change)

    def high_watermark_moved(self, partition: Partition) -> None:
        self.noted.append(partition.high_watermark)

    def request_flush(self, partition: Partition) -> None:
        self.flushes.append(partition)

    def save_log_start(self, partition: Partition) -> None:
        self.log_starts.append(partition)

    def log_failed(self, partition: Partition) -> None:
        self.failed.append(partition)

    def look_at_room(self) -> None:
        """Time passes, and the free space is measured."""
        self.clock.advance(HOLD_MS)
        room = self.logs.directories[0].room
        room.note(room.measure())

    def partition(
        self,
        index: int = 0,
        *,
        leader_id: int | None = 1,
        leader_epoch: int = 0,
        replicas: tuple[int, ...] = (1, 2, 3),
        isr: tuple[int, ...] | None = None,
        min_insync: int = 1,
        configs: Mapping[str, str] | None = None,
        internal: bool = False,
    ) -> Partition:
        log = self.logs.open_log(
            "topic", index, TOPIC_ID, LogConfig.from_topic_configs(configs or {})
        )
        machine = PartitionMachine(
            self.node_id,
            high_watermark=self.logs.high_watermark(log),
            log_end_offset=log.log_end_offset,
            min_insync_replicas=min_insync,
            replica_lag_ms_max=LAG_MS_MAX,
            brokers=BROKERS,
        )
        partition = Partition("topic", TOPIC_ID, index, log, machine, self, internal=internal)
        partition.apply(
            PartitionView(leader_id, leader_epoch, leader_epoch, replicas, isr or replicas)
        )
        return partition


def lead(partition: Partition, leader_id: int | None, leader_epoch: int) -> None:
    """Metadata tells of another leader epoch."""
    machine = partition.machine
    partition.apply(
        PartitionView(
            leader_id,
            leader_epoch,
            machine.partition_epoch + 1,
            machine.replicas,
            machine.isr,
        )
    )


def batch_of(*values: bytes, base_offset: int = 0, leader_epoch: int = -1) -> memoryview:
    return memoryview(
        build_batch(
            [(None, value, (), 1_700_000_000_000) for value in values],
            base_offset=base_offset,
            leader_epoch=leader_epoch,
        )
    )


def fill(partition: Partition, *values: bytes) -> None:
    """Append each value as a batch of its own, with acks=1."""
    for value in values:
        partition.append(batch_of(value), acks=1)


class Woken:
    """Counts calls."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1

    wake = __call__


class Reads:
    """SliceReader: what is `cold` is read when `complete` is called."""

    def __init__(self, *, cold: bool = False) -> None:
        self.cold = cold
        self.failure: OSError | None = None
        self.waiting: list[tuple[LogSlice, Done]] = []

    def is_cached(self, found: LogSlice) -> bool:
        return not self.cold

    def read(self, found: LogSlice, done: Done) -> None:
        self.waiting.append((found, done))

    def complete(self) -> None:
        waiting, self.waiting = self.waiting, []
        for found, done in waiting:
            done(found.read() if self.failure is None else self.failure)


def leader_session(
    host: Host,
    *partitions: Partition,
    follower_id: int = 2,
    credit_bytes: int = 1 << 20,
    partition_credit_bytes: int = 1 << 19,
    message_bytes: int = 1 << 20,
    subscriptions_max: int = 100,
    reader: SliceReader | None = None,
    catch_up: bool = False,
    throttle: Throttle | None = None,
) -> LeaderSession:
    by_index = {partition.index: partition for partition in partitions}

    def find(topic_id: Uuid, index: int) -> Partition:
        if topic_id != TOPIC_ID or index not in by_index:
            raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_ID)
        return by_index[index]

    return LeaderSession(
        follower_id,
        find=find,
        clock=host.clock,
        wake=Woken(),
        credit_bytes=credit_bytes,
        partition_credit_bytes=partition_credit_bytes,
        message_bytes=message_bytes,
        keepalive_ms=500,
        subscriptions_max=subscriptions_max,
        reader=reader or Reads(),
        catch_up=catch_up,
        throttle=throttle,
    )


class MemoryStream:
    """One end of a stream in memory (ReplicaStream)."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.peer: MemoryStream | None = None
        self.closed = False

    async def read(self) -> bytes:
        message = await self.incoming.get()
        if message is None:
            self.closed = True
            raise StreamClosed("the other end is gone")
        return message

    async def write(self, message: bytes) -> None:
        if self.closed or self.peer is None:
            raise StreamClosed("closed")
        self.peer.incoming.put_nowait(message)
        await asyncio.sleep(0)

    def close(self) -> None:
        self.closed = True
        if self.peer is not None:
            self.peer.incoming.put_nowait(None)


def stream_pair() -> tuple[MemoryStream, MemoryStream]:
    first, second = MemoryStream(), MemoryStream()
    first.peer, second.peer = second, first
    return first, second


async def settled(turns: int = 20) -> None:
    """Let everything that is ready on the loop run."""
    for _ in range(turns):
        await asyncio.sleep(0)
