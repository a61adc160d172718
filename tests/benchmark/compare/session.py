"""What a family of measures is given: a running system, and where to note what it measured."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import confluent_kafka
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.benchmark.compare.samples import Measure, Results
from tests.benchmark.compare.system import PARTITIONS, System

GB = 1e9
_TOPICS = itertools.count(1)
QUIET: dict[str, str | int | bool] = {"log_level": 0}
"""Of librdkafka: a cluster that is not up yet is expected, and not worth a line a try."""


@dataclass(slots=True)
class Session:
    system: System
    results: Results
    round: int
    is_short: bool

    @property
    def bootstrap(self) -> str:
        return self.system.bootstrap

    def note(self, measure: Measure, value: float) -> None:
        self.results.note(measure, self.system.name, self.round, value)
        print(f"  {self.system.name:6} {measure.title}: {value:.4g} {measure.unit}", flush=True)

    def scaled(self, count: int) -> int:
        """Of messages: a tenth in the short form."""
        return max(1, count // 10) if self.is_short else count

    def new_topic(self, partitions: int = PARTITIONS, replication_factor: int = 3) -> str:
        """A topic of its own name with a leader of every partition and all replicas in sync."""
        name = f"compare-{next(_TOPICS)}"
        create_topics(self.bootstrap, [NewTopic(name, partitions, replication_factor)])
        self.system.leaders(name)
        self.system.wait_in_sync(name)
        return name

    @contextlib.contextmanager
    def cpu_per_gb(self, title: str, key: str, payload: int) -> Iterator[None]:
        """Notes the CPU seconds of all nodes for `payload` bytes that the block moves."""
        before = self.system.cpu_seconds()
        yield
        used = self.system.cpu_seconds() - before
        measure = Measure(f"{key}/cpu", f"CPU of the nodes, {title}", "s/GB", lower_is_better=True)
        self.note(measure, used / (payload / GB))


def create_topics(bootstrap: str, topics: list[NewTopic], seconds_max: float = 60.0) -> None:
    """One request; KafkaException when one of them was refused."""
    # A node that does not listen yet is tried again at once: the start is measured by this client.
    eager = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 50}
    admin = AdminClient({"bootstrap.servers": bootstrap, **eager, **QUIET})
    for future in admin.create_topics(topics, request_timeout=seconds_max).values():
        future.result(seconds_max)


def acknowledged_everywhere(bootstrap: str, topic: str, partitions: int) -> None:
    """One record with acks=all to each partition: every replica in sync has all before it."""
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": bootstrap, "acks": "all", "retry.backoff.max.ms": 100,
         "reconnect.backoff.max.ms": 100, "topic.metadata.refresh.fast.interval.ms": 50, **QUIET}
    )  # fmt: skip
    for partition in range(partitions):
        producer.produce(topic, b"?", partition=partition)
    if producer.flush(120):
        raise RuntimeError(f"records to {topic} are not acknowledged")
