"""A real log directory that fails while the others of its broker serve on, and a damaged log.

One of two directories of a broker is an ext4 of its own, which is shut down under load: from then
on it gives nothing but input/output errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import confluent_kafka
import pytest

from ottla.client.admin import Admin
from ottla.client.model import PartitionDescription
from ottla.record.batch import HEADER_SIZE, iter_headers
from ottla.testing import Cluster
from storage.names import INDEX_SUFFIX, LOG_SUFFIX
from tests.support.ledger import SteadyProducer, account, read_all
from tests.support.mounts import Ext4
from tests.support.topics import create_topic

TOPIC = "spread"
SEGMENT_BYTES = 20_000
BATCH_BYTES = 10_000  # what waits while a leader moves must still fit a segment
PARTITIONS = 8
VICTIM = 1


def partitions(cluster: Cluster, topic: str = TOPIC) -> tuple[PartitionDescription, ...]:
    with Admin(cluster.bootstrap, timeout_seconds=15.0) as admin:
        return tuple(admin.describe_topic(topic).partitions)


def wait(seconds_max: float, what: str, is_so: Callable[[], bool]) -> float:
    """Seconds until it was."""
    began_at = time.monotonic()
    while not is_so():
        if time.monotonic() - began_at > seconds_max:
            raise AssertionError(f"{what}: not within {seconds_max} s")
        time.sleep(0.05)
    return time.monotonic() - began_at


def held_in(folder: Path, topic: str = TOPIC) -> set[int]:
    """The partitions whose logs are in a directory."""
    found = (path.name.rpartition("-") for path in folder.glob(f"{topic}-*"))
    return {int(number) for name, _, number in found if name == topic and number.isdecimal()}


@pytest.mark.root
@pytest.mark.parametrize("failing", ["a", "b"])
def test_a_directory_fails_alone(tmp_path: Path, failing: str) -> None:
    """`a` is the first of the two, which holds the checkpoints."""
    disks = {node: tmp_path / f"disk-{node}" for node in (1, 2, 3)}
    for folder in disks.values():
        (folder / "a").mkdir(parents=True)
        (folder / "b").mkdir()
    broken = Ext4(disks[VICTIM] / failing, 64)
    settings: dict[str, str | int | bool] = {
        "log.dirs": ",".join(str(tmp_path / "disk-{node.id}" / name / "log") for name in "ab"),
        "ottla.log.min.free.bytes": 1 << 20,
    }
    with contextlib.ExitStack() as stack:
        mounted = stack.enter_context(contextlib.ExitStack())
        mounted.enter_context(broken.mounted())
        cluster = stack.enter_context(
            Cluster(brokers=3, settings=settings, directory=tmp_path / "cluster")
        )
        create_topic(cluster.bootstrap, TOPIC, partitions=PARTITIONS)
        cluster.wait_in_sync(TOPIC)
        lost = held_in(broken.path / "log")
        assert lost
        assert len(lost) < PARTITIONS

        def has_moved() -> bool:
            return all(
                (VICTIM in p.isr) == (p.index not in lost) and p.leader_id is not None
                for p in partitions(cluster)
            )

        with SteadyProducer(cluster.bootstrap, TOPIC) as producer:
            assert producer.wait_acknowledged_after(time.monotonic(), 30) is not None
            broken.shut_down()
            failed_at = time.monotonic()
            moved = wait(60, "what was in the failed directory moves", has_moved)
            took = producer.wait_every_key_after(failed_at, 60)
            time.sleep(6)  # housekeeping and checkpoints go on over the failed directory
            assert has_moved()
            assert set(cluster.running) == {1, 2, 3}
            producer.wait_every_key_after(time.monotonic(), 60)

            # The disk is replaced: a fresh directory in its place.
            cluster.stop(VICTIM)
            mounted.close()
            cluster.start(VICTIM)
            cluster.wait_in_sync(TOPIC)
            producer.wait_every_key_after(time.monotonic(), 60)
            ledger = producer.finish()
        print(  # noqa: T201
            f"directory {failing} of broker {VICTIM} failed: {sorted(lost)} moved after "
            f"{moved:.2f} s, all partitions written again after {took:.2f} s, longest gap "
            f"{ledger.longest_gap(failed_at):.2f} s, {len(ledger.acknowledged)} acknowledged"
        )
        assert not ledger.failed
        assert len(ledger.acknowledged) == producer.sent
        account(ledger, asyncio.run(read_all(cluster.bootstrap, TOPIC)))
        text = cluster.log(VICTIM)
        assert f"log directory {broken.path / 'log'} is offline" in text
        assert "Traceback" not in text


@pytest.mark.root
def test_a_directory_that_is_gone_at_start_leaves_the_others(tmp_path: Path) -> None:
    for node in (1, 2, 3):
        (tmp_path / f"disk-{node}" / "b").mkdir(parents=True)
    broken = Ext4(tmp_path / f"disk-{VICTIM}" / "a", 64)
    settings: dict[str, str | int | bool] = {
        "log.dirs": ",".join(str(tmp_path / "disk-{node.id}" / name / "log") for name in "ab"),
        "ottla.log.min.free.bytes": 1 << 20,
    }
    with (
        broken.mounted(),
        Cluster(brokers=3, settings=settings, directory=tmp_path / "cluster") as cluster,
    ):
        create_topic(cluster.bootstrap, TOPIC, partitions=PARTITIONS)
        cluster.wait_in_sync(TOPIC)
        lost = held_in(broken.path / "log")
        assert lost
        cluster.stop(VICTIM)
        broken.shut_down()
        cluster.start(VICTIM)

        def serves_the_rest() -> bool:
            return all(
                (VICTIM in p.isr) == (p.index not in lost) and p.leader_id is not None
                for p in partitions(cluster)
            )

        wait(60, "what is in the other directory is in sync again", serves_the_rest)
        # Nothing that may be in the failed directory was made anew in the other.
        assert held_in(tmp_path / f"disk-{VICTIM}" / "b" / "log") == {*range(PARTITIONS)} - lost
        assert f"log directory {broken.path / 'log'} is offline" in cluster.log(VICTIM)


def damage(folder: Path) -> tuple[Path, bytes, int]:
    """Break the header of a batch in the middle of the first, sealed segment: its file, what that
    holds then, and the first offset of the batch."""
    path = sorted(folder.glob(f"*{LOG_SUFFIX}"))[0]
    data = bytearray(path.read_bytes())
    found = list(iter_headers(data))
    middle, header = found[len(found) // 2]
    data[middle : middle + HEADER_SIZE] = bytes(HEADER_SIZE)
    with open(path, "r+b") as file:
        file.write(data)
    return path, bytes(data), header.base_offset


@pytest.mark.parametrize("found_by", ["its start", "a reader"])
def test_a_damaged_replica_is_made_again_from_its_leader(tmp_path: Path, found_by: str) -> None:
    topic = "rotten"
    settings: dict[str, str | int | bool] = {"log.segment.bytes": SEGMENT_BYTES}
    with Cluster(brokers=3, settings=settings, directory=tmp_path / "cluster") as cluster:
        create_topic(cluster.bootstrap, topic, partitions=1)
        cluster.wait_in_sync(topic)
        with SteadyProducer(cluster.bootstrap, topic, batch_bytes=BATCH_BYTES) as producer:
            assert producer.wait_acknowledged_after(time.monotonic() + 2, 30) is not None
            victim = cluster.leader(topic, 0)
            folder = cluster.directory / f"node-{victim}" / "log" / f"{topic}-0"
            if found_by == "a reader":
                first, damaged, offset = damage(folder)
                assert read_one(cluster, topic, offset) == offset
            else:
                cluster.stop(victim)
                first, damaged, _ = damage(folder)
                first.with_suffix(INDEX_SUFFIX).unlink()  # so that the start reads the segment
                cluster.start(victim)
            wait(60, "the folder is put aside", lambda: bool(aside(folder)))
            cluster.wait_in_sync(topic)
            producer.wait_every_key_after(time.monotonic(), 60)
            ledger = producer.finish()
        assert not ledger.failed
        account(ledger, asyncio.run(read_all(cluster.bootstrap, topic)))
        (kept,) = aside(folder)
        assert (kept / first.name).read_bytes() == damaged
        text = cluster.log(victim)
        assert f"the log of {topic}-0 is damaged: it was renamed to {kept}" in text
        cluster.stop_all()
        contents = {
            b"".join(part.read_bytes() for part in sorted(found.glob(f"*{LOG_SUFFIX}")))
            for found in cluster.directory.glob(f"node-*/log/{topic}-0")
        }
        assert len(contents) == 1


def read_one(cluster: Cluster, topic: str, offset: int) -> int | None:
    """The offset of the first record of partition 0 from `offset` on."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "none", "enable.auto.commit": False}
    )
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, offset)])
    deadline = time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                return message.offset()
        return None
    finally:
        consumer.close()


