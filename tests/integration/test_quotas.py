"""Clients over their quota are slowed down, by real clients' own account."""

from __future__ import annotations

import contextlib
import time
import urllib.request
from collections.abc import Iterator

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from ottla.client.admin import Admin
from ottla.client.quotas import QuotaEntity
from ottla.testing import Cluster

SECONDS_MAX = 60
SIZE = 50_000
WINDOWS = {"quota.window.num": 3}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=1, settings=WINDOWS) as cluster:
        with Admin(cluster.bootstrap) as admin:
            admin.create_topic("orders", 1)
        yield cluster


@contextlib.contextmanager
def quota(cluster: Cluster, name: str, value: float, **entity: str) -> Iterator[None]:
    """While the block runs, somebody has the quota."""
    whose = QuotaEntity({key.replace("_", "-"): found for key, found in entity.items()})
    with Admin(cluster.bootstrap) as admin:
        admin.alter_quotas(whose, {name: value})
        try:
            yield
        finally:
            admin.alter_quotas(whose, {name: None})


def produce(cluster: Cluster, client_id: str, count: int) -> tuple[float, list[float]]:
    """Seconds that it took, and the pauses that the client was told of."""
    pauses: list[float] = []
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "client.id": client_id,
            "linger.ms": 0,
            "throttle_cb": lambda event: pauses.append(event.throttle_time),
        }
    )
    begun = time.monotonic()
    for _ in range(count):
        producer.produce("orders", b"x" * SIZE)
        assert producer.flush(SECONDS_MAX) == 0
    return time.monotonic() - begun, [pause for pause in pauses if pause]


def consume(cluster: Cluster, client_id: str, count: int) -> tuple[float, list[float]]:
    pauses: list[float] = []
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "client.id": client_id,
            "group.id": client_id,
            "max.partition.fetch.bytes": SIZE * 2,
            "throttle_cb": lambda event: pauses.append(event.throttle_time),
        }
    )
    consumer.assign([confluent_kafka.TopicPartition("orders", 0, 0)])
    begun = time.monotonic()
    while count:
        message = consumer.poll(SECONDS_MAX)
        assert message is not None
        assert message.error() is None
        count -= 1
    seconds = time.monotonic() - begun
    consumer.close()
    return seconds, [pause for pause in pauses if pause]


def test_a_producer_over_its_quota_is_slowed_down_and_nobody_else(cluster: Cluster) -> None:
    with quota(cluster, "producer_byte_rate", SIZE * 4, client_id="slow"):
        # 8 at once, by the two windows of a second that are over, then 4 a second.
        seconds, pauses = produce(cluster, "slow", 16)
        assert seconds >= 1.5
        assert pauses
        assert produce(cluster, "quick", 16)[0] < seconds / 2
    assert produce(cluster, "slow", 16)[0] < seconds / 2


def test_a_consumer_over_its_quota_is_slowed_down(cluster: Cluster) -> None:
    produce(cluster, "writer", 16)
    with quota(cluster, "consumer_byte_rate", SIZE * 4, user="ANONYMOUS", client_id="slow"):
        seconds, pauses = consume(cluster, "slow", 16)
        assert seconds >= 1.5
        assert pauses
        assert consume(cluster, "quick", 16)[0] < seconds


def test_a_client_that_takes_too_much_of_the_brokers_time(cluster: Cluster) -> None:
    with quota(cluster, "request_percentage", 0.001, client_id="busy"):
        _, pauses = produce(cluster, "busy", 6)
        assert pauses
        assert max(pauses) <= 1.1


def test_a_client_that_makes_too_many_partitions_is_paused(cluster: Cluster) -> None:
    def make(client_id: str, topics: dict[str, int]) -> None:
        """Topics with so many partitions."""
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "client.id": client_id})
        for name, partitions in topics.items():
            admin.create_topics([NewTopic(name, partitions, 1)])[name].result(SECONDS_MAX)

    def pauses() -> float:
        page = urllib.request.urlopen(f"http://{cluster.http_address(1)}/metrics").read().decode()
        line = 'ottla_client_throttles_total{quota="controller_mutation_rate"} '
        return float(page.partition(line)[2].splitlines()[0])

    with quota(cluster, "controller_mutation_rate", 2.0, client_id="maker"):
        begun = time.monotonic()
        # Eleven seconds' worth at once, and three partitions more.
        make("maker", {"m1": 25, "m2": 1})
        assert time.monotonic() - begun >= 1.4
        before = pauses()
        assert before >= 1
        make("other", {"o1": 25, "o2": 1})
        assert pauses() == before
