"""Produce and consume by librdkafka with its defaults, through confluent-kafka."""

from __future__ import annotations

import os
import time

import confluent_kafka

from tests.benchmark.compare.perf_tools import MB
from tests.benchmark.compare.session import QUIET

EAGER = {"fetch.queue.backoff.ms": "10"}
"""When its queue is full (64 MB, 100,000 messages), librdkafka asks for no more for a second, and a
program that empties it in less waits. With a broker that is fast enough to fill it, that pause is
what the defaults measure."""
_SECONDS_MAX = 180.0


def produce(bootstrap: str, topic: str, size: int, count: int, settings: dict[str, str]) -> float:
    """MB/s from the first send until all are acknowledged."""
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": bootstrap, "queue.buffering.max.messages": 1_000_000,
         **QUIET, **settings}
    )  # fmt: skip
    payload = os.urandom(size)
    producer.list_topics(topic, timeout=30)
    began = time.monotonic()
    for _ in range(count):
        while True:
            try:
                producer.produce(topic, payload)
                break
            except BufferError:
                producer.poll(0.005)
    if producer.flush(_SECONDS_MAX):
        raise RuntimeError("not everything was acknowledged")
    return count * size / MB / (time.monotonic() - began)


def consume(
    bootstrap: str, topic: str, partitions: int, size: int, count: int, settings: dict[str, str]
) -> float:
    """MB/s from the first record on, of the first `count`."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "compare", "enable.auto.commit": False,
         **QUIET, **settings}
    )  # fmt: skip
    consumer.assign(
        [
            confluent_kafka.TopicPartition(topic, number, confluent_kafka.OFFSET_BEGINNING)
            for number in range(partitions)
        ]
    )
    received, began, deadline = 0, 0.0, time.monotonic() + _SECONDS_MAX
    try:
        while received < count:
            # A short wait: the last messages do not fill a batch.
            messages = consumer.consume(1_000, 0.02)
            if messages and not received:
                began = time.monotonic()
            received += sum(1 for message in messages if message.error() is None)
            if time.monotonic() > deadline:
                raise RuntimeError(f"{received} of {count} messages were read")
        return received * size / MB / (time.monotonic() - began)
    finally:
        consumer.close()
