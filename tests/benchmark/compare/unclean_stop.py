"""kill -9 of all three nodes with data that was not flushed, and their start."""

from __future__ import annotations

import time

from tests.benchmark.compare import librdkafka
from tests.benchmark.compare.perf_tools import MB
from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import Session, acknowledged_everywhere
from tests.benchmark.compare.system import PARTITIONS

SIZE = 1_000
COUNT = 300_000


def run(session: Session) -> None:
    topic = session.new_topic()
    count = session.scaled(COUNT)
    librdkafka.produce(session.bootstrap, topic, SIZE, count, {"acks": "all"})
    acknowledged_everywhere(session.bootstrap, topic, PARTITIONS)
    session.system.kill_all()
    began = time.monotonic()
    session.system.spawn_all()
    acknowledged_everywhere(session.bootstrap, topic, PARTITIONS)
    seconds = time.monotonic() - began
    title = (
        f"kill -9 of all nodes, {count * SIZE // MB} MB of a topic not flushed → all partitions "
        "written again (RF 3, acks=all)"
    )
    session.note(Measure("unclean-stop/restart", title, "s", lower_is_better=True), seconds)
    session.system.wait_in_sync(topic)
