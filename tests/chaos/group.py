"""A consumer group that is watched: what it read, where it resumed, what it was told is committed.

Members read all topics and commit twice a second; an observer asks twice a second what is
committed. The history is judged by checker.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import confluent_kafka

from ottla.client.admin import Admin
from ottla.core.errors import OttlaError
from tests.chaos.clients import CLIENT_LOG, note_read
from tests.chaos.history import (
    Commit,
    GroupHistory,
    Observation,
    Place,
    Resume,
    TopicHistory,
)

COMMIT_SECONDS = 0.5
OBSERVE_SECONDS = 0.5
GROUP = "chaos-group"
READER = "group"
"""The name of the members together, as a reader."""


class Group:
    """Members and an observer, in threads."""

    def __init__(self, bootstrap: str, topics: Mapping[str, TopicHistory], members: int) -> None:
        self.history = GroupHistory()
        self._stop = threading.Event()
        self._bootstrap = bootstrap
        self._topics = topics
        self._reading = threading.Lock()
        self._threads = [threading.Thread(target=self._member, daemon=True) for _ in range(members)]
        self._observer = threading.Thread(target=self._observe, daemon=True)

    def start(self) -> None:
        for thread in (*self._threads, self._observer):
            thread.start()

    def finish(self) -> None:
        """Stop all; the last thing asked is what is committed at the end."""
        self._stop.set()
        for thread in (*self._threads, self._observer):
            thread.join(60)
        self.ask()

    def ask(self, timeout_seconds: float = 20.0) -> None:
        """Note what is committed. OttlaError when nobody says."""
        asked_at = time.monotonic()
        with Admin(self._bootstrap, timeout_seconds=timeout_seconds) as admin:
            told = admin.committed_offsets(GROUP)
        now = time.monotonic()
        with self.history.lock:
            self.history.observations += [
                Observation(asked_at, now, (topic.name, partition), offset)
                for topic in self._topics.values()
                for partition in range(topic.partitions)
                for offset in [told.get((topic.name, partition))]
            ]

    def _observe(self) -> None:
        while not self._stop.wait(OBSERVE_SECONDS):
            try:
                self.ask(timeout_seconds=3.0)
            except OttlaError:
                continue  # faults do that

    def _member(self) -> None:
        resuming: dict[Place, float] = {}
        positions: dict[Place, int] = {}

        def on_assign(_: object, partitions: list[confluent_kafka.TopicPartition]) -> None:
            now = time.monotonic()
            with self.history.lock:
                self.history.assignments += 1
            positions.clear()
            resuming.clear()
            resuming.update({(each.topic, each.partition): now for each in partitions})

        def on_revoke(_: object, __: list[confluent_kafka.TopicPartition]) -> None:
            positions.clear()

        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "client.id": READER,
                "group.id": GROUP,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": 6_000,
                "heartbeat.interval.ms": 500,
                "socket.timeout.ms": 6_000,
                "reconnect.backoff.max.ms": 500,
                "topic.metadata.refresh.fast.interval.ms": 50,
            },
            logger=CLIENT_LOG,
        )
        consumer.subscribe(list(self._topics), on_assign=on_assign, on_revoke=on_revoke)
        commit_at = time.monotonic() + COMMIT_SECONDS
        try:
            while not self._stop.is_set():
                # One at a time: within a batch nobody knows what came before a rebalance.
                message = consumer.poll(0.1)
                if message is not None and message.error() is None:
                    place, offset = self._take(message, resuming)
                    positions[place] = offset + 1
                if time.monotonic() >= commit_at and positions:
                    self._commit(consumer, positions)
                    commit_at = time.monotonic() + COMMIT_SECONDS
        finally:
            consumer.close()

    def _commit(self, consumer: confluent_kafka.Consumer, positions: dict[Place, int]) -> None:
        """One commit at a time: librdkafka repeats one that failed behind those sent since."""
        wanted = [
            confluent_kafka.TopicPartition(topic, partition, offset)
            for (topic, partition), offset in positions.items()
        ]
        positions.clear()  # only what is new is committed the next time
        codes: dict[Place, object] = {}
        try:
            done = consumer.commit(offsets=wanted, asynchronous=False) or []
        except confluent_kafka.KafkaException as error:
            codes = {(each.topic, each.partition): error for each in wanted}
        else:
            codes = {(each.topic, each.partition): each.error for each in done}
        now = time.monotonic()
        with self.history.lock:
            self.history.commits += [
                Commit(now, place, each.offset, is_acknowledged=codes.get(place, "lost") is None)
                for each in wanted
                for place in [(each.topic, each.partition)]
            ]

    def _take(
        self, message: confluent_kafka.Message, resuming: dict[Place, float]
    ) -> tuple[Place, int]:
        topic = self._topics[str(message.topic())]
        with self._reading:  # members share a column
            offset = note_read(topic, READER, message)
        partition = message.partition()
        assert partition is not None
        place = (topic.name, partition)
        assigned_at = resuming.pop(place, None)
        if assigned_at is not None:
            with self.history.lock:
                self.history.resumes.append(Resume(assigned_at, place, offset))
        return place, offset
