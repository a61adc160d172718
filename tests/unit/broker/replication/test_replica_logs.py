from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from broker.control.requests import ReplicaState
from broker.replication.replica_logs import PartitionKey, ReplicaLogs
from controller.state import PartitionMetadata, TopicMetadata
from ottla.core.clock import ManualClock
from storage.checkpoints import Checkpoints, MemoryStore
from storage.config import LogConfig
from storage.log import Log
from storage.manager import LogManager
from storage.vfs import MemoryVfs, OpenMode
from tests.support.disk import fill
from tests.unit.broker.replication.replication_support import TOPIC_ID, settled

KEY = (TOPIC_ID, 0)
INTERNAL_ID = b"internal topic 1"


class World:
    """Broker 1, its disks, and what its manager would know."""

    def __init__(self, *paths: str) -> None:
        self.vfs = MemoryVfs()
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.paths = paths or ("/logs",)
        self.info: PartitionMetadata | None = PartitionMetadata(
            TOPIC_ID, 0, (1, 2), (1, 2), 1, 3, 7
        )
        self.taken: list[Log | None] = []
        self.order: list[tuple[str, int]] = []
        self.let: list[PartitionKey] = []
        self.idle = 0
        self.start()

    def start(self) -> None:
        self.logs = LogManager.open(
            self.paths,
            cluster_id="cluster",
            node_id=1,
            clock=self.clock,
            vfs=self.vfs,
            checkpoints=Checkpoints(self.store),
        )
        self.logs.mark_running(1)
        self.replicas = ReplicaLogs(1, self.logs, self, self.on_idle)

    def on_idle(self) -> None:
        self.idle += 1

    # ReplicaHost

    def wanted(self, key: PartitionKey) -> TopicMetadata | None:
        if self.info is None:
            return None
        internal = key[0] == INTERNAL_ID
        name = "__consumer_offsets" if internal else "t"
        return TopicMetadata(name, key[0], (self.info,) * (key[1] + 1), internal)

    def log_config(self, topic: TopicMetadata) -> LogConfig:
        return LogConfig()

    def take_up(self, topic: TopicMetadata, index: int, log: Log | None) -> None:
        self.taken.append(log)
        self.order.append((topic.name, index))

    def let_go(self, key: PartitionKey) -> None:
        self.let.append(key)

    # What happens

    def tell(self, *, leader_id: int | None, offline: bool = True) -> None:
        """Metadata of the partition."""
        assert self.info is not None
        self.info = replace(
            self.info,
            leader_id=leader_id,
            partition_epoch=self.info.partition_epoch + 1,
            offline_replicas=(1,) if offline else (),
        )
        self.replicas.on_metadata("t", self.info)

    def damage(self) -> None:
        """A synced log, broken while the process was away."""
        log = self.logs.open_log("t", 0, TOPIC_ID, LogConfig())
        fill(log, 3)
        log.flush()
        log.note_checkpoint()
        self.logs.checkpoints.commit()
        size = log.size_bytes
        self.vfs.process_crash()
        self.start()
        file = self.vfs.open(f"/logs/t-0/{0:020}.log", OpenMode.WRITE)
        file.pwrite(bytes(40), size // 3)

    def asides(self) -> list[str]:
        return [name for name in self.vfs.listdir("/logs") if name.endswith("-damaged")]


def play(world: World, story: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        task = asyncio.create_task(world.replicas.run())
        try:
            await story()
        finally:
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(run())


async def until(world: World, count: int) -> None:
    """Until the queue was emptied `count` times."""
    async with asyncio.timeout(5):
        while world.idle < count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def test_logs_of_internal_topics_are_opened_before_others() -> None:
    world = World()

    async def story() -> None:
        for index in range(5):
            world.replicas.queue((TOPIC_ID, index))
        for index in range(2):
            world.replicas.queue((INTERNAL_ID, index))
        assert world.replicas.is_queued((INTERNAL_ID, 1))
        await until(world, 1)
        offsets = [("__consumer_offsets", index) for index in range(2)]
        assert world.order == [*offsets, *(("t", index) for index in range(5))]
        assert not world.replicas.waiting

    play(world, story)


def test_what_is_queued_is_opened_and_taken_up() -> None:
    world = World()

    async def story() -> None:
        world.replicas.queue(KEY)
        assert world.replicas.waiting
        assert world.replicas.is_queued(KEY)
        await until(world, 1)
        assert not world.replicas.waiting
        assert [log is not None for log in world.taken] == [True]
        assert world.replicas.failed == {}

    play(world, story)


def test_what_is_taken_away_meanwhile_is_deleted() -> None:
    world = World()
    opening = world.logs.open_log

    def open_log(*args: object, **options: object) -> Log:
        world.info = None
        return opening(*args, **options)  # type: ignore[arg-type]

    world.logs.open_log = open_log  # type: ignore[method-assign]

    async def story() -> None:
        world.replicas.queue(KEY)
        await until(world, 1)
        assert world.taken == []
        assert world.logs.get_log(*KEY) is None

    play(world, story)


def test_a_damaged_replica_is_made_again_once_another_leads(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.damage()

    async def story() -> None:
        world.replicas.queue(KEY)
        await until(world, 1)
        assert world.replicas.failed == {KEY: ReplicaState.DAMAGED}
        assert world.taken == [None]
        world.tell(leader_id=2, offline=False)  # the controller does not know yet
        await settled()
        assert not world.replicas.waiting
        world.tell(leader_id=2)
        await until(world, 2)
        assert world.replicas.failed == {}
        log = world.taken[-1]
        assert log is not None
        assert log.log_end_offset == 0
        assert world.let == [KEY, KEY]
        (kept,) = world.asides()
        assert f"renamed to /logs/{kept}" in caplog.text

    play(world, story)


def test_while_nobody_leads_nothing_is_touched(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.damage()

    async def story() -> None:
        world.replicas.queue(KEY)
        await until(world, 1)
        for _ in range(3):
            world.tell(leader_id=None)
        await settled()
        assert not world.replicas.waiting
        assert world.replicas.failed == {KEY: ReplicaState.DAMAGED}
        assert world.asides() == []
        assert caplog.text.count("no live replica has all of it") == 1
        world.tell(leader_id=2)
        await until(world, 2)
        assert len(world.asides()) == 1

    play(world, story)


def test_a_leader_that_is_gone_again_when_the_turn_comes_saves_the_folder() -> None:
    world = World()
    world.damage()

    async def story() -> None:
        world.replicas.queue(KEY)
        await until(world, 1)
        world.tell(leader_id=2)
        world.tell(leader_id=None)
        await until(world, 2)
        assert world.asides() == []
        assert world.replicas.failed == {KEY: ReplicaState.DAMAGED}

    play(world, story)


def test_a_folder_that_cannot_be_renamed_stays_damaged() -> None:
    world = World()
    world.damage()

    async def story() -> None:
        world.replicas.queue(KEY)
        await until(world, 1)
        world.vfs.fail("rename", errno.EACCES)
        world.tell(leader_id=2)
        await until(world, 2)
        assert world.replicas.failed == {KEY: ReplicaState.DAMAGED}
        world.tell(leader_id=2)
        await until(world, 3)
        assert world.replicas.failed == {}

    play(world, story)


def test_what_had_no_room_is_tried_again() -> None:
    world = World()
    world.vfs.capacity = world.vfs.used_bytes() + 20

    async def story() -> None:
        world.replicas.queue(KEY)
        await until(world, 1)
        assert world.replicas.failed == {KEY: ReplicaState.FULL}
        world.vfs.capacity = None
        world.replicas.try_full_again()
        await until(world, 2)
        assert world.replicas.failed == {}
        assert [log is not None for log in world.taken] == [False, True]

    play(world, story)


def test_a_replica_that_may_be_in_a_failed_directory_is_not_made_anew() -> None:
    world = World("/logs", "/more")
    world.logs.directories[0].fail(OSError(errno.EIO, "broken"))
    topic = world.wanted(KEY)
    assert topic is not None
    assert world.replicas.open(topic, 0) is None
    assert world.replicas.failed == {KEY: ReplicaState.OFFLINE}
    world.replicas.try_full_again()
    assert not world.replicas.waiting
    new = TopicMetadata("t", TOPIC_ID, (replace(topic.partitions[0], partition_epoch=0),), False)
    assert world.replicas.open(new, 0) is not None


def test_who_is_made_anew_may_be_although_a_directory_is_offline(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    world = World("/logs", "/more")
    world.damage()
    world.logs.directories[1].fail(OSError(errno.EIO, "broken"))

    async def story() -> None:
        world.replicas.queue(KEY)
        await until(world, 1)
        world.tell(leader_id=2)
        await until(world, 2)
        assert world.replicas.failed == {}

    play(world, story)


def test_what_is_forgotten_is_told_no_more() -> None:
    world = World()
    world.replicas.failed[KEY] = ReplicaState.DAMAGED
    world.replicas.forget(KEY)
    world.tell(leader_id=2)
    assert world.replicas.failed == {}
    assert not world.replicas.waiting
