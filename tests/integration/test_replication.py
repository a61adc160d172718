"""Replication between real replica managers: gRPC on loopback, logs on disk."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from broker.replication.settings import ReplicationSettings
from ottla.core.errors import ProtocolError
from tests.integration.replication_harness import (
    CLUSTER_ID,
    TOPIC,
    TOPIC_ID,
    Cluster,
    batch_of,
    cluster_of,
    content,
    produce,
    until,
)

QUICK = ReplicationSettings(0, CLUSTER_ID, replica_lag_ms_max=500, retry_ms=5)
MIN_ISR_2 = {"min.insync.replicas": "2"}


def in_step(cluster: Cluster) -> bool:
    """All running replicas have the same log and know that it is committed."""
    partitions = [cluster.nodes[node_id].partition for node_id in cluster.up]
    end = partitions[0].log_end_offset
    return all(p.log_end_offset == end == p.high_watermark for p in partitions) and (
        len({content(p) for p in partitions}) == 1
    )


def test_acks_all_is_on_every_replica(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster_of(tmp_path) as cluster:
            cluster.create_topic((1, 2, 3), configs=MIN_ISR_2)
            leader = cluster.nodes[1].partition
            for number in range(20):
                appended = await produce(leader, b"%d" % number, b"second")
                assert appended.base_offset == 2 * number
                for node_id in (2, 3):
                    assert cluster.nodes[node_id].partition.log_end_offset == 2 * number + 2
            await until(lambda: in_step(cluster))

    asyncio.run(story())


def test_a_burst_of_appends_is_replicated_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster_of(tmp_path) as cluster:
            cluster.create_topic((1, 2, 3), partitions=4)
            manager = cluster.nodes[1].manager
            waits = []
            for number in range(400):
                partition = manager.partition(TOPIC, number % 4)
                appended = partition.append(batch_of(b"x" * (number * 50 + 1)), acks=-1)
                waits.append(
                    partition.wait_committed(appended.last_offset + 1, appended.leader_epoch)
                )
            async with asyncio.timeout(10):
                await asyncio.gather(*waits)
            for index in range(4):
                contents = {
                    content(node.manager.partition(TOPIC, index)) for node in cluster.nodes.values()
                }
                assert len(contents) == 1

    asyncio.run(story())


def test_leadership_moves_and_the_log_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster_of(tmp_path) as cluster:
            cluster.create_topic((1, 2, 3), configs=MIN_ISR_2)
            await produce(cluster.nodes[1].partition, b"first")
            pending = cluster.nodes[1].partition.wait_committed(100, 0)
            cluster.elect(2)
            with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
                await pending
            with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
                cluster.nodes[1].partition.append(batch_of(b"x"), acks=-1)
            await produce(cluster.nodes[2].partition, b"second")
            cluster.elect(1)
            await produce(cluster.nodes[1].partition, b"third")
            await until(lambda: in_step(cluster))
            log = cluster.nodes[3].partition.log
            assert log is not None
            assert log.epochs.entries == ((0, 0), (1, 1), (2, 2))

    asyncio.run(story())


def test_what_a_deposed_leader_has_alone_is_truncated(tmp_path: Path) -> None:
    """The deposed leader has not heard of its successor and goes on with acks=1."""

    async def story() -> None:
        async with cluster_of(tmp_path) as cluster:
            cluster.create_topic((1, 2, 3), configs=MIN_ISR_2)
            await produce(cluster.nodes[1].partition, b"committed")
            cluster.nodes[1].metadata.deaf = True
            cluster.elect(2, isr=(2, 3))
            for _ in range(3):
                await produce(cluster.nodes[1].partition, b"alone", acks=1)
            await produce(cluster.nodes[2].partition, b"chosen")
            assert cluster.nodes[1].partition.high_watermark == 1
            cluster.nodes[1].metadata.hear()
            await until(lambda: in_step(cluster))
            assert cluster.nodes[1].partition.log_end_offset == 2
            assert b"alone" not in content(cluster.nodes[1].partition)
            await until(lambda: set(cluster.isr) == {1, 2, 3})

    asyncio.run(story())


def test_logs_that_diverged_twice_meet_by_leader_epoch(tmp_path: Path) -> None:
    """KIP-279: two unclean elections leave different epochs over the same offsets."""

    async def story() -> None:
        async with cluster_of(tmp_path, 2) as cluster:
            cluster.create_topic((1, 2))
            await produce(cluster.nodes[1].partition, b"common")
            cluster.nodes[2].metadata.deaf = True
            cluster.elect(1, isr=(1,))
            await produce(cluster.nodes[1].partition, b"of epoch 1", b"of epoch 1")
            cluster.nodes[1].metadata.deaf = True
            cluster.elect(2, isr=(2,))
            cluster.nodes[2].metadata.hear()
            await produce(cluster.nodes[2].partition, b"of epoch 2")
            cluster.nodes[2].metadata.deaf = True
            cluster.elect(1, isr=(1,))
            cluster.nodes[1].metadata.hear()
            await produce(cluster.nodes[1].partition, b"of epoch 3")
            cluster.nodes[2].metadata.hear()
            await until(lambda: in_step(cluster))
            assert b"of epoch 2" not in content(cluster.nodes[2].partition)
            log = cluster.nodes[2].partition.log
            assert log is not None
            assert log.epochs.entries == ((0, 0), (1, 1), (3, 3))

    asyncio.run(story())


def test_a_restarted_follower_catches_up_and_joins(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster_of(tmp_path, settings=QUICK) as cluster:
            cluster.create_topic((1, 2, 3), configs=MIN_ISR_2)
            leader = cluster.nodes[1].partition
            await produce(leader, b"before")
            cluster.up.discard(3)
            await cluster.nodes[3].stop()
            leader.append(batch_of(b"while it was away"), acks=1)
            await until(lambda: set(cluster.isr) == {1, 2})
            await until(lambda: leader.high_watermark == 2)
            for number in range(50):
                await produce(leader, b"%d" % number)
            await cluster.nodes[3].start()
            await until(lambda: set(cluster.isr) == {1, 2, 3})
            await produce(leader, b"after")
            await until(lambda: in_step(cluster))

    asyncio.run(story())


def test_below_min_isr_nothing_commits(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster_of(tmp_path, 2, settings=QUICK) as cluster:
            cluster.create_topic((1, 2), configs=MIN_ISR_2)
            leader = cluster.nodes[1].partition
            await produce(leader, b"committed")
            cluster.up.discard(2)
            await cluster.nodes[2].stop()
            appended = leader.append(batch_of(b"waits"), acks=-1)
            wait = leader.wait_committed(appended.last_offset + 1, appended.leader_epoch)
            with pytest.raises(ProtocolError, match="NOT_ENOUGH_REPLICAS_AFTER_APPEND"):
                async with asyncio.timeout(10):
                    await wait
            assert cluster.isr == (1,)
            with pytest.raises(ProtocolError, match="NOT_ENOUGH_REPLICAS"):
                leader.append(batch_of(b"refused"), acks=-1)
            leader.append(batch_of(b"alone"), acks=1)
            assert leader.high_watermark == 1
            await cluster.nodes[2].start()
            await until(lambda: leader.high_watermark == 3)
            assert set(cluster.isr) == {1, 2}

    asyncio.run(story())


def test_a_topic_made_anew_under_its_name_starts_empty(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster_of(tmp_path, 2) as cluster:
            cluster.create_topic((1, 2))
            await produce(cluster.nodes[1].partition, b"old")
            cluster.delete_topic()
            with pytest.raises(ProtocolError, match="UNKNOWN_TOPIC_OR_PARTITION"):
                cluster.nodes[1].manager.partition(TOPIC, 0)
            again = bytes(15) + b"\x02"
            cluster.create_topic((1, 2), topic_id=again)
            with pytest.raises(ProtocolError, match="UNKNOWN_TOPIC_ID"):
                cluster.nodes[1].manager.partition_by_id(TOPIC_ID, 0)
            assert (await produce(cluster.nodes[1].partition, b"new")).base_offset == 0
            assert b"old" not in content(cluster.nodes[2].partition)

    asyncio.run(story())


def test_a_follower_whose_disk_is_full_leaves_the_isr_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        slow = ReplicationSettings(0, CLUSTER_ID, replica_lag_ms_max=60_000)
        async with cluster_of(tmp_path, settings=slow) as cluster:
            cluster.create_topic((1, 2, 3), configs=MIN_ISR_2)
            leader = cluster.nodes[1].partition
            await produce(leader, b"fits")
            log = cluster.nodes[3].partition.log
            assert log is not None
            file = log._active.file

            def full(_data: object) -> int:
                raise OSError(28, "No space left on device")

            monkeypatch.setattr(type(file), "write", _only_for(file, full), raising=True)
            await produce(leader, b"does not fit")
            assert set(cluster.isr) == {1, 2}

    asyncio.run(story())


def _only_for(target: object, replacement):  # type: ignore[no-untyped-def]
    original = type(target).write  # type: ignore[attr-defined]

    def write(self, data):  # type: ignore[no-untyped-def]
        return replacement(data) if self is target else original(self, data)

    return write


def test_durable_topics_count_what_is_synced(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster_of(tmp_path) as cluster:
            cluster.create_topic((1, 2, 3), configs={**MIN_ISR_2, "flush.messages": "1"})
            leader = cluster.nodes[1].partition
            for number in range(5):
                appended = await produce(leader, b"%d" % number)
                for node in cluster.nodes.values():
                    log = node.partition.log
                    assert log is not None
                    assert log.recovery_point > appended.last_offset

    asyncio.run(story())


def test_a_stranger_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with cluster_of(tmp_path, 2) as cluster:
            cluster.settings = replace(cluster.settings, cluster_id="another cluster")
            cluster.nodes[3] = stranger = type(cluster.nodes[1])(cluster, 3)
            await stranger.start()
            cluster.create_topic((1, 2, 3))
            await until(lambda: "this node belongs to another cluster" in caplog.text)
            cluster.nodes[1].partition.append(batch_of(b"secret"), acks=1)
            await until(lambda: cluster.nodes[2].partition.log_end_offset == 1)
            assert stranger.partition.log_end_offset == 0

    asyncio.run(story())
