"""A real full disk: no acknowledged record is lost, and what is full comes back by itself.

Each broker has a small disk of its own (tmpfs). Another program takes all of it; room is made by
making the disk larger. Nothing is restarted.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import confluent_kafka
import kafka
import kafka.errors
import pytest

from ottla.client.admin import Admin
from ottla.client.model import PartitionDescription
from ottla.core.clock import SystemClock
from ottla.testing import Cluster
from storage.lmdb_store import LmdbStore
from storage.manager import LogManager
from storage.vfs import OsVfs
from tests.support.disk import SMALL, TOPIC_ID, fill, read_all
from tests.support.ledger import SteadyProducer, account
from tests.support.ledger import read_all as read_topic
from tests.support.mounts import Tmpfs
from tests.support.topics import create_topic

pytestmark = pytest.mark.root

DISK_MB = 96
FLOOR_BYTES = 16 << 20


class Disks:
    """Three brokers, a small disk each."""

    def __init__(self, cluster: Cluster, disks: dict[int, Tmpfs]) -> None:
        self.cluster = cluster
        self.disks = disks

    def partitions(self, topic: str) -> tuple[PartitionDescription, ...]:
        with Admin(self.cluster.bootstrap, timeout_seconds=15.0) as admin:
            return tuple(admin.describe_topic(topic).partitions)

    def wait(self, seconds_max: float, what: str, is_so: Callable[[], bool]) -> float:
        """Seconds until it was."""
        began_at = time.monotonic()
        while not is_so():
            if time.monotonic() - began_at > seconds_max:
                raise AssertionError(f"{what}: not within {seconds_max} s")
            time.sleep(0.05)
        return time.monotonic() - began_at


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Disks]:
    with contextlib.ExitStack() as stack:
        disks = {
            node: stack.enter_context(Tmpfs(tmp_path / f"disk-{node}", DISK_MB).mounted())
            for node in (1, 2, 3)
        }
        settings: dict[str, str | int | bool] = {
            "log.dirs": str(tmp_path / "disk-{node.id}" / "log"),
            "ottla.log.min.free.bytes": FLOOR_BYTES,
        }
        cluster = Cluster(brokers=3, settings=settings, directory=tmp_path / "cluster")
        yield Disks(stack.enter_context(cluster), disks)


def test_one_full_broker_gives_way_and_comes_back_by_itself(three: Disks) -> None:
    cluster, topic = three.cluster, "filled"
    create_topic(cluster.bootstrap, topic, partitions=6)
    cluster.wait_in_sync(topic)
    victim = cluster.leader(topic, 0)

    def has_given_way() -> bool:
        return all(p.leader_id != victim and victim not in p.isr for p in three.partitions(topic))

    with SteadyProducer(cluster.bootstrap, topic) as producer:
        assert producer.wait_acknowledged_after(time.monotonic(), 30) is not None
        three.disks[victim].fill()
        filled_at = time.monotonic()
        took = producer.wait_every_key_after(filled_at, 60)
        left = three.wait(60, "leaderships and ISRs leave the full broker", has_given_way)
        time.sleep(5)  # the ISR does not flap while the disk is full
        assert has_given_way()
        assert set(cluster.running) == {1, 2, 3}
        three.disks[victim].grow(DISK_MB)
        cluster.wait_in_sync(topic)
        healed_at = time.monotonic()
        producer.wait_every_key_after(healed_at, 60)
        ledger = producer.finish()
    print(  # noqa: T201
        f"broker {victim} full: all partitions written again after {took:.2f} s, it led nothing "
        f"{left:.2f} s later, longest gap {ledger.longest_gap(filled_at):.2f} s, "
        f"{len(ledger.acknowledged)} acknowledged"
    )
    assert not ledger.failed
    assert len(ledger.acknowledged) == producer.sent
    account(ledger, asyncio.run(read_topic(cluster.bootstrap, topic)))
    assert "takes no appends" in cluster.log(victim)
    assert "takes appends again" in cluster.log(victim)
    three.wait(60, "preferred leaders are restored", lambda: _prefers(three, topic))


def _prefers(three: Disks, topic: str) -> bool:
    return all(p.leader_id == p.replicas[0] for p in three.partitions(topic))


def produce(cluster: Cluster, topic: str, value: bytes) -> None:
    """One record, tried once."""
    producer = kafka.KafkaProducer(
        bootstrap_servers=cluster.bootstrap.split(","), acks="all", retries=0
    )
    try:
        producer.send(topic, value, partition=0).get(timeout=30)
    finally:
        producer.close(timeout=5)


def read_first(cluster: Cluster, topic: str) -> set[int]:
    """The partitions of which something could be read from the start on."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "none", "enable.auto.commit": False}
    )
    consumer.assign([confluent_kafka.TopicPartition(topic, index, 0) for index in range(3)])
    found: set[int] = set()
    deadline = time.monotonic() + 30
    try:
        while len(found) < 3 and time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                partition = message.partition()
                assert partition is not None
                found.add(partition)
    finally:
        consumer.close()
    return found


