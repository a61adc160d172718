"""What was acknowledged, when, and whether it is all still there.

A librdkafka producer sends numbered messages, the ledger notes each acknowledgement, and at the
end a consumer of another make reads everything back and `account` compares.
"""

from __future__ import annotations

import itertools
import threading
import time
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiokafka
import confluent_kafka

PATIENT_PRODUCER: dict[str, str | int | bool] = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 2,
    "message.timeout.ms": 60_000,
    # A frozen broker closes no connection: the client gives up its requests by itself.
    "socket.timeout.ms": 5_000,
    "request.timeout.ms": 4_000,
    "retry.backoff.ms": 20,
    "retry.backoff.max.ms": 100,
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 200,
    "topic.metadata.refresh.fast.interval.ms": 50,
}
"""Of librdkafka: idempotent, acks=all, and quick to try again."""


@dataclass
class Ledger:
    """Acknowledged messages, (key, number) → (partition, offset), and when they were.

    The offset is None where librdkafka knows that a message is there, but not where: its request
    timed out, and a later one of the same sequence succeeded.
    """

    acknowledged: dict[tuple[str, int], tuple[int, int | None]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    latest: dict[str, int] = field(default_factory=dict)
    """The highest acknowledged number of each key."""
    twice: list[str] = field(default_factory=list)
    """Acknowledgements that gave one place to two messages."""
    places: dict[tuple[int, int], tuple[str, int]] = field(default_factory=dict)

    def note(self, partition: int, offset: int | None, key: str, number: int, now: float) -> None:
        """One message was acknowledged at `now` (monotonic seconds)."""
        self.acknowledged[(key, number)] = (partition, offset)
        self.latest[key] = max(number, self.latest.get(key, -1))
        self.times.append(now)
        if offset is None:
            return
        other = self.places.setdefault((partition, offset), (key, number))
        if other != (key, number):
            self.twice.append(f"{partition}@{offset}: {other} and {(key, number)}")

    def first_after(self, moment: float) -> float | None:
        """Seconds from `moment` to the first acknowledgement of what was sent after it."""
        return next((at - moment for at in self.times if at >= moment), None)

    def longest_gap(self, since: float = 0.0) -> float:
        """The longest time between two acknowledgements that ended after `since`, in seconds."""
        times = self.times[max(0, bisect(self.times, since) - 1) :]
        return max((b - a for a, b in itertools.pairwise(times)), default=0.0)


class SteadyProducer:
    """Produces keyed messages at a steady rate in a thread until it is told to stop."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        *,
        keys: int = 20,
        per_second: int = 2_000,
        prefix: str = "k",
        batch_bytes: int = 1_000_000,
        settings: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        self.ledger = Ledger()
        self.sent = 0
        self._topic = topic
        self._keys = keys
        self._prefix = prefix  # of the keys
        self._pause = 1.0 / per_second
        self._stop = threading.Event()
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                **PATIENT_PRODUCER,
                "batch.size": batch_bytes,
                **(settings or {}),
            }
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> SteadyProducer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> Ledger:
        """Stop sending and wait until everything sent is acknowledged or has failed."""
        self._stop.set()
        self._thread.join()
        remaining = self._producer.flush(90)
        if remaining:
            self.ledger.failed.append(f"{remaining} messages without an answer after 90 s")
        return self.ledger

    def abandon(self) -> Ledger:
        """Stop sending and give up what is not acknowledged: nobody will send it again."""
        self._stop.set()
        self._thread.join()
        self._producer.purge()
        self._producer.flush(10)
        return self.ledger

    def wait_acknowledged_after(self, moment: float, seconds_max: float) -> float | None:
        """Wait for an acknowledgement at or after `moment`; the seconds it took, or None."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            times = self.ledger.times
            if times and times[-1] >= moment:
                return self.ledger.first_after(moment)
            self._stop.wait(0.005)
        return None

    def wait_every_key_after(self, moment: float, seconds_max: float) -> float:
        """Wait until every key has an acknowledged message that was sent from now on.

        Keys are spread over all partitions, so this is when the last partition can be written
        again, not the first. Returns the seconds since `moment`.
        """
        wait_written = self.mark()
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            if wait_written():
                return time.monotonic() - moment
            time.sleep(0.005)
        raise AssertionError(f"not all partitions could be written within {seconds_max} s")

    def mark(self) -> Callable[[], bool]:
        """Asks whether every key has an acknowledged message that was sent after this call."""
        first_number = self.sent // self._keys + 1
        latest = self.ledger.latest

        def is_written() -> bool:
            return len(latest) == self._keys and min(list(latest.values())) >= first_number

        return is_written

    def _run(self) -> None:
        try:
            self._send()
        except confluent_kafka.KafkaException as error:  # a fatal one: it sends no more
            self.ledger.failed.append(str(error))

    def _send(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            number = self.sent
            key = f"{self._prefix}{number % self._keys}"
            try:
                self._producer.produce(
                    self._topic,
                    key=key,
                    value=str(number // self._keys),
                    on_delivery=self._delivered,
                )
                self.sent += 1
            except BufferError:
                self._producer.poll(0.01)
                continue
            due += self._pause
            wait = due - time.monotonic()
            if wait > 0:
                self._producer.poll(wait)
            else:
                self._producer.poll(0)
                if wait < -0.1:
                    due = time.monotonic()  # do not catch up in a burst after an outage

    def _delivered(
        self, error: confluent_kafka.KafkaError | None, message: confluent_kafka.Message
    ) -> None:
        if error is not None:
            self.ledger.failed.append(str(error))
            return
        partition, key, number = identity_of(message)
        self.ledger.note(partition, message.offset(), key, number, time.monotonic())


def identity_of(message: confluent_kafka.Message) -> tuple[int, str, int]:
    """Partition, key and number of a message of ours."""
    partition = message.partition()
    key, value = message.key(), message.value()
    assert partition is not None
    assert key is not None
    assert value is not None
    return partition, key.decode(), int(value)


async def read_all(bootstrap: str, topic: str) -> dict[int, list[tuple[int, str, int]]]:
    """Everything in a topic by aiokafka: partition → (offset, key, number) in order."""
    consumer = aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        assigned = sorted(consumer.assignment())
        assert assigned
        ends = await consumer.end_offsets(assigned)
        found: dict[int, list[tuple[int, str, int]]] = {tp.partition: [] for tp in assigned}
        deadline = time.monotonic() + 60
        while any([await consumer.position(tp) < ends[tp] for tp in assigned]):
            if time.monotonic() > deadline:
                raise AssertionError(f"only {[len(v) for v in found.values()]} of {ends} read")
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                found[tp.partition] += [
                    (record.offset, record.key.decode(), int(record.value)) for record in records
                ]
        return found
    finally:
        await consumer.stop()


def account(
    ledger: Ledger, found: dict[int, list[tuple[int, str, int]]], *, once: bool = True
) -> None:
    """Every acknowledged message is there, in its place, in order per key and, if `once`, once.

    librdkafka begins a new producer epoch when a request in flight comes out of order behind one
    that was refused; what it was not sure of is then there twice.
    """
    assert not ledger.twice, f"one place was given to two messages: {ledger.twice[:5]}"
    places: dict[tuple[str, int], set[tuple[int, int | None]]] = defaultdict(set)
    for partition, records in found.items():
        for offset, key, number in records:
            places[(key, number)] |= {(partition, offset), (partition, None)}
    missing = [item for item in ledger.acknowledged if item not in places]
    assert not missing, f"{len(missing)} acknowledged messages are lost, the first: {missing[:5]}"
    moved = {
        item: (place, places[item])
        for item, place in ledger.acknowledged.items()
        if place not in places[item]
    }
    assert not moved, f"acknowledged messages changed place: {list(moved.items())[:5]}"
    if once:
        counts = Counter((key, number) for r in found.values() for _, key, number in r)
        repeated = [item for item, count in counts.items() if count > 1]
        assert not repeated, f"{len(repeated)} messages are there twice: {repeated[:5]}"
    for records in found.values():
        offsets = [offset for offset, _, _ in records]
        assert offsets == sorted(set(offsets))
        per_key: dict[str, list[int]] = defaultdict(list)
        for _, key, number in records:
            per_key[key].append(number)
        for key, numbers in per_key.items():
            firsts = numbers if once else [*dict.fromkeys(numbers)]
            assert firsts == sorted(numbers if once else set(numbers)), (
                f"the order of key {key} is broken"
            )
