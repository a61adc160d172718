"""Compaction on real nodes, all while brokers are killed: a compacted log is read, replicated from
its start, and led by a replica that never had what was compacted away."""

from __future__ import annotations

import shutil
import time

import confluent_kafka

from ottla.client.admin import Admin
from ottla.client.model import NewTopic
from ottla.testing import Cluster

TOPIC = "latest"
KEYS = 50
SECONDS_MAX = 90.0


def produce(cluster: Cluster, first: int, count: int) -> dict[bytes, bytes]:
    """Values that rise, over a few keys; what each key has at the end."""
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 1,
        }
    )
    last: dict[bytes, bytes] = {}
    failed: list[str] = []
    for number in range(first, first + count):
        key, value = b"k%d" % (number % KEYS), b"%d" % number
        producer.produce(
            TOPIC,
            value,
            key,
            partition=0,
            on_delivery=lambda error, _: failed.append(str(error)) if error else None,
        )
        last[key] = value
        if number % 20 == 0:
            producer.flush(60)
    assert producer.flush(60) == 0
    assert not failed
    return last


def read(bootstrap: str) -> list[tuple[int, bytes, bytes]]:
    """(offset, key, value) of everything, from the start to the end as it is now."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "r"})
    here = confluent_kafka.TopicPartition(TOPIC, 0, 0)
    _, end = consumer.get_watermark_offsets(here, timeout=30)
    consumer.assign([here])
    found: list[tuple[int, bytes, bytes]] = []
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append((message.offset() or 0, message.key() or b"", message.value() or b""))
            if found[-1][0] >= end - 1:
                break
    consumer.close()
    return found


def wait_compacted(cluster: Cluster, at_most: int) -> list[tuple[int, bytes, bytes]]:
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        found = read(cluster.bootstrap)
        if len(found) <= at_most:
            return found
        assert time.monotonic() < deadline, f"{len(found)} records are left"
        time.sleep(0.3)


def test_the_latest_values_survive_compaction_and_fail_over() -> None:
    settings = {"log.cleaner.backoff.ms": 100}
    with Cluster(brokers=3, settings=settings) as cluster:
        with Admin(cluster.bootstrap) as admin:
            admin.create_topics(
                [
                    NewTopic(
                        TOPIC,
                        1,
                        3,
                        {
                            "cleanup.policy": "compact",
                            "segment.bytes": "20000",
                            "min.cleanable.dirty.ratio": "0.01",
                            "file.delete.delay.ms": "100",
                        },
                    )
                ]
            )
        cluster.wait_in_sync(TOPIC)
        last = produce(cluster, 0, 4_000)
        found = wait_compacted(cluster, 1_500)
        assert {key: value for _, key, value in found} == last
        offsets = [offset for offset, _, _ in found]
        assert offsets == sorted(offsets)
        assert len(set(offsets)) == len(offsets)
        assert all(int(value) == offset for offset, _, value in found), "a record has moved"

        # A replica that lost its disk gets the log with its gaps, while more is written.
        leader = cluster.leader(TOPIC, 0)
        fresh = next(node for node in cluster.node_ids if node != leader)
        cluster.kill(fresh)
        shutil.rmtree(cluster.directory / f"node-{fresh}" / "log")
        last = produce(cluster, 4_000, 1_000)
        cluster.start(fresh)
        cluster.wait_in_sync(TOPIC)

        # It alone has to lead.
        for other in cluster.node_ids:
            if other != fresh:
                cluster.kill(other)
        cluster.start_all()  # and waits: until there is a quorum, all metadata is of before
        cluster.wait_in_sync(TOPIC)
        assert {key: value for _, key, value in read(cluster.bootstrap)} == last
        last = produce(cluster, 5_000, 500)

        # After all were killed in the middle of it, the log is whole.
        cluster.kill_all()
        cluster.start_all()
        cluster.wait_in_sync(TOPIC)
        found = wait_compacted(cluster, 1_500)
        assert {key: value for _, key, value in found} == last
        for node in cluster.node_ids:
            assert "it is damaged" not in cluster.log(node)
            assert "Traceback" not in cluster.log(node)
