"""kill -9 of a leader that is not the controller, and of the active controller, under load."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from ottla.client.admin import Admin
from ottla.client.model import NewTopic
from ottla.core.errors import ErrorCode, ProtocolError
from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import QUIET, Session
from tests.support.ledger import SteadyProducer

LEADER = Measure(
    "fail-over/leader", "kill -9 of a leader → all partitions written again", "s", True, 0.2
)
CONTROLLER_ADMIN = Measure(
    "fail-over/controller-admin", "kill -9 of the active controller → next topic made", "s",
    True, 0.2,
)  # fmt: skip
CONTROLLER_WRITE = Measure(
    "fail-over/controller-write", "kill -9 of the active controller → all partitions written again",
    "s", True, 0.2,
)  # fmt: skip
_SECONDS_MAX = 90.0


def run(session: Session) -> None:
    system = session.system
    topic = session.new_topic()
    with SteadyProducer(session.bootstrap, topic, settings=QUIET) as producer:
        producer.wait_acknowledged_after(time.monotonic() + 0.5, 30)
        controller = system.controller()
        victim = next(node for node in system.leaders(topic) if node != controller)
        system.kill(victim)
        session.note(LEADER, producer.wait_every_key_after(time.monotonic(), _SECONDS_MAX))
    _back(session, victim, topic)

    made_at: list[float] = []
    with SteadyProducer(session.bootstrap, topic, settings=QUIET) as producer:
        producer.wait_acknowledged_after(time.monotonic() + 0.5, 30)
        with Admin(session.bootstrap, timeout_seconds=_SECONDS_MAX) as admin:
            admin.describe_cluster()
            victim = system.controller()
            system.kill(victim)
            killed_at = time.monotonic()
            with ThreadPoolExecutor(1) as background:
                made = background.submit(_make_topic, admin, f"after-{killed_at}")
                made.add_done_callback(lambda _: made_at.append(time.monotonic()))
                written = producer.wait_every_key_after(killed_at, _SECONDS_MAX)
                made.result()
        session.note(CONTROLLER_WRITE, written)
        session.note(CONTROLLER_ADMIN, made_at[0] - killed_at)
    _back(session, victim, topic)


def _make_topic(admin: Admin, name: str) -> None:
    """With two replicas, which the nodes that are left can have; asks until it is made."""
    try:
        admin.create_topics([NewTopic(name, 1, 2)])
    except ProtocolError as error:
        if error.code != ErrorCode.TOPIC_ALREADY_EXISTS:  # made, but its answer was lost
            raise


def _back(session: Session, node_id: int, topic: str) -> None:
    session.system.spawn(node_id)
    session.system.wait_in_sync(topic)
