"""Groups over 100 partitions, and the coordinator that moves with 100,000 committed offsets.

A group is stable when every partition has exactly one owner and every member has its part. Members
are consumers of librdkafka with its own intervals, session.timeout.ms=6000: one that is told of a
rebalance by heartbeat hears of it up to 3 s later, and a crash is noticed when its session ends. In
the consumer protocol (KIP-848) the brokers set both: 5 s, and a session that is set to 6 s here.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import confluent_kafka as ck

from ottla.client.admin import Admin
from ottla.core.hashing import coordinator_partition
from ottla.testing import Cluster
from tests.benchmark.measure import Brokers, Measure

PARTITIONS = 100
SIZES = (1, 3, 10, 50)
CONSUMER = "consumer"
STRATEGIES = {
    "range": "eager",
    "cooperative-sticky": "cooperative",
    CONSUMER: "consumer protocol",
}
SECONDS_MAX = 120.0
OFFSETS = 100_000
GROUPS = 1_000
SESSION_MS = 6_000

_STRANGER = """
import sys, confluent_kafka
consumer = confluent_kafka.Consumer(dict(zip(sys.argv[2::2], sys.argv[3::2])))
consumer.subscribe([sys.argv[1]])
while True:
    consumer.poll(0.1)
    print(len(consumer.assignment()), flush=True)
