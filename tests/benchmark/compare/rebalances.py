"""A group of ten consumers over 100 partitions: it forms, one joins, one leaves."""

from __future__ import annotations

import time

from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import Session
from tests.benchmark.groups import CONSUMER, PARTITIONS, STRATEGIES, Group

SIZE = 10


def run(session: Session) -> None:
    topic = session.new_topic(partitions=PARTITIONS)
    _first_group(session, topic)
    for strategy in ("cooperative-sticky", CONSUMER):
        name = f"group of {SIZE} over {PARTITIONS} partitions, {STRATEGIES[strategy]}"
        group = Group(session.bootstrap, topic, f"{strategy}-{session.round}", strategy)

        def note(what: str, title: str, began: float) -> None:
            measure = Measure(f"groups/{strategy}/{what}", f"{name}: {title} → stable", "s", True)  # noqa: B023
            session.note(measure, group.stable_after(began))  # noqa: B023

        try:
            began = time.monotonic()
            group.join(SIZE)
            note("start", "start", began)
            began = time.monotonic()
            group.join(1)
            note("join", "one joins", began)
            began = time.monotonic()
            group.members.pop().leave()
            note("leave", "one leaves", began)
        finally:
            group.close()


def _first_group(session: Session, topic: str) -> None:
    """The first of all makes __consumer_offsets come about; that is not part of a rebalance."""
    group = Group(session.bootstrap, topic, f"first-{session.round}", CONSUMER)
    try:
        group.join(1)
        group.stable_after(time.monotonic())
    finally:
        group.close()
