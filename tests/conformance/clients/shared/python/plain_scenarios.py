"""Scenarios that produce, and read back: codecs, keys, headers, sizes, idempotence, admin."""

from __future__ import annotations

import random
from collections import defaultdict

from tests.conformance.clients.shared.python.contract import Mismatch, Passed, expect, wait_until
from tests.conformance.clients.shared.python.driver import (
    ConsumerOptions,
    Driver,
    Headers,
    ProducerOptions,
    Refused,
)
from tests.conformance.clients.shared.python.reading import Sent, check_read, check_spread, read

MIB = 1 << 20
WORDS = ("order", "payment", "parcel", "invoice", "account", "customer", "window", "river")


def _read_back(driver: Driver, sent: Sent) -> int:
    expected = sent.acknowledged()
    consumer = driver.consumer(sent.topic, ConsumerOptions())
    count = check_read(expected, read(consumer, len(sent)))
    consumer.close()
    return count


def compression(driver: Driver, prefix: str, codec: str) -> Passed:
    topic = f"{prefix}-compressed"
    driver.admin().create(topic, 3, {})
    sent = Sent(driver.producer(ProducerOptions(compression=codec)), topic)
    source = random.Random(codec)
    for number in range(1_000):
        text = f"{number} " + " ".join(source.choices(WORDS, k=140))
        sent.send(text.encode(), key=str(number).encode())
    sent.producer.flush()
    count = _read_back(driver, sent)
    return Passed(f"{count} messages", {"messages": count})


def keyed(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-keyed"
    driver.admin().create(topic, 3, {})
    sent = Sent(driver.producer(ProducerOptions()), topic)
    for number in range(1_000):
        sent.send(str(number).encode(), key=f"key-{number % 100}".encode())
    sent.producer.flush()
    homes: dict[bytes | None, set[int]] = defaultdict(set)
    for partition, contents in sent.acknowledged().items():
        for key, _, _ in contents:
            homes[key].add(partition)
    expect(len(homes) == 100, f"{len(homes)} keys")
    expect(all(len(home) == 1 for home in homes.values()), "a key's messages are in two partitions")
    used = set().union(*homes.values())
    expect(len(used) > 1, f"all keys went to partitions {used}")
    count = _read_back(driver, sent)
    return Passed(f"{count} messages, {len(homes)} keys", {"messages": count})


def round_robin(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-spread"
    driver.admin().create(topic, 3, {})
    sent = Sent(driver.producer(ProducerOptions(round_robin=True)), topic)
    for number in range(300):
        sent.send(str(number).encode())
        sent.producer.serve(0.001)
    sent.producer.flush()
    expected = sent.acknowledged()
    check_spread(expected, 3)
    count = _read_back(driver, sent)
    sizes = "/".join(str(len(contents)) for _, contents in sorted(expected.items()))
    return Passed(f"{count} messages, by partition {sizes}", {"messages": count})


def headers(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-headers"
    driver.admin().create(topic, 3, {})
    sent = Sent(driver.producer(ProducerOptions()), topic)
    every: list[Headers] = [
        (("twice", b"first"), ("other", b"between"), ("twice", b"second")),
        (("empty", b""), ("null", None if driver.has_null_headers else b"")),
        (("bytes", bytes(range(256))),),
        (("überschrift-見出し", "значение".encode()),),
        (),
    ]
    for number, one in enumerate(every):
        sent.send(str(number).encode(), key=b"k", headers=one)
    sent.send(b"without a key", key=None, partition=0)
    sent.send(None, key=b"without a value")
    sent.producer.flush()
    count = _read_back(driver, sent)
    return Passed(f"{count} messages", {"messages": count})


def large_messages(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-large"
    driver.admin().create(topic, 3, {"max.message.bytes": str(4 * MIB)})
    sent = Sent(driver.producer(ProducerOptions(request_bytes_max=8 * MIB)), topic)
    source = random.Random(1)
    for _ in range(6):
        sent.send(source.randbytes(3 * MIB))
    sent.producer.flush()
    sent.acknowledged()
    refused = sent.producer.send(topic, source.randbytes(5 * MIB))
    try:
        sent.producer.flush()
        place = refused.result(30)
    except Refused as error:
        expect(error.code == "MESSAGE_TOO_LARGE", f"5 MiB are refused with {error.code}")
    else:
        raise Mismatch(f"5 MiB are taken, at {place}")
    count = _read_back(driver, sent)
    return Passed(f"{count} messages of 3 MiB; 5 MiB refused", {"messages": count})


def idempotent(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-once"
    driver.admin().create(topic, 3, {})
    sent = Sent(driver.producer(ProducerOptions(idempotent=True)), topic)
    for number in range(5_000):
        sent.send(str(number).encode(), key=str(number % 50).encode())
        if number % 100 == 0:
            sent.producer.serve(0)
    sent.producer.flush()
    count = _read_back(driver, sent)
    return Passed(f"{count} messages", {"messages": count})


def admin(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-managed"
    client = driver.admin()
    client.create(topic, 2, {"retention.ms": "123456"})
    try:
        client.create(topic, 2, {})
    except Refused as error:
        expect(error.code == "TOPIC_ALREADY_EXISTS", f"created again: {error.code}")
    else:
        raise Mismatch("the topic could be created twice")

    def partitions_are(count: int) -> bool:
        described = client.describe(topic)
        return len(described) == count and all(
            leader > 0 and replicas == 3 for leader, replicas in described
        )

    # Metadata of another broker than the one that was asked may come a moment later.
    wait_until(lambda: partitions_are(2), 10, f"2 partitions: {client.describe(topic)}")
    found = client.config(topic, "retention.ms")
    expect(found == "123456", f"retention.ms is {found}")
    client.alter_config(topic, "retention.ms", "654321")
    wait_until(lambda: client.config(topic, "retention.ms") == "654321", 10, "retention.ms=654321")
    client.add_partitions(topic, 4)
    wait_until(lambda: partitions_are(4), 10, f"4 partitions: {client.describe(topic)}")
    expect(topic in client.topics(), "the topic is not listed")
    client.delete(topic)
    wait_until(lambda: topic not in client.topics(), 10, "the topic is no longer listed")
    return Passed("create, describe, alter, more partitions, list, delete")
