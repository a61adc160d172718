"""The power goes, on real disks, under load (SAFETY.md, rules 2 and 9; storage/README.md).

Every node has a file system of its own whose power can be cut: what was not synced is gone, and the
kernel has written the rest in the order it likes. Then the processes are killed, the disks mounted
again, and the nodes started.

- Durable (`flush.messages=1`): the power goes on all replicas at once, and nothing acknowledged is
  missing.
- By default a sync is the replication's business: one machine of three may lose its power without
  any loss; with all three gone a log is a prefix of what was written.

What was lost and kept is printed (``pytest -s``).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ottla.client.admin import Admin
from ottla.client.model import NewTopic
from ottla.testing import Cluster
from storage.directory import StopState
from storage.marks import read_stop_state
from storage.vfs import OsVfs
from tests.support.ledger import SteadyProducer, account, read_all
from tests.support.mounts import MOUNT_OPTIONS, Ext4

pytestmark = pytest.mark.root

TOPIC = "kept"
PARTITIONS = 3
DISK_MEGABYTES = 256
SEED = 20_260_000
DURABLE = {"flush.messages": "1"}
SMALL_SEGMENTS = {"segment.bytes": "20000", "index.interval.bytes": "512"}

Found = dict[int, list[tuple[int, str, int]]]
Places = dict[tuple[int, int], tuple[str, int]]
"""(partition, offset) → (key, number)."""
MakeMachines = Callable[[int], "Machines"]


class Machines:
    """A cluster whose nodes each have a disk of their own below their folder."""

    def __init__(self, folder: Path, brokers: int) -> None:
        self.rng = random.Random(SEED + brokers)
        directory = folder / "cluster"
        self.cluster = Cluster(brokers, directory=directory, start_seconds_max=120)
        # Logs, metadata, marks, checkpoints: all of a node.
        self.disks = {
            node_id: Ext4(directory / f"node-{node_id}", DISK_MEGABYTES)
            for node_id in range(1, brokers + 1)
        }

    def produce(self, prefix: str = "k", per_second: int = 2_000) -> SteadyProducer:
        """Load of batches that fit into the small segments also after an outage."""
        return SteadyProducer(
            self.cluster.bootstrap,
            TOPIC,
            prefix=prefix,
            per_second=per_second,
            batch_bytes=10_000,
        )

    def make_topic(self, configs: dict[str, str]) -> None:
        factor = min(3, len(self.disks))
        with Admin(self.cluster.bootstrap) as admin:
            admin.create_topics([NewTopic(TOPIC, PARTITIONS, factor, configs)])
        self.cluster.wait_in_sync(TOPIC)

    def cut(self, *node_ids: int) -> None:
        """The power of these machines goes, and comes back."""
        for node_id in node_ids:
            self.disks[node_id].shut_down()
        time.sleep(self.rng.choice([0.0, 0.05, 0.3]))  # a disk may be gone before its processes
        for node_id in node_ids:
            if node_id in self.cluster.running:
                self.cluster.kill(node_id)
        for node_id in node_ids:
            disk = self.disks[node_id]
            disk.mount_again(self.rng.choice(MOUNT_OPTIONS))
            assert self.stop_state(node_id) is StopState.UNCLEAN

    def stop_state(self, node_id: int) -> StopState:
        return read_stop_state(OsVfs(), str(self.disks[node_id].path / "log"))[0]

    def let_it_run(self, producer: SteadyProducer) -> None:
        """Until something is acknowledged, and a random while longer."""
        waited = producer.wait_acknowledged_after(time.monotonic(), 60)
        assert waited is not None, producer.ledger.failed[-3:]
        time.sleep(self.rng.uniform(0.0, 2.0))

    def log_bytes(self, node_id: int) -> list[bytes]:
        """What the files of a node hold, partition by partition, segment after segment."""
        log = self.disks[node_id].path / "log"
        folders = [log / f"{TOPIC}-{partition}" for partition in range(PARTITIONS)]
        return [
            b"".join(path.read_bytes() for path in sorted(folder.glob("*.log")))
            for folder in folders
        ]

    def check_replicas(self) -> None:
        """All replicas hold the same bytes."""
        self.cluster.wait_in_sync(TOPIC)
        assert self.cluster.stop_all()
        first, *others = [self.log_bytes(node_id) for node_id in self.disks]
        assert all(other == first for other in others)

    def read(self) -> Found:
        return asyncio.run(read_all(self.cluster.bootstrap, TOPIC))

    @contextlib.contextmanager
    def running(self) -> Iterator[Machines]:
        with contextlib.ExitStack() as stack:
            for disk in self.disks.values():
                stack.enter_context(disk.mounted())
            stack.enter_context(self.cluster)
            yield self


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[MakeMachines]:
    with contextlib.ExitStack() as stack:
        yield lambda brokers: stack.enter_context(Machines(tmp_path, brokers).running())


def test_a_disk_without_power_loses_what_was_not_synced(tmp_path: Path) -> None:
    with Ext4(tmp_path / "disk", DISK_MEGABYTES).mounted() as disk:
        (disk.path / "not-synced").write_bytes(b"lost")
        disk.shut_down()
        disk.mount_again()
        assert not (disk.path / "not-synced").exists()


@pytest.mark.parametrize("brokers", [1, 3])
def test_durable_nothing_acknowledged_is_missing(machines: MakeMachines, brokers: int) -> None:
    them = machines(brokers)
    them.make_topic({**DURABLE, **SMALL_SEGMENTS})
    with them.produce() as producer:
        for number in range(4):
            them.let_it_run(producer)
            them.cut(*them.disks)
            acknowledged = len(producer.ledger.acknowledged)
            them.cluster.start_all()
            print(f"durable, {brokers} brokers, cut {number}: {acknowledged} acknowledged")
        them.let_it_run(producer)
        ledger = producer.finish()
    assert not ledger.failed
    found = them.read()
    account(ledger, found)
    them.check_replicas()
    print(f"  kept: all {len(ledger.acknowledged)}")


def test_one_of_three_loses_its_power_and_nothing_is_lost(machines: MakeMachines) -> None:
    them = machines(3)
    them.make_topic(SMALL_SEGMENTS)
    with them.produce() as producer:
        for number in range(4):
            them.let_it_run(producer)
            victim = them.cluster.leader(TOPIC, them.rng.randrange(PARTITIONS))
            them.cut(victim)
            them.cluster.start(victim)
            them.cluster.wait_in_sync(TOPIC)
            print(f"one of three, cut {number}: node {victim} is back in sync")
        ledger = producer.finish()
    assert not ledger.failed
    account(ledger, them.read())
    them.check_replicas()
    print(f"  kept: all {len(ledger.acknowledged)}")


def test_all_lose_their_power_and_what_is_left_is_a_prefix(machines: MakeMachines) -> None:
    them = machines(3)
    them.make_topic(SMALL_SEGMENTS)
    places: Places = {}
    for number in range(4):
        # A producer of its own for each round: one that goes on after a loss has a gap.
        with them.produce(f"round{number}-") as producer:
            them.let_it_run(producer)
            them.cut(*them.disks)
            ledger = producer.abandon()
        them.cluster.start_all()
        them.cluster.wait_in_sync(TOPIC)
        found = them.read()
        kept = check_prefix({**places, **ledger.places}, found)
        lost = len(ledger.acknowledged) - len(kept & ledger.acknowledged.keys())
        print(f"all three, cut {number}: {len(ledger.acknowledged)} acknowledged, {lost} lost")
        places = places_in(found)
    them.check_replicas()


def test_a_log_that_lost_its_power_is_a_prefix_byte_by_byte(machines: MakeMachines) -> None:
    them = machines(1)
    them.make_topic(SMALL_SEGMENTS)
    for number in range(6):
        with them.produce(f"round{number}-", per_second=4_000) as producer:
            them.let_it_run(producer)
            them.cluster.pause(1)  # in the middle of whatever it does
            time.sleep(0.2)
            written = them.log_bytes(1)
            them.cut(1)
            producer.abandon()
        them.cluster.start(1)
        left = them.log_bytes(1)
        for ours, all_of_it in zip(left, written, strict=True):
            assert all_of_it.startswith(ours)
        sizes = ", ".join(
            f"{len(ours)} of {len(all_of_it)}"
            for ours, all_of_it in zip(left, written, strict=True)
        )
        print(f"one alone, cut {number}: bytes left {sizes}")
        check_prefix({}, them.read())


def places_in(found: Found) -> Places:
    return {
        (partition, offset): (key, number)
        for partition, records in found.items()
        for offset, key, number in records
    }


def check_prefix(written: Places, found: Found) -> set[tuple[str, int]]:
    """What was found is a prefix of what was written, of whose places some are known."""
    for records in found.values():
        assert [offset for offset, _, _ in records] == list(range(len(records)))
        per_key: dict[str, list[int]] = defaultdict(list)
        for _, key, number in records:
            per_key[key].append(number)
        for key, numbers in per_key.items():
            assert numbers == list(range(len(numbers))), f"key {key} has a gap, or another order"
    present = places_in(found)
    moved = {
        place: (written[place], present[place])
        for place in written.keys() & present.keys()
        if written[place] != present[place]
    }
    assert not moved, f"other records than were acknowledged: {list(moved.items())[:5]}"
    return set(present.values())