"""


def _settings(bootstrap: str, group_id: str, strategy: str) -> dict[str, str | int]:
    common: dict[str, str | int] = {
        "bootstrap.servers": bootstrap,
        "group.id": group_id,
        "enable.auto.commit": "false",
    }
    if strategy == CONSUMER:
        return {**common, "group.protocol": "consumer"}
    return {
        **common,
        "partition.assignment.strategy": strategy,
        "session.timeout.ms": SESSION_MS,
    }


class _Member(threading.Thread):
    """One consumer in a thread of its own."""

    def __init__(self, settings: dict[str, str | int], topic: str) -> None:
        super().__init__(daemon=True)
        self.owned: frozenset[int] = frozenset()
        self._stopping = threading.Event()
        self._consumer = ck.Consumer(settings)
        self._consumer.subscribe([topic])

    def run(self) -> None:
        while not self._stopping.is_set():
            self._consumer.poll(0.05)
            self.owned = frozenset(p.partition for p in self._consumer.assignment())
        self._consumer.close()

    def leave(self) -> None:
        self._stopping.set()
        self.join()
        self.owned = frozenset()


class Group:
    """Members of one group, each in a thread."""

    def __init__(self, bootstrap: str, topic: str, group_id: str, strategy: str) -> None:
        self._settings = _settings(bootstrap, group_id, strategy)
        self._topic = topic
        self.members: list[_Member] = []

    def join(self, count: int) -> None:
        for _ in range(count):
            member = _Member(self._settings, self._topic)
            self.members.append(member)
            member.start()

    def stable_after(self, began: float) -> float:
        """Seconds from `began` until the assignment is whole."""
        while True:
            owned = [member.owned for member in self.members]
            if all(owned) and sum(map(len, owned)) == PARTITIONS == len(frozenset().union(*owned)):
                return time.monotonic() - began
            if time.monotonic() - began > SECONDS_MAX:
                raise RuntimeError(f"not stable: {[len(one) for one in owned]}")
            time.sleep(0.005)

    @contextlib.contextmanager
    def stranger(self) -> Iterator[subprocess.Popen[str]]:
        """Another member, a process of its own that can be killed; it has partitions."""
        pairs = [str(part) for pair in self._settings.items() for part in pair]
        command = [sys.executable, "-c", _STRANGER, self._topic, *pairs]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                while process.stdout.readline().strip() == "0":
                    pass
                while sum(len(member.owned) for member in self.members) >= PARTITIONS:
                    time.sleep(0.005)
                yield process
            finally:
                process.kill()

    def close(self) -> None:
        for member in self.members:
            member.leave()


def groups(measures: list[Measure], tries: int) -> None:
    """Time to a stable assignment, by size and strategy."""
    settings = {
        "group.consumer.session.timeout.ms": SESSION_MS,
        "group.consumer.min.session.timeout.ms": SESSION_MS,
    }
    with Cluster(brokers=3, settings=settings) as cluster:
        brokers = Brokers(cluster)
        with Admin(cluster.bootstrap) as admin:
            admin.create_topic("wide", partitions=PARTITIONS)
        for strategy, kind in STRATEGIES.items():
            for size in SIZES:
                _measure_size(cluster, brokers, measures, tries, strategy, kind, size)


def _measure_size(
    cluster: Cluster,
    brokers: Brokers,
    measures: list[Measure],
    tries: int,
    strategy: str,
    kind: str,
    size: int,
) -> None:
    name = f"group of {size} over {PARTITIONS} partitions, {kind}"
    start, join, leave, crash = (
        Measure(f"{name}: {what} → stable", "s", True)
        for what in ("start", "one joins", "one leaves", "one is killed (6 s session)")
    )
    for number in range(tries):
        group = Group(cluster.bootstrap, "wide", f"{kind}-{size}-{number}", strategy)
        try:
            cpu, began = brokers.cpu_seconds(), time.monotonic()
            group.join(size)
            start.values.append(group.stable_after(began))
            start.cpu_seconds.append(brokers.cpu_seconds() - cpu)
            began = time.monotonic()
            group.join(1)
            join.values.append(group.stable_after(began))
            began = time.monotonic()
            group.members.pop().leave()
            leave.values.append(group.stable_after(began))
            with group.stranger() as process:
                process.kill()
                crash.values.append(group.stable_after(time.monotonic()))
        finally:
            group.close()
    measures += [start, join, leave, crash]


def coordinator_move(measures: list[Measure], tries: int) -> None:
    """From the death of a coordinator with 100,000 offsets to their being answered."""
    what = f"coordinator of {OFFSETS:,} offsets (of {GROUPS:,} groups, one partition)"
    killed = Measure(f"kill -9 of the {what} → served", "s", True, "2 s")
    stopped = Measure("the same, from its orderly end", "s", True, "2 s")
    with Cluster(brokers=3) as cluster:
        names = _commit_offsets(cluster)
        for _ in range(tries):
            killed.values.append(_move(cluster, names, is_kill=True))
            stopped.values.append(_move(cluster, names, is_kill=False))
    measures += [killed, stopped]


def _commit_offsets(cluster: Cluster) -> list[str]:
    """Groups whose offsets lie in one partition of __consumer_offsets."""
    wanted = coordinator_partition("g0", 50)
    numbers = (n for n in itertools.count() if coordinator_partition(f"g{n}", 50) == wanted)
    names = [f"g{n}" for n in itertools.islice(numbers, GROUPS)]
    each = OFFSETS // GROUPS
    with Admin(cluster.bootstrap, timeout_seconds=120) as admin:
        admin.create_topic("wide", each)
        for name in names:
            admin.set_offsets(name, {("wide", index): 7 for index in range(each)})
    return names


def _move(cluster: Cluster, names: list[str], *, is_kill: bool) -> float:
    where = coordinator_partition(names[0], 50)
    with Admin(cluster.bootstrap, timeout_seconds=60) as admin:
        coordinator = cluster.leader("__consumer_offsets", where)
        began = time.monotonic()
        if is_kill:
            cluster.kill(coordinator)
        else:
            cluster.stop(coordinator)
            began = time.monotonic()
        first = len(admin.committed_offsets(names[0]))
        took = time.monotonic() - began
        count = first + sum(len(admin.committed_offsets(n)) for n in names[1:])
    if count != OFFSETS:
        raise RuntimeError(f"{count} of {OFFSETS} offsets were served")
    cluster.start(coordinator)
    cluster.wait_in_sync("__consumer_offsets")
    return took
