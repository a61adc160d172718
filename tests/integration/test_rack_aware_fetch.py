"""A consumer that tells its rack reads from the replica in it (KIP-392), and goes on without it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest

from broker.replication.replica_selector import RACK_AWARE
from ottla.client.admin import Admin
from ottla.local.plan import ClusterPlan, NodePlan
from ottla.testing import Cluster

SECONDS_MAX = 60


@pytest.fixture
def _racks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Node n is in rack n."""
    node_settings = ClusterPlan.node_settings

    def with_rack(plan: ClusterPlan, node: NodePlan, folder: Path) -> Mapping[str, Any]:
        return {**node_settings(plan, node, folder), "broker.rack": f"rack-{node.node_id}"}

    monkeypatch.setattr(ClusterPlan, "node_settings", with_rack)


class Reader:
    """A consumer in a rack, which counts the fetches that it sent to each broker."""

    def __init__(self, cluster: Cluster, rack: str) -> None:
        self.fetches: dict[int, int] = {}
        self._consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "near",
                "client.rack": rack,
                "isolation.level": "read_committed",
                "statistics.interval.ms": 100,
                "stats_cb": self._note,
            }
        )
        self._consumer.assign([confluent_kafka.TopicPartition("orders", 0, 0)])

    def _note(self, statistics: str) -> None:
        for broker in json.loads(statistics)["brokers"].values():
            if broker["nodeid"] > 0:
                self.fetches[broker["nodeid"]] = broker["req"].get("Fetch", 0)

    def read(self, count: int) -> list[bytes | None]:
        values: list[bytes | None] = []
        deadline = time.monotonic() + SECONDS_MAX
        while len(values) < count:
            assert time.monotonic() < deadline
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None:
                values.append(message.value())
        return values

    def wait_mostly_from(self, broker: int) -> None:
        """Until more fetches went there than anywhere else: an idle consumer asks on."""
        deadline = time.monotonic() + SECONDS_MAX
        while self.fetches.get(broker, 0) <= max(
            (count for other, count in self.fetches.items() if other != broker), default=0
        ):
            assert time.monotonic() < deadline, self.fetches
            assert self._consumer.poll(0.1) is None

    def close(self) -> None:
        self._consumer.close()


def produce(cluster: Cluster, values: list[bytes]) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    for value in values:
        producer.produce("orders", value, partition=0)
    assert producer.flush(SECONDS_MAX) == 0


@pytest.mark.usefixtures("_racks")
def test_a_consumer_reads_in_its_rack_and_goes_on_when_the_replica_dies() -> None:
    with Cluster(brokers=3, settings={"replica.selector.class": RACK_AWARE}) as cluster:
        with Admin(cluster.bootstrap) as admin:
            admin.create_topic("orders", 1, 3)
        values = [b"%d" % number for number in range(300)]
        produce(cluster, values[:100])
        leader = cluster.leader("orders", 0)
        near = leader % 3 + 1
        reader = Reader(cluster, f"rack-{near}")
        try:
            assert reader.read(100) == values[:100]
            produce(cluster, values[100:200])
            assert reader.read(100) == values[100:200]
            reader.wait_mostly_from(near)
            cluster.kill(near)
            produce(cluster, values[200:])
            assert reader.read(100) == values[200:]
        finally:
            reader.close()