def aside(folder: Path) -> list[Path]:
    return list(folder.parent.glob(f"{folder.name}.*-damaged"))


def test_the_only_copy_is_left_as_it_is(tmp_path: Path) -> None:
    topic = "single"
    settings: dict[str, str | int | bool] = {"log.segment.bytes": SEGMENT_BYTES}
    with Cluster(brokers=1, settings=settings, directory=tmp_path / "cluster") as cluster:
        create_topic(cluster.bootstrap, topic, partitions=2, replication_factor=1)
        with SteadyProducer(cluster.bootstrap, topic, batch_bytes=BATCH_BYTES) as producer:
            assert producer.wait_acknowledged_after(time.monotonic() + 2, 30) is not None
            assert not producer.finish().failed
        cluster.stop(1)
        log = cluster.directory / "node-1" / "log"
        first, damaged, _ = damage(log / f"{topic}-0")
        first.with_suffix(INDEX_SUFFIX).unlink()
        sizes = {path: path.stat().st_size for path in first.parent.iterdir()}
        cluster.start(1)
        wait(60, "it has no leader", lambda: partitions(cluster, topic)[0].leader_id is None)
        wait(60, "that is said", lambda: "no live replica has all of it" in cluster.log(1))
        assert partitions(cluster, topic)[1].leader_id == 1
        assert first.read_bytes() == damaged
        assert {path: path.stat().st_size for path in first.parent.iterdir()} == sizes
        assert not aside(first.parent)
