"""Clients that write down what they do: producers, and readers that read all the time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import aiokafka
import confluent_kafka

from tests.chaos.history import UNKNOWN_OFFSET, Ack, TopicHistory, identity_of
from tests.support.ledger import PATIENT_PRODUCER

CLIENT_LOG = logging.getLogger("chaos.clients")
"""What librdkafka says; nobody hears it unless a handler is added."""
CLIENT_LOG.addHandler(logging.NullHandler())
CLIENT_LOG.propagate = False
KEYS = 20
FLUSH_SECONDS_MAX = 60
MESSAGE_TIMEOUT_MS = 120_000
READ_SECONDS_MAX = 120.0


class Producer:
    """Sends to one topic at a steady rate, in a thread, until it is told to stop.

    Idempotent with acks=all where the topic is written once and in order; else with librdkafka's
    defaults (acks=all, retries, many requests in flight), which promise only that nothing is lost.
    Its keys are its own: KEYS numbers from `first_key` on.
    """

    def __init__(
        self, bootstrap: str, history: TopicHistory, *, first_key: int, per_second: float
    ) -> None:
        self._history = history
        self._keys = range(first_key, first_key + KEYS)
        self._pause = 1.0 / per_second
        self._stop = threading.Event()
        # What it does with sequences and epochs is logged: who finds a duplicate wants to know.
        settings = {**PATIENT_PRODUCER, "debug": "eos"} if history.once else {}
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                **settings,
                "message.timeout.ms": MESSAGE_TIMEOUT_MS,
                "client.id": f"producer-{history.name}",
            },
            logger=CLIENT_LOG,
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Stop sending, and wait until everything sent is acknowledged or was given up."""
        self._stop.set()
        self._thread.join()
        if left := self._producer.flush(FLUSH_SECONDS_MAX):
            self._history.failed.append(f"{left} messages had no answer at the end")

    def mark(self) -> Callable[[], bool]:
        """Asks whether every key has an acknowledged message that was sent after this call. Keys
        are spread over all partitions."""
        sent = {key: self._history.sent.get(key, 0) for key in self._keys}
        latest = self._history.latest

        def is_written() -> bool:
            return all(latest.get(key, -1) >= number for key, number in sent.items())

        return is_written

    def _run(self) -> None:
        sent = self._history.sent
        due = time.monotonic()
        turn = 0
        while not self._stop.is_set():
            key = self._keys[turn % KEYS]
            number = sent.get(key, 0)
            sent[key] = number + 1  # before it can be read by anybody
            try:
                self._producer.produce(
                    self._history.name,
                    key=str(key),
                    value=str(number),
                    on_delivery=self._delivered,
                )
            except BufferError:
                sent[key] = number
                self._producer.poll(0.01)
                continue
            turn += 1
            due += self._pause
            wait = due - time.monotonic()
            self._producer.poll(max(0.0, wait))
            if wait < -0.1:
                due = time.monotonic()  # no burst after a stall

    def _delivered(
        self, error: confluent_kafka.KafkaError | None, message: confluent_kafka.Message
    ) -> None:
        if error is not None:
            self._history.failed.append(str(error))
            return
        key, number = _content(message)
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        self._history.acks.note(
            Ack(
                identity_of(key, number),
                partition,
                UNKNOWN_OFFSET if offset is None or offset < 0 else offset,
                time.monotonic(),
            )
        )
        self._history.latest[key] = max(number, self._history.latest.get(key, -1))


class Reader:
    """Reads all partitions of all topics from their beginning, in a thread, without a group."""

    def __init__(self, name: str, bootstrap: str, histories: Mapping[str, TopicHistory]) -> None:
        self._name = name
        self._histories = histories
        self._stop = threading.Event()
        for history in histories.values():
            history.steady.add(name)
        self._consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": name,
                "group.id": f"unused-{name}",
                "enable.auto.commit": False,
                # A position that is gone is an error of the cluster, not a reason to start again.
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 100,
                "topic.metadata.refresh.fast.interval.ms": 50,
                "reconnect.backoff.max.ms": 500,
            },
            logger=CLIENT_LOG,
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._consumer.assign(
            [
                confluent_kafka.TopicPartition(history.name, partition, 0)
                for history in self._histories.values()
                for partition in range(history.partitions)
            ]
        )
        self._thread.start()

    def finish(self) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            for message in self._consumer.consume(500, 0.05):
                history = self._histories.get(str(message.topic()))
                error = message.error()
                if error is None:
                    assert history is not None
                    note_read(history, self._name, message)
                elif error.code() in _NEVER:
                    for each in [history] if history else self._histories.values():
                        each.complaints.append(f"{self._name} was told: {error}")


_NEVER = (
    confluent_kafka.KafkaError._AUTO_OFFSET_RESET,
    confluent_kafka.KafkaError._LOG_TRUNCATION,
    confluent_kafka.KafkaError.OFFSET_OUT_OF_RANGE,
)


def note_read(history: TopicHistory, reader: str, message: confluent_kafka.Message) -> int:
    """Write down one record; its offset."""
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    history.reads[reader, partition].note(offset, identity_of(*_content(message)))
    return offset


def wait_read(
    histories: Sequence[TopicHistory], readers: Sequence[str], seconds_max: float
) -> str | None:
    """Wait until every reader has seen everything that is acknowledged by now; else a sentence."""
    wanted: dict[tuple[str, int], int] = {}
    for history in histories:
        for ack in history.acks:
            place = (history.name, ack.partition)
            wanted[place] = max(ack.offset, wanted.get(place, -1))
    by_name = {history.name: history for history in histories}
    deadline = time.monotonic() + seconds_max
    for reader in readers:
        for (topic, partition), last in wanted.items():
            reads = by_name[topic].reads[reader, partition]
            while not reads.offsets or reads.offsets[-1] < last:
                if time.monotonic() > deadline:
                    at = reads.offsets[-1] if reads.offsets else None
                    return f"{reader} is at {at} of {last} in {topic}-{partition}"
                time.sleep(0.02)
    return None


async def read_to_the_end(bootstrap: str, topic: str) -> dict[int, list[tuple[int, int]]]:
    """All of a topic by a client of another make: partition → (offset, identity)."""
    consumer = aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        assigned = sorted(consumer.assignment())
        ends = await consumer.end_offsets(assigned)
        found: dict[int, list[tuple[int, int]]] = {tp.partition: [] for tp in assigned}
        async with asyncio.timeout(READ_SECONDS_MAX):
            while any([await consumer.position(tp) < ends[tp] for tp in assigned]):
                for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                    found[tp.partition] += [
                        (r.offset, identity_of(int(r.key), int(r.value))) for r in records
                    ]
        return found
    finally:
        with contextlib.suppress(Exception):
            await consumer.stop()


def _content(message: confluent_kafka.Message) -> tuple[int, int]:
    key, value = message.key(), message.value()
    assert key is not None
    assert value is not None
    return int(key), int(value)
