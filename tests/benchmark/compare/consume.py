"""Consume throughput of one topic, cold and from the page cache, by two clients."""

from __future__ import annotations

import os

from tests.benchmark.compare import librdkafka
from tests.benchmark.compare.perf_tools import consumer_performance
from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import Session, acknowledged_everywhere
from tests.benchmark.compare.system import PARTITIONS, System

SIZE = 1_000
COUNT = 400_000
_TRIES = 2
_CLIENTS: dict[str, tuple[str, dict[str, str]]] = {
    "java": ("ConsumerPerformance", {}),
    "librdkafka": ("librdkafka, fetch.queue.backoff.ms=10,", librdkafka.EAGER),
    "librdkafka-defaults": ("librdkafka at its defaults,", {}),
}
_HAVE_AIMS = ("java", "librdkafka")


def drop_from_page_cache(system: System) -> None:
    """Segments are written out and forgotten, whatever else the machine's page cache holds."""
    for directory in system.log_directories():
        for file in directory.rglob("*.log"):
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def run(session: Session) -> None:
    topic = session.new_topic()
    count = session.scaled(COUNT)
    librdkafka.produce(session.bootstrap, topic, SIZE, count, {"acks": "1"})
    acknowledged_everywhere(session.bootstrap, topic, PARTITIONS)
    _java(session, topic, count)  # not measured: the first of its kind
    for _ in range(_TRIES):
        for client in _CLIENTS:
            _measured(session, topic, count, client=client, is_cold=False)
    for client in _CLIENTS:
        drop_from_page_cache(session.system)
        _measured(session, topic, count, client=client, is_cold=True)


def _measured(session: Session, topic: str, count: int, *, client: str, is_cold: bool) -> None:
    key = f"consume/{client}/{'cold' if is_cold else 'cached'}"
    name, settings = _CLIENTS[client]
    title = f"{name} {SIZE} B, {'cold' if is_cold else 'from the page cache'}"
    with session.cpu_per_gb(title, key, count * SIZE):
        if client == "java":
            rate = _java(session, topic, count)
        else:
            rate = librdkafka.consume(session.bootstrap, topic, PARTITIONS, SIZE, count, settings)
    aim = 1.0 if client in _HAVE_AIMS and not is_cold else None
    session.note(Measure(key, title, "MB/s", False, aim), rate)


def _java(session: Session, topic: str, count: int) -> float:
    return consumer_performance(session.bootstrap, topic, SIZE, count)
