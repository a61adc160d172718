"""DeleteRecords by librdkafka's and kafka-python's admin clients against three brokers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import confluent_kafka
import kafka
import pytest
from confluent_kafka.admin import AdminClient

from ottla.client.admin import Admin
from ottla.client.model import OffsetSpec
from ottla.testing import Cluster

MESSAGES = 200
CONFIGS = {
    "segment.bytes": "2000",
    "file.delete.delay.ms": "0",
    "min.insync.replicas": "1",
}
SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=3) as cluster:
        yield cluster


def filled(cluster: Cluster, topic: str) -> None:
    """One partition on all brokers with MESSAGES records of 100 bytes, a batch each few."""
    with Admin(cluster.bootstrap) as admin:
        admin.create_topic(topic, 1, 3, CONFIGS)
    cluster.wait_in_sync(topic)
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "acks": "all", "batch.num.messages": 5}
    )
    for number in range(MESSAGES):
        producer.produce(topic, str(number).encode().ljust(100))
    assert producer.flush(60) == 0


def delete(
    cluster: Cluster,
    topic: str,
    before: int,
    seconds: float = SECONDS_MAX,
    admin: AdminClient | None = None,
) -> int:
    """The low watermark that librdkafka is told."""
    admin = admin or AdminClient({"bootstrap.servers": cluster.bootstrap})
    asked = [confluent_kafka.TopicPartition(topic, 0, before)]
    (future,) = admin.delete_records(
        asked, request_timeout=SECONDS_MAX, operation_timeout=seconds
    ).values()
    return int(future.result().low_watermark)


def first_offset(cluster: Cluster, topic: str) -> int | None:
    with Admin(cluster.bootstrap) as admin:
        return admin.list_offsets({(topic, 0): OffsetSpec.EARLIEST})[topic, 0].offset


def first_segments(cluster: Cluster, topic: str) -> list[int]:
    """The base offset of the oldest segment on each broker."""
    found = []
    for folder in sorted(cluster.directory.glob(f"**/{topic}-0")):
        found.append(min(int(file.stem) for file in Path(folder).glob("*.log")))
    assert len(found) == 3
    return found


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_records_are_gone_for_readers_and_soon_from_every_disk(cluster: Cluster) -> None:
    filled(cluster, "gone")
    assert delete(cluster, "gone", 150) == 150
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "g", "auto.offset.reset": "earliest"}
    )
    consumer.assign([confluent_kafka.TopicPartition("gone", 0, 0)])  # no longer there
    message = consumer.poll(SECONDS_MAX)
    consumer.close()
    assert message is not None
    assert (message.error(), message.offset()) == (None, 150)
    eventually(lambda: min(first_segments(cluster, "gone")) > 100)


def test_kafka_python_deletes_to_the_end(cluster: Cluster) -> None:
    filled(cluster, "python")
    admin = kafka.KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    partition = kafka.TopicPartition("python", 0)
    found = admin.delete_records({partition: -1}, timeout_ms=30_000)
    admin.close()
    assert found[partition]["low_watermark"] == MESSAGES
    assert first_offset(cluster, "python") == MESSAGES


def test_what_is_refused(cluster: Cluster) -> None:
    filled(cluster, "refused")
    for topic, before, code in (
        ("refused", MESSAGES + 1, confluent_kafka.KafkaError.OFFSET_OUT_OF_RANGE),
        ("compacted", 0, confluent_kafka.KafkaError.POLICY_VIOLATION),
    ):
        if topic == "compacted":
            with Admin(cluster.bootstrap) as admin:
                admin.create_topic(topic, 1, 3, {"cleanup.policy": "compact"})
        with pytest.raises(confluent_kafka.KafkaException) as caught:
            delete(cluster, topic, before)
        assert caught.value.args[0].code() == code
    assert first_offset(cluster, "refused") == 0


def test_no_crash_brings_them_back(cluster: Cluster) -> None:
    filled(cluster, "crash")
    leader = cluster.leader("crash", 0)
    assert delete(cluster, "crash", 120) == 120
    cluster.kill(leader)
    assert cluster.leader("crash", 0) != leader
    assert first_offset(cluster, "crash") == 120
    cluster.kill_all()
    cluster.start_all()
    assert first_offset(cluster, "crash") == 120
    cluster.wait_in_sync("crash")


def test_a_replica_that_stands_still_holds_the_answer_and_a_dead_one_does_not(
    cluster: Cluster,
) -> None:
    filled(cluster, "still")
    leader = cluster.leader("still", 0)
    other = next(node for node in cluster.node_ids if node not in (leader, cluster.controller()))
    # Connected before: one that first dials who stands still asks when that one is fenced already.
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    assert delete(cluster, "still", 10, admin=admin) == 10
    cluster.pause(other)
    try:
        with pytest.raises(confluent_kafka.KafkaException) as caught:
            delete(cluster, "still", 50, seconds=0.5, admin=admin)
        timed_out = confluent_kafka.KafkaError.REQUEST_TIMED_OUT
        assert caught.value.args[0].code() == timed_out
        assert delete(cluster, "still", 150) == 150  # answered once it is fenced
    finally:
        cluster.resume(other)
    cluster.kill(other)
    assert delete(cluster, "still", 180) == 180
    cluster.start(other)
    cluster.wait_in_sync("still")
    assert delete(cluster, "still", 190) == 190
    eventually(lambda: min(first_segments(cluster, "still")) > 150)
