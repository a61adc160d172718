"""What a node says of its last stop decides who may lead (SAFETY.md, rules 1, 2 and 14).

Real nodes are stopped, and the marks and logs that they leave behind are changed into what a power
cut leaves: another boot in the mark, and a log without its unsynced tail.
"""

from __future__ import annotations

import time
from pathlib import Path

import confluent_kafka

from ottla.client.admin import Admin
from ottla.client.model import NewTopic, TopicDescription
from ottla.record.batch import iter_headers
from ottla.testing import Cluster

TOPIC = "kept"
COUNT = 30


def produce(cluster: Cluster, first: int, count: int) -> None:
    """One batch a message, each acknowledged by all."""
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    failed: list[str] = []
    for number in range(first, first + count):
        producer.produce(
            TOPIC,
            str(number),
            partition=0,
            on_delivery=lambda error, _: failed.append(str(error)) if error else None,
        )
        assert producer.flush(30) == 0
    assert not failed


def consume(cluster: Cluster, count: int) -> list[int]:
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "reader"}
    )
    consumer.assign([confluent_kafka.TopicPartition(TOPIC, 0, 0)])
    found: list[int] = []
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append(int(message.value() or b""))
    consumer.close()
    return found


def make_topic(cluster: Cluster) -> None:
    """With all three replicas needed, each of them stays eligible whoever goes first."""
    with Admin(cluster.bootstrap) as admin:
        admin.create_topics([NewTopic(TOPIC, 1, 3, {"min.insync.replicas": "3"})])
    cluster.wait_in_sync(TOPIC)


def mark_of(cluster: Cluster, node_id: int) -> Path:
    return cluster.directory / f"node-{node_id}" / "log" / "stop.mark"


def folder_of(cluster: Cluster, node_id: int) -> Path:
    return cluster.directory / f"node-{node_id}" / "log" / f"{TOPIC}-0"


def cut_power(cluster: Cluster, node_id: int, kept: int) -> None:
    """The machine of a killed node lost its power, and the log all but its first `kept` batches."""
    mark = mark_of(cluster, node_id)
    lines = mark.read_text().splitlines()
    assert "state=running" in lines
    changed = ["boot.id=another" if line.startswith("boot.id=") else line for line in lines]
    mark.write_text("\n".join(changed) + "\n")
    log = folder_of(cluster, node_id) / f"{0:020}.log"
    data = log.read_bytes()
    ends = [position + header.size for position, header in iter_headers(data)]
    log.write_bytes(data[: ends[kept - 1] if kept else 0])


def describe(cluster: Cluster) -> TopicDescription:
    with Admin(cluster.bootstrap, timeout_seconds=30) as admin:
        return admin.describe_topic(TOPIC)


def test_the_longest_log_leads_when_every_machine_lost_its_power() -> None:
    with Cluster(brokers=3) as cluster:
        make_topic(cluster)
        produce(cluster, 0, COUNT)
        first, second, third = describe(cluster).partitions[0].replicas
        cluster.kill_all()
        cut_power(cluster, first, 10)
        cut_power(cluster, second, 25)
        cut_power(cluster, third, 20)
        cluster.start_all()
        assert cluster.leader(TOPIC, 0) == second
        cluster.wait_in_sync(TOPIC)
        produce(cluster, 100, 5)
        assert consume(cluster, 30) == [*range(25), *range(100, 105)]
        cluster.stop_all()
        contents = {
            b"".join(part.read_bytes() for part in sorted(folder_of(cluster, id).glob("*.log")))
            for id in cluster.node_ids
        }
        assert len(contents) == 1


def test_who_lost_its_tail_does_not_lead_while_another_has_it() -> None:
    with Cluster(brokers=3) as cluster:
        make_topic(cluster)
        produce(cluster, 0, COUNT)
        first, second, third = describe(cluster).partitions[0].replicas
        cluster.kill_all()
        cut_power(cluster, first, 0)
        cut_power(cluster, second, 10)
        cluster.start(first, wait=False)
        cluster.start(second, wait=False)
        cluster.wait_serving(first)
        cluster.wait_serving(second)
        assert describe(cluster).partitions[0].leader_id is None
        cluster.start(third)
        assert cluster.leader(TOPIC, 0) == third
        cluster.wait_in_sync(TOPIC)
        assert consume(cluster, COUNT) == [*range(COUNT)]


def test_a_stop_without_a_quorum_is_bounded_and_clean() -> None:
    with Cluster(brokers=3, settings={"controlled.shutdown.timeout.ms": 1_000}) as cluster:
        make_topic(cluster)
        produce(cluster, 0, COUNT)
        lines = mark_of(cluster, 1).read_text().splitlines()
        assert "state=running" in lines
        cluster.kill(2)
        cluster.kill(3)
        started_at = time.monotonic()
        assert cluster.stop(1)
        assert time.monotonic() - started_at < 10
        assert "state=clean" in mark_of(cluster, 1).read_text().splitlines()
        epoch = next(line for line in lines if line.startswith("broker.epoch="))
        assert int(epoch.partition("=")[2]) > 0
