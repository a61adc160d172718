"""Topics that come, grow and go while nodes die: what was made is there, what was deleted not."""

from __future__ import annotations

import random
import threading
import time

import confluent_kafka

from ottla.client.admin import Admin
from ottla.core.errors import OttlaError
from tests.chaos.clients import CLIENT_LOG

TOPICS_MAX = 6
PAUSE_SECONDS_MAX = 1.0
RECORDS = 20
SETTLE_SECONDS_MAX = 40.0


class TopicChurn:
    """Creates, writes and deletes topics in a thread. A request that fails is one whose outcome is
    open: it may have happened, and `finish` counts its topic neither as there nor as gone."""

    def __init__(self, bootstrap: str, seed: int) -> None:
        self.created = 0
        self.grown = 0
        self.deleted = 0
        self.unknown = 0
        self._bootstrap = bootstrap
        self._rng = random.Random(f"churn-{seed}")
        self._live: dict[str, int] = {}
        self._open: set[str] = set()
        self._gone: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._number = 0

    @property
    def changes(self) -> int:
        """Requests that were answered with success."""
        return self.created + self.grown + self.deleted

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(60)

    def finish(self) -> None:
        """Stop, and check what is there."""
        self.stop()
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while fault := self._fault():
            if time.monotonic() > deadline:
                raise AssertionError(fault)
            time.sleep(0.2)
        for topic, partitions in self._live.items():
            self._write(topic, partitions)

    def _fault(self) -> str | None:
        try:
            with Admin(self._bootstrap, timeout_seconds=5.0) as admin:
                there = {topic.name: len(topic.partitions) for topic in admin.list_topics()}
        except OttlaError as error:
            return str(error)
        lost = set(self._live) - there.keys() - self._open
        if lost:
            return f"topics that were created are not there: {sorted(lost)}"
        small = [
            name for name in self._live.keys() & there.keys() if there[name] < self._live[name]
        ]
        if small:
            return f"topics that were grown are not: {sorted(small)}"
        left = (self._gone & there.keys()) - self._open
        return f"topics that were deleted are there: {sorted(left)}" if left else None

    def _run(self) -> None:
        while not self._stop.wait(self._rng.uniform(0.0, PAUSE_SECONDS_MAX)):
            if len(self._live) < TOPICS_MAX and self._rng.random() < 0.6:
                self._create()
            elif self._live and self._rng.random() < 0.4:
                self._grow(self._rng.choice(sorted(self._live)))
            elif self._live:
                self._delete(self._rng.choice(sorted(self._live)))

    def _create(self) -> None:
        self._number += 1
        # Every third name is one that was deleted before: another topic of the same name.
        reused = sorted(self._gone - self._open)
        name = f"churn-{self._number}"
        if reused and self._number % 3 == 0:
            name = self._rng.choice(reused)
        partitions = self._rng.randint(1, 4)
        try:
            with Admin(self._bootstrap, timeout_seconds=10.0) as admin:
                admin.create_topic(name, partitions=partitions)
        except OttlaError:
            self.unknown += 1
            self._open.add(name)
            return
        self.created += 1
        self._gone.discard(name)
        self._live[name] = partitions
        if self._rng.random() < 0.5:
            self._write(name, partitions, must=False)

    def _grow(self, name: str) -> None:
        """One more partition. Where the outcome is open, the partition is not counted on."""
        total = self._live[name] + 1
        try:
            with Admin(self._bootstrap, timeout_seconds=10.0) as admin:
                admin.create_partitions(name, total)
        except OttlaError:
            self.unknown += 1
            return
        self.grown += 1
        self._live[name] = total

    def _delete(self, name: str) -> None:
        del self._live[name]
        try:
            with Admin(self._bootstrap, timeout_seconds=10.0) as admin:
                admin.delete_topic(name)
        except OttlaError:
            self.unknown += 1
            self._open.add(name)
            return
        self.deleted += 1
        self._gone.add(name)

    def _write(self, topic: str, partitions: int, *, must: bool = True) -> None:
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": self._bootstrap, "acks": "all", "message.timeout.ms": 30_000},
            logger=CLIENT_LOG,
        )
        failed: list[str] = []

        def delivered(error: confluent_kafka.KafkaError | None, _: object) -> None:
            if error is not None:
                failed.append(str(error))

        for number in range(RECORDS):
            producer.produce(
                topic, value=str(number), partition=number % partitions, on_delivery=delivered
            )
        left = producer.flush(40 if must else 2)
        if must and (failed or left):
            raise AssertionError(f"{topic} cannot be written: {failed[:2]}, {left} left")
