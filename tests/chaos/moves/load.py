"""Records, numbered in each partition, and whether all of them are there in the end."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import confluent_kafka

BATCH = 20
FLUSH_SECONDS_MAX = 180.0
SILENCE_SECONDS_MAX = 20.0
VALUE = b"x" * 1_000


@dataclass
class Delivered:
    """Of all partitions; times are monotonic seconds."""

    acknowledged: list[int]
    """By partition: how many, in the order of their numbers."""
    out_of_order: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    longest_gap_s: float = 0.0
    """Without any acknowledgement, while records were waiting for one."""
    slowest_s: float = 0.0
    """From the call to the acknowledgement."""


class Load(threading.Thread):
    """Sends to all partitions in turn until it is stopped, with acks=all, idempotent."""

    def __init__(
        self, bootstrap: str, topic: str, partitions: int, records_per_second: int
    ) -> None:
        super().__init__(name="load", daemon=True)
        self.delivered = Delivered([0] * partitions)
        self.sent = [0] * partitions
        self._topic = topic
        self._pause_s = BATCH / records_per_second
        self._stopping = threading.Event()
        self._last_s = time.monotonic()
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "delivery.timeout.ms": 120_000,
                "linger.ms": 5,
            }
        )

    def fill(self, records: int) -> None:
        """Before `start`: so many in each partition, as fast as they are taken."""
        for number in range(records):
            for partition in range(len(self.sent)):
                self._send(partition)
            if number % 5 == 0:
                self._producer.poll(0)
        self._flush()
        self.delivered.longest_gap_s = self.delivered.slowest_s = 0.0

    def run(self) -> None:
        partition = 0
        self._last_s = time.monotonic()
        while not self._stopping.is_set():
            for _ in range(BATCH):
                self._send(partition)
                partition = (partition + 1) % len(self.sent)
            self._producer.poll(0)
            self._stopping.wait(self._pause_s)
        self._flush()

    def stop(self) -> None:
        self._stopping.set()
        self.join(FLUSH_SECONDS_MAX + 10)
        assert not self.is_alive(), "the load does not end"

    def _flush(self) -> None:
        left = self._producer.flush(FLUSH_SECONDS_MAX)
        if left:
            self.delivered.failures.append(f"{left} records have no answer")

    def _send(self, partition: int) -> None:
        number, asked_s = self.sent[partition], time.monotonic()
        self.sent[partition] = number + 1
        value = b"%d %b" % (number, VALUE)

        def answered(error: confluent_kafka.KafkaError | None, _: object) -> None:
            delivered, now_s = self.delivered, time.monotonic()
            if error is not None:
                delivered.failures.append(f"{partition}/{number}: {error}")
                return
            if number != delivered.acknowledged[partition]:
                delivered.out_of_order.append(f"{partition}/{number}")
            delivered.acknowledged[partition] = number + 1
            waited_since_s = max(self._last_s, asked_s)
            delivered.longest_gap_s = max(delivered.longest_gap_s, now_s - waited_since_s)
            delivered.slowest_s = max(delivered.slowest_s, now_s - asked_s)
            self._last_s = now_s

        while True:
            try:
                self._producer.produce(
                    self._topic, value, partition=partition, on_delivery=answered
                )
                return
            except BufferError:
                self._producer.poll(0.1)


def missing_or_moved(bootstrap: str, topic: str, expected: list[int]) -> list[str]:
    """Reads everything: each partition must hold 0, 1, 2, … up to what is expected, once each."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "verification", "enable.auto.commit": False}
    )
    found: list[str] = []
    following = [0] * len(expected)
    consumer.assign(
        [confluent_kafka.TopicPartition(topic, index, 0) for index in range(len(expected))]
    )
    heard_s = time.monotonic()
    while sum(following) < sum(expected) and time.monotonic() - heard_s < SILENCE_SECONDS_MAX:
        for message in consumer.consume(2_000, 1.0):
            if message.error() is not None:
                continue
            heard_s = time.monotonic()
            partition = message.partition() or 0
            number = int((message.value() or b"").split(b" ", 1)[0])
            if number != following[partition]:
                found.append(f"{partition}: {number} where {following[partition]} belongs")
            following[partition] = number + 1
    for message in consumer.consume(1, 2.0):
        if message.error() is None:
            found.append(f"{message.partition()}: more than was sent")
    consumer.close()
    found += [
        f"{index}: ends at {end}, acknowledged up to {wanted}"
        for index, (end, wanted) in enumerate(zip(following, expected, strict=True))
        if end < wanted
    ]
    return found
