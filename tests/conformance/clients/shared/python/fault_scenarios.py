"""Scenarios that change the cluster under a client: a killed leader, a topic made again."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import Future

from tests.conformance.clients.shared.python.contract import Passed, ask, expect, wait_until
from tests.conformance.clients.shared.python.driver import (
    ConsumerOptions,
    Driver,
    Place,
    ProducerOptions,
    Record,
)
from tests.conformance.clients.shared.python.reading import Sent, check_read, read

SECONDS = 6.0
KILLED_AFTER_SECONDS = 2.0
PACE_SECONDS = 0.005
SEEN_SECONDS_MAX = 30.0


def leader_killed(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-survives"
    driver.admin().create(topic, 1, {"min.insync.replicas": "2"})
    sent = Sent(driver.producer(ProducerOptions(idempotent=True)), topic)
    times: list[float] = []

    def acknowledged(place: Future[Place]) -> None:
        if place.exception() is None:
            times.append(time.monotonic())

    begun = time.monotonic()
    killed = ""
    next_at = begun
    while time.monotonic() < begun + SECONDS:
        if not killed and time.monotonic() > begun + KILLED_AFTER_SECONDS:
            killed = ask(f"kill-leader {topic} 0")
            next_at = time.monotonic()
        sent.send(str(len(sent)).encode()).add_done_callback(acknowledged)
        next_at += PACE_SECONDS
        sent.producer.serve(max(0.0, next_at - time.monotonic()))
    sent.producer.flush()
    sent.acknowledged()
    gap_ms = max(after - before for before, after in itertools.pairwise(times)) * 1_000
    ask("restart")
    for _ in range(100):
        sent.send(str(len(sent)).encode())
    sent.producer.flush()
    expected = sent.acknowledged()
    consumer = driver.consumer(topic, ConsumerOptions())
    count = check_read(expected, read(consumer, len(sent)))
    consumer.close()
    numbers = {"messages": count, "longest_gap_ms": round(gap_ms)}
    return Passed(f"{count} messages, broker {killed} killed, gap {gap_ms:.0f} ms", numbers)


def topic_recreated(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-again"
    admin = driver.admin()
    admin.create(topic, 3, {})
    producer = driver.producer(ProducerOptions())
    consumer = driver.consumer(topic, ConsumerOptions())
    first = Sent(producer, topic)
    for number in range(100):
        first.send(f"first {number}".encode(), partition=number % 3)
    producer.flush()
    check_read(first.acknowledged(), read(consumer, 100))

    admin.delete(topic)
    wait_until(lambda: topic not in admin.topics(), 10, "the topic is deleted")
    admin.create(topic, 3, {})
    begun = time.monotonic()
    values = [f"second {number}".encode() for number in range(40)]
    failed = 0
    places: set[Place] = set()
    for number, value in enumerate(values):
        while True:
            try:
                place = producer.send(topic, value, partition=number % 3)
                producer.flush()
                places.add(place.result(SEEN_SECONDS_MAX))
                break
            except Exception:
                failed += 1
                expect(time.monotonic() < begun + 60, "the producer does not find the new topic")
                producer.serve(0.1)
    wanted = set(values)
    records: list[Record] = []
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while len(records) < 40 and time.monotonic() < deadline:
        records += consumer.poll(0.2)
    after = time.monotonic() - begun
    records += consumer.poll(1.0)
    consumer.close()
    found = [record.value for record in records]
    expect(set(found) == wanted, f"{len(set(found) & wanted)} of the new 40 are read")
    expect(len(found) == 40 or failed > 0, f"{len(found)} records are read, not 40")
    numbers = {"messages": 140, "failed_sends": failed, "seen_after_ms": round(after * 1_000)}
    return Passed(f"read {after:.1f} s after, {failed} sends failed before", numbers)
