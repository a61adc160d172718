"""From nothing to the first acknowledged record, and what the nodes hold then."""

from __future__ import annotations

import time

import confluent_kafka
from confluent_kafka.cimpl import NewTopic

from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import Session, acknowledged_everywhere, create_topics
from tests.benchmark.compare.system import PARTITIONS, System

START = Measure(
    "start/first-acknowledged",
    "start of three nodes → first acknowledged records (RF 3, acks=all)",
    "s",
    lower_is_better=True,
    aim=0.25,
)
START_CPU = Measure("start/cpu", "CPU of the nodes until then", "s", lower_is_better=True)
IDLE = Measure("start/idle-memory", "idle memory of a node", "MiB", lower_is_better=True, aim=0.2)
IDLE_CPU = Measure("start/idle-cpu", "CPU of three idle nodes", "s/s", lower_is_better=True)
_IDLE_SECONDS = 4.0
_SECONDS_MAX = 120.0


def wait_first_acknowledged(system: System, topic: str) -> None:
    """A topic with three replicas is made as soon as that can be, and each partition written."""
    deadline = time.monotonic() + _SECONDS_MAX
    while True:
        try:
            create_topics(system.bootstrap, [NewTopic(topic, PARTITIONS, 3)])
            break
        except confluent_kafka.KafkaException as error:
            # Nobody listens yet, or not all brokers are members.
            if time.monotonic() > deadline:
                raise
            if error.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS:
                break
            time.sleep(0.05)
    acknowledged_everywhere(system.bootstrap, topic, PARTITIONS)


def run(session: Session) -> None:
    """The session's system has not been started, and is ended."""
    system = session.system
    try:
        began = time.monotonic()
        system.spawn_all()
        wait_first_acknowledged(system, "first")
        session.note(START, time.monotonic() - began)
        session.note(START_CPU, system.cpu_seconds())
        time.sleep(2)
        cpu, began = system.cpu_seconds(), time.monotonic()
        time.sleep(_IDLE_SECONDS)
        used = system.cpu_seconds() - cpu
        session.note(IDLE_CPU, used / (time.monotonic() - began))
        for megabytes in system.resident_mib():
            session.note(IDLE, megabytes)
    finally:
        system.close()