def test_where_nobody_has_room_appends_wait_and_reads_go_on(three: Disks) -> None:
    cluster, topic = three.cluster, "all-filled"
    create_topic(cluster.bootstrap, topic)
    cluster.wait_in_sync(topic)
    with SteadyProducer(cluster.bootstrap, topic) as producer:
        assert producer.wait_acknowledged_after(time.monotonic(), 30) is not None
        for disk in three.disks.values():
            disk.fill()

        refusals: list[kafka.errors.KafkaError] = []

        def is_refused() -> bool:
            try:
                produce(cluster, topic, b"0")
            except kafka.errors.KafkaError as error:
                refusals.append(error)
            return bool(refusals)

        three.wait(60, "an append is refused", is_refused)
        assert refusals[0].retriable, refusals
        partitions = three.partitions(topic)
        assert all(p.leader_id is not None for p in partitions)
        assert read_first(cluster, topic) == {p.index for p in partitions}
        for disk in three.disks.values():
            disk.grow(DISK_MB)
        producer.wait_every_key_after(time.monotonic(), 60)
        cluster.wait_in_sync(topic)
        ledger = producer.finish()
    assert set(cluster.running) == {1, 2, 3}
    assert not ledger.failed
    # Not once: the in-sync replicas become too few and enough again under way.
    account(ledger, asyncio.run(read_topic(cluster.bootstrap, topic)), once=False)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    disk = Tmpfs(tmp_path / "disk", 8)
    with disk.mounted():
        path = str(disk.path / "checkpoints.lmdb")
        store = LmdbStore(path)
        store.write({b"k": b"committed"})
        last: dict[bytes, bytes] = {}

        def write_until_full() -> None:
            for number in range(1_000):
                store.write({b"k": b"later", b"%d" % number: bytes(100_000)})
                last.update(store.read_prefix(b""))

        with pytest.raises(OSError, match="LMDB") as caught:
            write_until_full()
        assert caught.value.errno == errno.ENOSPC
        for number in range(3):  # nor is anything lost by trying again, with not a byte left
            disk.fill()
            with pytest.raises(OSError, match="LMDB") as caught:
                store.write({b"k": b"never", b"x%d" % number: bytes(1_000_000)})
            assert caught.value.errno == errno.ENOSPC
        assert store.read_prefix(b"") == last
        store.close()
        store = LmdbStore(path)
        assert store.read_prefix(b"") == last
        assert store.read(b"k") == b"later"
        assert not list(disk.path.glob("*.damaged*"))
        disk.grow(8)
        store.write({b"k": b"again"})
        store.close()


def test_a_broker_starts_on_a_full_disk(tmp_path: Path) -> None:
    disk = Tmpfs(tmp_path / "disk", 8)
    with disk.mounted():

        def start() -> LogManager:
            return LogManager.open(
                [str(disk.path)],
                cluster_id="c",
                node_id=1,
                clock=SystemClock(),
                vfs=OsVfs(),
                min_free_bytes=1 << 20,
            )

        manager = start()
        manager.mark_running(1)
        fill(manager.open_log("t", 0, TOPIC_ID, SMALL), 20)
        manager.close()
        disk.fill()
        manager = start()
        log = manager.open_log("t", 0, TOPIC_ID, SMALL)
        assert [header.base_offset for header in read_all(log)] == [*range(20)]
        assert not manager.directories[0].offline
        manager.close()
