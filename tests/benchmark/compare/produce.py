"""Produce throughput: sizes, acks, replicas, compression, by two clients with their defaults."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass

from tests.benchmark.compare import librdkafka
from tests.benchmark.compare.perf_tools import MB, producer_performance
from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import Session, acknowledged_everywhere
from tests.benchmark.compare.system import PARTITIONS

LOADED = Measure("produce/loaded-memory", "memory of a node after it", "MiB", lower_is_better=True)
SIZES = (100, 1_000, 10_000)
_SECONDS, _SECONDS_OF_AIMS = 2.5, 5.0
_WARM_UP_SECONDS_MAX = 75.0
_PROBE = 20_000  # messages of the first run of the warm-up
_COUNT_MAX = 3_000_000
_COUNTS_MIN = {100: 60_000, 1_000: 20_000, 10_000: 3_000}
"""By size. With fewer a client's JVM has compiled nothing: the rate falls, and the next count."""
_GUESSES = {100: 0.5, 1_000: 1.0, 10_000: 2.0}
"""MB/s at a size by those at 1 KB, until something was measured at it."""


@dataclass(frozen=True, slots=True)
class Point:
    client: str
    size: int
    acks: str
    replicas: int
    compression: str
    batch: int | None = None
    """batch.size; None is the client's default (Java 16,384; librdkafka 1,000,000)."""

    @property
    def key(self) -> str:
        batch = f"/{self.batch}" if self.batch else ""
        return (
            f"produce/{self.client}/{self.size}/{self.acks}/rf{self.replicas}/"
            f"{self.compression}{batch}"
        )

    @property
    def title(self) -> str:
        client = "ProducerPerformance" if self.client == "java" else "librdkafka"
        batch = f", batch.size={self.batch}" if self.batch else ""
        compression = "" if self.compression == "none" else f", {self.compression}"
        return f"{client} {self.size} B, acks={self.acks}, RF {self.replicas}{compression}{batch}"

    @property
    def is_aim(self) -> bool:
        return (
            self.size == 1_000
            and self.acks == "all"
            and self.replicas == 3
            and (self.compression == "none")
        )

    def measure(self) -> Measure:
        return Measure(self.key, self.title, "MB/s", False, 1.0 if self.is_aim else None)

    def run(self, session: Session, count: int) -> float:
        """MB/s of `count` messages; noted, with the CPU that they took."""
        topic = session.new_topic(replication_factor=self.replicas)
        with session.cpu_per_gb(self.title, self.key, count * self.size):
            rate = self.produce(session, topic, count)
            # What acks=1 leaves to the followers belongs to this point and not to the next.
            acknowledged_everywhere(session.bootstrap, topic, PARTITIONS)
        session.note(self.measure(), rate)
        return rate

    def produce(self, session: Session, topic: str, count: int) -> float:
        settings = {"acks": self.acks, "compression.type": self.compression}
        if self.batch:
            settings["batch.size"] = str(self.batch)
        if self.client == "librdkafka":
            return librdkafka.produce(session.bootstrap, topic, self.size, count, settings)
        if self.acks != "all":  # Java's producer is idempotent by default, which needs all
            settings["enable.idempotence"] = "false"
        return producer_performance(session.bootstrap, topic, self.size, count, settings)


class Pace:
    """How many messages make a point that takes some seconds, by what was measured before."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._rates: dict[tuple[str, int], float] = {}

    def count(self, client: str, size: int, times: float = 1.0) -> int:
        """`times` as long as usual."""
        known = self._rates.get((client, size))
        if known is None:
            known = self._rates[(client, 1_000)] * _GUESSES[size]
        return max(
            _COUNTS_MIN[size], min(_COUNT_MAX, round(known * MB / size * self._seconds * times))
        )

    def learn(self, client: str, size: int, rate: float) -> None:
        """`rate` in MB/s."""
        self._rates[(client, size)] = rate


AIMS = [
    Point("java", 1_000, "all", 3, "none"),
    Point("java", 1_000, "all", 3, "none", 262_144),
    Point("librdkafka", 1_000, "all", 3, "none"),
]
MATRIX = [
    *(
        Point("java", size, acks, replicas, "none")
        for size, acks, replicas in itertools.product(SIZES, ("1", "all"), (1, 3))
    ),
    *(Point("java", size, "all", 3, "lz4") for size in SIZES),
    Point("java", 1_000, "1", 3, "lz4"),
    Point("java", 1_000, "all", 1, "lz4"),
]
OTHERS = [
    Point("librdkafka", 100, "all", 3, "none"),
    Point("librdkafka", 10_000, "all", 3, "none"),
    Point("librdkafka", 1_000, "1", 1, "none"),
]


def run(session: Session, *, aims_only: bool = False) -> None:
    """The points of the aims twice, first and last; the others once."""
    pace = Pace(1.0 if session.is_short else _SECONDS)
    warm_up(session, pace, 3.0 if session.is_short else _WARM_UP_SECONDS_MAX)
    others = [point for point in MATRIX + OTHERS if point not in AIMS]
    if aims_only:
        others = []
    elif session.is_short:
        others = [point for point in others if point.size == 100 and point.replicas == 3]
    for point in [*AIMS, *others, *AIMS]:
        times = _SECONDS_OF_AIMS / _SECONDS if point in AIMS else 1.0
        rate = point.run(session, pace.count(point.client, point.size, times))
        pace.learn(point.client, point.size, rate)
    for megabytes in session.system.resident_mib():
        session.note(LOADED, megabytes)


def warm_up(session: Session, pace: Pace, seconds_max: float) -> None:
    """Until what is hot has been compiled; not measured.

    A JVM's compiler is done when the nodes' CPU by payload falls no more: two times in a row less
    than a tenth below the least so far.
    """
    topic = session.new_topic()
    deadline = time.monotonic() + seconds_max
    count = dict.fromkeys(("java", "librdkafka"), _PROBE)
    least, in_a_row = math.inf, 0
    while in_a_row < 2 and time.monotonic() < deadline:
        before = session.system.cpu_seconds()
        for client in count:
            rate = Point(client, 1_000, "all", 3, "none").produce(session, topic, count[client])
            pace.learn(client, 1_000, rate)
        cost = (session.system.cpu_seconds() - before) / sum(count.values())
        in_a_row = in_a_row + 1 if cost > 0.9 * least else 0
        least = min(cost, least)
        count = {client: pace.count(client, 1_000) for client in count}
