"""A broker that was away catches up with what is no longer in memory, while acks=all goes on.

Before, meanwhile and afterwards the times of acknowledgements are printed, of a topic of which much
was missed and of one that has little in it; a test asserts only that writing goes on and that
catching up ends.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka
import pytest

from ottla.testing import Cluster
from tests.support.ledger import SteadyProducer, account, read_all
from tests.support.topics import create_topic

MISSED_BYTES = int(os.environ.get("OTTLA_MISSED_MB", "300")) * 1_000_000
RECORD_BYTES = 10_000
CALM_SECONDS = 3.0
SECONDS_MAX = 240.0


class TimedProducer(SteadyProducer):
    """Notes how long each acknowledgement took."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__(bootstrap, topic, per_second=200)
        self.took: list[tuple[float, float]] = []
        """(when, seconds)."""

    def _delivered(
        self, error: confluent_kafka.KafkaError | None, message: confluent_kafka.Message
    ) -> None:
        super()._delivered(error, message)
        latency = message.latency()
        if error is None and latency is not None:
            self.took.append((time.monotonic(), latency))

    def within(self, since: float, until: float) -> list[tuple[float, float]]:
        return [(at, took) for at, took in self.took if since <= at < until]

    def row(self, since: float, until: float) -> str:
        """What it saw in [since, until)."""
        seen = self.within(since, until)
        if not seen:
            return f"{self._topic}: nothing was acknowledged in {until - since:.1f} s"
        gaps = [b - a for (a, _), (b, _) in itertools.pairwise(seen)]
        ms = sorted(1_000 * took for _, took in seen)
        return (
            f"{self._topic}: {len(ms)} acknowledged in {until - since:.1f} s, p50 "
            f"{statistics.median(ms):.1f} ms, p99 {ms[len(ms) * 99 // 100]:.1f} ms, worst "
            f"{ms[-1]:.0f} ms, longest gap {1_000 * max(gaps, default=0.0):.0f} ms"
        )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(brokers=3, directory=tmp_path / "cluster") as cluster:
        yield cluster


def write(cluster: Cluster, topic: str, total_bytes: int) -> None:
    """Records that nobody looks at, with acks=all."""
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "acks": "all", "linger.ms": 5}
    )
    failed: list[str] = []

    def delivered(error: confluent_kafka.KafkaError | None, _: object) -> None:
        if error is not None:
            failed.append(str(error))

    value = os.urandom(RECORD_BYTES)
    for _ in range(total_bytes // RECORD_BYTES):
        while True:
            try:
                producer.produce(topic, value, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.05)
    assert producer.flush(120) == 0
    assert not failed


def forget_cached(folder: Path) -> None:
    """Take all segments below a folder out of the page cache."""
    for path in folder.rglob("*.log"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def test_acks_all_goes_on_while_a_broker_catches_up(cluster: Cluster) -> None:
    for topic in ("missed", "live"):
        create_topic(cluster.bootstrap, topic)
        cluster.wait_in_sync(topic)
    victim = next(node for node in cluster.node_ids if node != cluster.controller())
    cluster.kill(victim)
    write(cluster, "missed", MISSED_BYTES)
    forget_cached(cluster.directory)
    producers = [TimedProducer(cluster.bootstrap, topic) for topic in ("missed", "live")]
    for producer in producers:
        producer.start()
        assert producer.wait_acknowledged_after(time.monotonic(), 60) is not None
    began_at = time.monotonic()
    time.sleep(CALM_SECONDS)
    started_at = time.monotonic()
    cluster.start(victim)
    for topic in ("missed", "live"):
        cluster.wait_in_sync(topic, SECONDS_MAX)
    in_sync_at = time.monotonic()
    time.sleep(CALM_SECONDS)
    ended_at = time.monotonic()
    ledgers = [producer.finish() for producer in producers]
    for name, since, until in (
        ("before", began_at, started_at),
        ("catching up", started_at, in_sync_at),
        ("after", in_sync_at, ended_at),
    ):
        for producer in producers:
            print(f"{name:12} {producer.row(since, until)}")  # noqa: T201
    for producer in producers:
        assert producer.within(started_at, in_sync_at)
    assert "catching up with broker" in cluster.log(victim)
    assert not any(ledger.failed for ledger in ledgers)
    account(ledgers[1], asyncio.run(read_all(cluster.bootstrap, "live")))
