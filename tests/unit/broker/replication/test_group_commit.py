from __future__ import annotations

import asyncio

from broker.replication.group_commit import GroupCommit
from broker.replication.partition import Partition
from storage.work_counts import WorkCounts
from tests.unit.broker.replication.replication_support import Host, fill


def test_appends_of_one_moment_share_a_sync() -> None:
    async def story() -> None:
        host = Host()
        partition = host.partition(replicas=(1,), configs={"flush.messages": "1"})
        done = asyncio.Event()
        synced: list[int] = []

        def flushed(partition: Partition) -> None:
            assert partition.log is not None
            synced.append(partition.log.recovery_point)
            done.set()

        group_commit = GroupCommit(flushed, WorkCounts())
        task = asyncio.create_task(group_commit.run())
        fill(partition, b"one", b"two", b"three")
        for _ in range(3):
            group_commit.request(partition)
        await done.wait()
        assert synced == [3]
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_more_messages_than_one_gather_again_after_a_sync() -> None:
    async def story() -> None:
        host = Host()
        partition = host.partition(replicas=(1,), configs={"flush.messages": "3"})
        log = partition.usable_log
        points: list[int] = []
        told = asyncio.Event()

        def flushed(partition: Partition) -> None:
            points.append(log.recovery_point)
            told.set()

        group_commit = GroupCommit(flushed, WorkCounts())
        task = asyncio.create_task(group_commit.run())

        async def ask() -> None:
            told.clear()
            group_commit.request(partition)
            await told.wait()

        fill(partition, b"1", b"2")
        assert host.flushes == []
        fill(partition, b"3")
        assert host.flushes == [partition]
        assert partition.high_watermark == 3  # nothing waits for the sync
        await ask()
        fill(partition, b"4", b"5")
        assert host.flushes == [partition]
        await ask()  # as if an append had asked during the sync
        fill(partition, b"6")
        assert len(host.flushes) == 2
        await ask()
        assert points == [3, 3, 6]
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_a_failed_sync_is_told_and_not_tried_again() -> None:
    async def story() -> None:
        host = Host()
        durable = {"flush.messages": "1"}
        bad, good = host.partition(0, configs=durable), host.partition(1, configs=durable)
        assert bad.log is not None
        fill(bad, b"one")
        bad.log.abandon("its sync failed")
        done = asyncio.Event()
        flushed: list[Partition] = []

        def note(partition: Partition) -> None:
            flushed.append(partition)
            done.set()

        group_commit = GroupCommit(note, WorkCounts())
        task = asyncio.create_task(group_commit.run())
        group_commit.request(bad)
        group_commit.request(good)
        await done.wait()
        assert flushed == [good]
        assert not bad.is_leader
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())
