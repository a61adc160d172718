"""A topic of 1, 100 and 1,000 partitions with three replicas: made, written, read."""

from __future__ import annotations

import time

from confluent_kafka.cimpl import NewTopic

from tests.benchmark.compare import librdkafka
from tests.benchmark.compare.perf_tools import producer_performance
from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import Session, create_topics

NUMBERS = (1, 100, 1_000)
SIZE = 1_000
COUNT = 60_000


def run(session: Session) -> None:
    for number in NUMBERS[:2] if session.is_short else NUMBERS:
        key = f"partitions/{number}"
        title = f"{number:,} partition{'s' * (number > 1)}"
        topic = f"partitions-{session.round}-{number}"
        began = time.monotonic()
        create_topics(session.bootstrap, [NewTopic(topic, number, 3)])
        session.system.leaders(topic)
        if number > 1:
            session.note(
                Measure(f"{key}/made", f"{title} made, each with a leader", "s", True),
                time.monotonic() - began,
            )
        session.system.wait_in_sync(topic)
        count = session.scaled(COUNT)
        what = f"{title}: ProducerPerformance {SIZE} B, acks=all, RF 3"
        with session.cpu_per_gb(what, f"{key}/produce", count * SIZE):
            rate = producer_performance(session.bootstrap, topic, SIZE, count, {"acks": "all"})
        session.note(Measure(f"{key}/produce", what, "MB/s", False), rate)
        rate = librdkafka.consume(session.bootstrap, topic, number, SIZE, count, librdkafka.EAGER)
        session.note(
            Measure(f"{key}/consume", f"{title}: librdkafka reads it", "MB/s", False), rate
        )
