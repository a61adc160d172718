from __future__ import annotations

import asyncio
import errno
from typing import Any, cast

import pytest

from broker.control.requests import ReplicaState
from broker.replication.follower_streams import FollowerStreams
from broker.replication.partition import Partition
from broker.replication.partition_machine import Role
from broker.replication.replica_health import ReplicaHealth
from broker.replication.replica_logs import PartitionKey, ReplicaLogs
from ottla.core.errors import DecodeError, ProtocolError
from storage.checkpoints import Checkpoints, MemoryStore
from storage.log import Log
from storage.manager import LogManager
from storage.vfs import OpenMode
from tests.unit.broker.replication.replication_support import TOPIC_ID, Host, batch_of, fill


class Streams:
    def __init__(self) -> None:
        self.unfollowed: list[PartitionKey] = []
        self.left = 0

    def unfollow(self, key: PartitionKey) -> None:
        self.unfollowed.append(key)

    def leave_full(self) -> None:
        self.left += 1


class World(Host):
    """Broker 1 with two log directories; partition 0 is in the first, 1 in the second."""

    def __init__(self) -> None:
        super().__init__()
        self.logs.close()
        self.logs = LogManager.open(
            ["/a", "/b"],
            cluster_id="cluster",
            node_id=1,
            clock=self.clock,
            vfs=self.vfs,
            checkpoints=Checkpoints(MemoryStore()),
        )
        self.logs.mark_running(10)
        self.partitions: dict[PartitionKey, Partition] = {}
        self.replica_logs = ReplicaLogs(1, self.logs, cast(Any, None), lambda: None)
        self.streams = Streams()
        self.changed = asyncio.Event()
        self.ended = 0
        self.health = ReplicaHealth(
            self.logs,
            self.replica_logs,
            self.partitions,
            cast("FollowerStreams", self.streams),
            self.changed,
            self.on_all_failed,
        )
        for index in (0, 1):
            self.partitions[TOPIC_ID, index] = self.partition(index, replicas=(1,))

    def on_all_failed(self) -> None:
        self.ended += 1

    def log_failed(self, partition: Partition) -> None:
        self.health.log_failed(partition)

    def log(self, index: int) -> Log:
        log = self.partitions[TOPIC_ID, index].log
        assert log is not None
        return log

    def roles(self) -> list[Role]:
        return [partition.machine.role for partition in self.partitions.values()]

    def states(self) -> dict[int, ReplicaState]:
        return {key[1]: state for key, state in self.health.states().items()}


def test_where_all_is_well_nothing_is_told() -> None:
    world = World()
    world.health.look()
    assert world.states() == {}
    assert not world.changed.is_set()


def test_a_directory_that_fails_takes_its_own_partitions_offline() -> None:
    world = World()
    world.vfs.fail("write", errno.EIO, path="/a")
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        fill(world.partitions[TOPIC_ID, 0], b"x")
    assert world.roles() == [Role.OFFLINE, Role.LEADER]
    assert world.states() == {0: ReplicaState.OFFLINE}
    assert world.changed.is_set()
    assert world.streams.unfollowed == [(TOPIC_ID, 0)]
    fill(world.partitions[TOPIC_ID, 1], b"x")
    assert world.ended == 0


def test_a_directory_that_failed_in_the_background_is_found() -> None:
    world = World()
    world.log(1).directory.fail(OSError(errno.EIO, "sync"))
    world.health.look()
    assert world.roles() == [Role.LEADER, Role.OFFLINE]
    assert world.states() == {1: ReplicaState.OFFLINE}
    assert world.changed.is_set()
    world.log(0).directory.fail(OSError(errno.EIO, "sync"))
    world.health.look()
    assert world.ended == 1


def test_a_full_directory_keeps_its_partitions_and_says_so() -> None:
    world = World()
    room = world.log(0).directory.room
    room.refused()
    world.health.look()
    assert world.roles() == [Role.LEADER, Role.LEADER]
    assert world.states() == {0: ReplicaState.FULL}
    assert world.streams.left == 1
    assert world.changed.is_set()
    world.changed.clear()
    world.health.look()
    assert not world.changed.is_set()
    assert world.streams.left == 1
    world.look_at_room()
    world.health.look()
    assert world.states() == {}
    assert world.changed.is_set()
    assert world.streams.left == 1


def test_a_refused_append_is_told_at_once() -> None:
    world = World()
    world.vfs.capacity = 0
    with pytest.raises(ProtocolError, match="the disk is full"):
        fill(world.partitions[TOPIC_ID, 1], b"x")
    assert world.states() == {1: ReplicaState.FULL}
    assert world.changed.is_set()
    assert world.streams.left == 1


def test_a_damaged_log_goes_offline_alone() -> None:
    world = World()
    partition = world.partitions[TOPIC_ID, 0]
    log = world.log(0)
    for _ in range(5):
        fill(partition, b"x" * 100)
    log._begin_boundaries()  # as if the batches were no longer remembered
    world.vfs.open(f"/a/topic-0/{0:020}.log", OpenMode.WRITE).pwrite(bytes(40), 0)
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        partition.read(2, 100, committed_only=False, at_least_one=True)
    assert world.roles() == [Role.OFFLINE, Role.LEADER]
    assert world.states() == {0: ReplicaState.DAMAGED}
    assert world.streams.unfollowed == [(TOPIC_ID, 0)]


def test_damage_that_was_found_in_the_background_is_told() -> None:
    world = World()
    world.log(1).fail_damaged(DecodeError("a pass of compaction found it"))
    assert world.states() == {}
    world.health.look()
    assert world.roles() == [Role.LEADER, Role.OFFLINE]
    assert world.states() == {1: ReplicaState.DAMAGED}
    assert world.changed.is_set()


def test_a_log_that_is_of_no_use_for_another_reason_is_offline() -> None:
    world = World()
    world.log(0).abandon("a truncation failed")
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        world.partitions[TOPIC_ID, 0].append(batch_of(b"x"), acks=1)
    assert world.states() == {0: ReplicaState.OFFLINE}
