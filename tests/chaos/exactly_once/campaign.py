"""Kills brokers, coordinators and the application from a seed, and judges the output.

Two instances of the application run, each with a transactional id of its own; whoever dies is
started again. Input is produced all the while by an idempotent producer; what counts is what it was
told is committed.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import confluent_kafka as ck

from ottla.client.admin import Admin
from ottla.client.model import OffsetSpec
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.hashing import coordinator_partition
from ottla.testing import Cluster
from tests.chaos.exactly_once.application import GROUP, INPUT, OUTPUT
from tests.chaos.exactly_once.checker import Verdict, judge

HERE = Path(__file__).parent
INSTANCES = 2
PARTITIONS = 3
RECORDS_PER_SECOND = 150
SETTLE_SECONDS_MAX = 120.0
TRANSACTION_SECONDS = 10.0
"""The applications' transaction.timeout.ms."""
JOIN_SECONDS_MAX = 5.0
COORDINATOR_PARTITIONS = 50


@dataclass(slots=True)
class Outcome:
    verdict: Verdict
    """Of the whole output, read when all is over."""
    live: Verdict
    """Of what was seen while things died; what it lacks counts for nothing."""
    input_count: int
    events: list[str] = field(default_factory=list)
    longest_gap_s: float = 0.0
    """Between two records of the output as they were seen, while there was input."""

    @property
    def is_good(self) -> bool:
        return self.verdict.is_good and replace(self.live, lost=0).is_good

    def __str__(self) -> str:
        kills = ", ".join(
            f"{sum(e.startswith(kind) for e in self.events)} {kind}"
            for kind in ("broker", "coordinator", "application")
        )
        return (
            f"{self.input_count} records in; killed: {kills}; longest gap "
            f"{self.longest_gap_s:.1f} s; {self.verdict}; seen meanwhile: {self.live}"
        )


