"""Real clients in the consumer protocol (KIP-848): a group moves over, and restarts unnoticed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import confluent_kafka as ck
import pytest
from confluent_kafka.admin import AdminClient

from ottla.client.admin import Admin
from ottla.testing import Cluster

SECONDS_MAX = 60.0
PARTITIONS = 6
RECORDS = 600


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with (
        Cluster(brokers=1, settings={"group.consumer.heartbeat.interval.ms": "500"}) as started,
        Admin(started.bootstrap) as admin,
    ):
        for topic in ("moves", "static", "match-a", "match-b", "other"):
            admin.create_topic(topic, partitions=PARTITIONS)
        yield started


class Members:
    """Consumers that are polled in turn, and every value that they got."""

    def __init__(self, cluster: Cluster, group: str) -> None:
        self._bootstrap = cluster.bootstrap
        self._group = group
        self.consumers: dict[str, ck.Consumer] = {}
        self.values: list[int] = []
        self.revoked: list[str] = []

    def start(self, name: str, topic: str, **settings: object) -> None:
        consumer = ck.Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": self._group,
                "auto.offset.reset": "earliest",
                "auto.commit.interval.ms": 200,
                **{key.replace("_", "."): value for key, value in settings.items()},
            }
        )
        consumer.subscribe([topic], on_revoke=lambda *_: self.revoked.append(name))
        self.consumers[name] = consumer

    def stop(self, name: str) -> None:
        self.consumers.pop(name).close()

    def poll_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS_MAX
        while not condition():
            assert time.monotonic() < end, self.shares
            for consumer in self.consumers.values():
                message = consumer.poll(0.01)
                if message is not None:
                    assert message.error() is None, message.error()
                    self.values.append(int(message.value() or b""))

    @property
    def shares(self) -> dict[str, int]:
        return {name: len(consumer.assignment()) for name, consumer in self.consumers.items()}

    def close(self) -> None:
        for name in list(self.consumers):
            self.stop(name)


CONSUMER = {"group_protocol": "consumer"}
CLASSIC = {"heartbeat_interval_ms": 200, "session_timeout_ms": 6_000}


def produce(cluster: Cluster, topic: str, first: int) -> None:
    producer = ck.Producer({"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True})
    for number in range(first, first + RECORDS):
        producer.produce(topic, str(number), key=str(number))
    assert producer.flush(SECONDS_MAX) == 0


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_a_live_group_moves_over_and_back_and_every_record_is_read(
    cluster: Cluster, strategy: str
) -> None:
    members = Members(cluster, f"moving-{strategy}")
    classic = {**CLASSIC, "partition_assignment_strategy": strategy}
    produce(cluster, "moves", 0)
    members.start("old", "moves", **classic)
    members.poll_until(lambda: members.shares == {"old": 6})
    members.start("new", "moves", **CONSUMER)
    members.poll_until(lambda: members.shares == {"old": 3, "new": 3})
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    described = admin.describe_consumer_groups([f"moving-{strategy}"])
    group = described[f"moving-{strategy}"].result()
    assert group.type is ck.ConsumerGroupType.CONSUMER
    assert sorted(len(m.assignment.topic_partitions) for m in group.members) == [3, 3]
    with Admin(cluster.bootstrap) as ours:
        described_by_us = ours.describe_group(f"moving-{strategy}")
    assert (described_by_us.state, described_by_us.protocol) == ("Stable", "uniform")
    parts = [partition for member in described_by_us.members for partition in member.partitions]
    assert sorted(parts) == [("moves", index) for index in range(PARTITIONS)]
    produce(cluster, "moves", RECORDS)
    members.stop("old")
    members.poll_until(lambda: members.shares == {"new": 6})
    members.start("old", "moves", **classic)
    members.poll_until(lambda: members.shares == {"new": 3, "old": 3})
    members.stop("new")
    members.poll_until(lambda: members.shares == {"old": 6})
    listed = admin.list_consumer_groups().result().valid
    assert {g.group_id: g.type for g in listed}[f"moving-{strategy}"] is (
        ck.ConsumerGroupType.CLASSIC
    )
    members.poll_until(lambda: set(members.values) == set(range(2 * RECORDS)))
    members.close()


def test_a_static_member_that_restarts_takes_nothing_from_others(cluster: Cluster) -> None:
    members = Members(cluster, "static")
    for name in ("one", "two", "three"):
        members.start(name, "static", **CONSUMER, group_instance_id=name)
    members.poll_until(lambda: members.shares == {"one": 2, "two": 2, "three": 2})
    before = {n: sorted(map(str, c.assignment())) for n, c in members.consumers.items()}
    members.revoked.clear()
    for name in ("one", "two", "three"):
        members.stop(name)
        assert set(members.revoked) <= {name}
        members.start(name, "static", **CONSUMER, group_instance_id=name)
        members.poll_until(lambda: set(members.shares.values()) == {2})
        members.revoked.clear()
    after = {n: sorted(map(str, c.assignment())) for n, c in members.consumers.items()}
    assert after == before
    members.close()


def test_a_regular_expression_is_resolved_by_the_broker(cluster: Cluster) -> None:
    members = Members(cluster, "matching")
    members.start("one", "^match-.*", **CONSUMER)
    members.poll_until(lambda: members.shares == {"one": 2 * PARTITIONS})
    with Admin(cluster.bootstrap) as admin:
        admin.create_topic("match-c", partitions=2)
    members.poll_until(lambda: members.shares == {"one": 2 * PARTITIONS + 2})
    members.close()
