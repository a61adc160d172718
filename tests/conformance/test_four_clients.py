"""What one client writes, three others read: the same set, in order per key."""

from __future__ import annotations

import asyncio
import subprocess
from collections import defaultdict

import aiokafka
import confluent_kafka
import kafka
import pytest

from ottla.testing import Cluster
from tests.support.ledger import identity_of
from tests.support.topics import create_topic

MESSAGES = 100_000
KEYS = 1_000

Read = dict[int, list[tuple[str, int]]]  # partition → (key, number) in order of offset


@pytest.fixture(scope="module")
def produced(ottla_cluster: Cluster) -> tuple[str, Read]:
    """A topic with MESSAGES keyed messages, and what confluent-kafka was told of their places."""
    topic = "four-clients"
    create_topic(ottla_cluster.bootstrap, topic)

    placed: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
    errors: list[str] = []

    def delivered(
        error: confluent_kafka.KafkaError | None, message: confluent_kafka.Message
    ) -> None:
        if error is not None:
            errors.append(str(error))
        else:
            partition, key, number = identity_of(message)
            offset = message.offset()
            assert offset is not None
            placed[partition].append((offset, key, number))

    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": ottla_cluster.bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "queue.buffering.max.messages": MESSAGES,
        }
    )
    for number in range(MESSAGES):
        producer.produce(topic, key=f"key-{number % KEYS}", value=str(number), callback=delivered)
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0
    assert not errors
    return topic, {p: [(k, n) for _, k, n in sorted(items)] for p, items in placed.items()}


def test_the_producer_was_told_a_place_for_every_message(produced: tuple[str, Read]) -> None:
    _, placed = produced
    assert sum(map(len, placed.values())) == MESSAGES
    assert set(placed) == {0, 1, 2}
    homes: dict[str, set[int]] = defaultdict(set)
    for partition, items in placed.items():
        numbers: dict[str, int] = {}
        for key, number in items:
            homes[key].add(partition)
            assert number > numbers.get(key, -1), f"key {key} is out of order"
            numbers[key] = number
    assert all(len(partitions) == 1 for partitions in homes.values())


def test_aiokafka_reads_the_same(ottla_cluster: Cluster, produced: tuple[str, Read]) -> None:
    topic, placed = produced

    async def read() -> Read:
        found: Read = defaultdict(list)
        consumer = aiokafka.AIOKafkaConsumer(
            topic, bootstrap_servers=ottla_cluster.bootstrap, auto_offset_reset="earliest"
        )
        async with asyncio.timeout(120):
            await consumer.start()
            try:
                while sum(map(len, found.values())) < MESSAGES:
                    for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                        found[tp.partition] += [(r.key.decode(), int(r.value)) for r in records]
            finally:
                await consumer.stop()
        return found

    assert asyncio.run(read()) == placed


def test_kafka_python_reads_the_same(ottla_cluster: Cluster, produced: tuple[str, Read]) -> None:
    topic, placed = produced
    found: Read = defaultdict(list)
    consumer = kafka.KafkaConsumer(
        topic,
        bootstrap_servers=ottla_cluster.bootstrap.split(","),
        auto_offset_reset="earliest",
        consumer_timeout_ms=20_000,
    )
    for record in consumer:
        found[record.partition].append((record.key.decode(), int(record.value)))
        if sum(map(len, found.values())) == MESSAGES:
            break
    consumer.close()
    assert found == placed


@pytest.mark.needs("kcat")
def test_kcat_reads_the_same(ottla_cluster: Cluster, produced: tuple[str, Read]) -> None:
    topic, placed = produced
    arguments = ["-b", ottla_cluster.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q"]
    output = subprocess.run(
        ["kcat", *arguments, "-f", "%p %k %s\n"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    found: Read = defaultdict(list)
    for line in output.splitlines():
        partition, key, number = line.split()
        found[int(partition)].append((key, int(number)))
    assert found == placed


def test_keyless_messages_spread_over_all_partitions(ottla_cluster: Cluster) -> None:
    topic = "keyless"
    create_topic(ottla_cluster.bootstrap, topic)
    partitions: set[int | None] = set()

    def delivered(_: confluent_kafka.KafkaError | None, message: confluent_kafka.Message) -> None:
        partitions.add(message.partition())

    producer = confluent_kafka.Producer(
        {"bootstrap.servers": ottla_cluster.bootstrap, "sticky.partitioning.linger.ms": 0}
    )
    for number in range(300):
        producer.produce(
            topic,
            value=str(number),
            callback=lambda _, message: partitions.add(message.partition()),
        )
    assert producer.flush(60) == 0
    assert partitions == {0, 1, 2}