def application_command(client: str) -> list[str]:
    """How the application is started; Java's needs OTTLA_KAFKA_JARS."""
    if client == "java":
        jars = os.path.join(os.environ["OTTLA_KAFKA_JARS"], "*")
        tuning = ["-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return ["java", *tuning, "-cp", jars, str(HERE / "Application.java")]
    return [sys.executable, str(HERE / "application.py")]


class _Applications:
    """The instances, which are started again when they end."""

    def __init__(self, command: Sequence[str], bootstrap: str, seed: int, log: Path) -> None:
        self._command = command
        self._bootstrap = bootstrap
        self._seed = seed
        self._log = log.open("ab")
        self._running: list[subprocess.Popen[bytes]] = [self._start(i) for i in range(INSTANCES)]

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        self._seed += 1
        arguments = [self._bootstrap, f"transformer-{index}", str(self._seed)]
        return subprocess.Popen(
            [*self._command, *arguments],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=HERE.parents[2],
        )

    def kill(self, index: int) -> None:
        self._running[index].kill()

    def tend(self) -> None:
        for index, process in enumerate(self._running):
            if process.poll() is not None:
                self._running[index] = self._start(index)

    def close(self) -> None:
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait()
        self._running.clear()
        self._log.close()


class _Input(threading.Thread):
    """Produces numbered records until it is told to stop; remembers what was acknowledged."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[tuple[bytes, bytes]] = []
        self.stopping = threading.Event()
        self._producer = ck.Producer(
            {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5}
        )

    def run(self) -> None:
        number = 0
        while not self.stopping.wait(0.1):
            for _ in range(RECORDS_PER_SECOND // 10):
                number += 1
                key = f"k{number % 12}".encode()
                self._producer.produce(
                    INPUT,
                    f"{number:09d}".encode(),
                    key,
                    partition=number % PARTITIONS,
                    on_delivery=self._delivered,
                )
            self._producer.poll(0)
        left = self._producer.flush(SETTLE_SECONDS_MAX)
        assert not left, f"{left} records of the input were not acknowledged"

    def _delivered(self, error: ck.KafkaError | None, message: ck.Message) -> None:
        # One that failed may be in the log: with idempotence only a record that is too old fails.
        assert error is None, f"input record: {error}"
        self.acknowledged.append(_pair(message))


class _Output(threading.Thread):
    """Reads what a read_committed consumer sees while things die, from the beginning.

    Nobody waits for it in the end: librdkafka 2.16.0 may lock itself up when leaders move (its main
    thread in rd_kafka_toppar_handle_OffsetForLeaderEpoch, a broker's in
    rd_kafka_toppar_delegate_to_leader), and such a consumer can be neither read nor closed.
    """

    def __init__(self, bootstrap: str) -> None:
        super().__init__(daemon=True)
        self.seen: list[tuple[bytes, bytes]] = []
        self.stopping = threading.Event()
        self.longest_gap_s = 0.0
        self._consumer = _reader(bootstrap)

    def run(self) -> None:
        last = None
        while not self.stopping.is_set():
            for message in self._consumer.consume(500, 0.2):
                if message.error() is None:
                    now = time.monotonic()
                    if last is not None:
                        self.longest_gap_s = max(self.longest_gap_s, now - last)
                    last = now
                    self.seen.append(_pair(message))


def _reader(bootstrap: str) -> ck.Consumer:
    """Of what is committed of the whole output."""
    consumer = ck.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "judge",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.assign([ck.TopicPartition(OUTPUT, index, 0) for index in range(PARTITIONS)])
    return consumer


def _read_all(bootstrap: str) -> list[tuple[bytes, bytes]]:
    """The output as it stands, to the last stable offset of each partition."""
    consumer = _reader(bootstrap)
    found: list[tuple[bytes, bytes]] = []
    ended: set[int | None] = set()
    end = time.monotonic() + SETTLE_SECONDS_MAX
    while len(ended) < PARTITIONS:
        assert time.monotonic() < end, f"the output could not be read: {len(found)} records"
        for message in consumer.consume(500, 0.2):
            error = message.error()
            if error is None:
                found.append(_pair(message))
            elif error.code() == ck.KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    consumer.close()
    return found


def _is_settled(admin: Admin) -> bool:
    """Whether the group has committed all of the input."""
    partitions = [(INPUT, index) for index in range(PARTITIONS)]
    ends = admin.list_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    committed = admin.committed_offsets(GROUP)
    return all(committed.get(p, 0) >= (one.offset or 0) for p, one in ends.items())


def _pair(message: ck.Message) -> tuple[bytes, bytes]:
    key, value = message.key(), message.value()
    assert isinstance(key, bytes)
    assert isinstance(value, bytes)
    return key, value


def run(client: str, seconds: float, seed: int, folder: Path) -> Outcome:
    """One campaign; the node's and the application's logs stay in `folder` when it fails."""
    source = random.Random(seed)
    events: list[str] = []
    settings = {"transaction.state.log.num.partitions": COORDINATOR_PARTITIONS}
    with Cluster(brokers=3, settings=settings, directory=folder / "cluster") as cluster:
        _create_topics(cluster.bootstrap)
        feed, judged = _Input(cluster.bootstrap), _Output(cluster.bootstrap)
        applications = _Applications(
            application_command(client), cluster.bootstrap, seed * 1_000, folder / "application.log"
        )
        try:
            feed.start()
            judged.start()
            _break(cluster, applications, source, seconds, events)
            cluster.start_all()
            feed.stopping.set()
            feed.join()
            end = time.monotonic() + SETTLE_SECONDS_MAX
            with Admin(cluster.bootstrap) as admin:
                while not _is_settled(admin) and time.monotonic() < end:
                    applications.tend()
                    time.sleep(0.2)
            applications.close()
            # What a killed instance left open ends after its time-out, and may come now.
            time.sleep(TRANSACTION_SECONDS + 1)
            output = _read_all(cluster.bootstrap)
        finally:
            applications.close()
            judged.stopping.set()
            judged.join(JOIN_SECONDS_MAX)
    return Outcome(
        judge(feed.acknowledged, output),
        judge(feed.acknowledged, list(judged.seen)),
        len(feed.acknowledged),
        events,
        judged.longest_gap_s,
    )


def _create_topics(bootstrap: str) -> None:
    with Admin(bootstrap) as admin:
        for name in (INPUT, OUTPUT):
            admin.create_topic(name, partitions=PARTITIONS, replication_factor=3)


def _break(
    cluster: Cluster,
    applications: _Applications,
    source: random.Random,
    seconds: float,
    events: list[str],
) -> None:
    """Kill something every few seconds; at most one broker is down at a time."""
    end = time.monotonic() + seconds
    down: int | None = None
    _tend_for(applications, 3.0)
    while time.monotonic() < end:
        kind = source.choice(["broker", "coordinator", "coordinator", "application"])
        if kind == "application":
            index = source.randrange(INSTANCES)
            applications.kill(index)
            events.append(f"application {index}")
        elif down is None:
            down = source.choice(cluster.running)
            if kind == "coordinator":
                down = _coordinator(cluster, source) or down
            cluster.kill(down)
            events.append(f"{kind} {down}")
        _tend_for(applications, source.uniform(0.3, 2.5))
        if down is not None:
            cluster.start(down)
            down = None
            _tend_for(applications, source.uniform(0.5, 2.0))


def _coordinator(cluster: Cluster, source: random.Random) -> int | None:
    """Who coordinates the group, or one of the transactional ids; None while nobody does."""
    name = source.choice([GROUP, *(f"transformer-{index}" for index in range(INSTANCES))])
    topic = "__consumer_offsets" if name == GROUP else "__transaction_state"
    try:
        leader = cluster.leader(topic, coordinator_partition(name, COORDINATOR_PARTITIONS))
    except ProtocolError as error:
        if error.code is not ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
            raise
        return None  # on a slow machine the applications have not begun yet
    return leader if leader in cluster.running else None


def _tend_for(applications: _Applications, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        applications.tend()
        time.sleep(0.05)
