"""1,000 topics of one partition with three replicas, made and deleted, 100 a request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import ClusterMetadata
from confluent_kafka.cimpl import NewTopic

from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import QUIET, Session, create_topics

NUMBER = 1_000
_A_REQUEST = 100
_PREFIX = "one-of-many-"
_SECONDS_MAX = 180.0


def run(session: Session) -> None:
    admin = AdminClient({"bootstrap.servers": session.bootstrap, **QUIET})
    number = session.scaled(NUMBER)
    names = [f"{_PREFIX}{index}" for index in range(number)]

    def note(what: str, title: str, unit: str, value: float) -> None:
        session.note(Measure(f"topics/{what}", title, unit, lower_is_better=True), value)

    began = time.monotonic()
    for part in _parts(names):
        create_topics(session.bootstrap, [NewTopic(name, 1, 3) for name in part])
    _wait(admin, lambda cluster: _led(cluster) == number, "made")
    title = f"{number:,} topics (RF 3) made, each with a leader"
    note("made", title, "s", time.monotonic() - began)
    for megabytes in session.system.resident_mib():
        note("memory", f"memory of a node with {number:,} topics", "MiB", megabytes)

    began = time.monotonic()
    for part in _parts(names):
        for future in admin.delete_topics(part, request_timeout=60).values():
            future.result(60)
    _wait(admin, lambda cluster: not any(_ours(cluster)), "deleted")
    note("deleted", f"{number:,} topics deleted", "s", time.monotonic() - began)


def _parts(names: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(names), _A_REQUEST):
        yield names[first : first + _A_REQUEST]


def _ours(cluster: ClusterMetadata) -> Iterator[str]:
    return (name for name in cluster.topics if name.startswith(_PREFIX))


def _led(cluster: ClusterMetadata) -> int:
    return sum(
        all(p.leader >= 0 for p in cluster.topics[name].partitions.values())
        for name in _ours(cluster)
        if cluster.topics[name].partitions
    )


def _wait(admin: AdminClient, is_so: Callable[[ClusterMetadata], bool], what: str) -> None:
    deadline = time.monotonic() + _SECONDS_MAX
    while not is_so(admin.list_topics(timeout=30)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the topics were not {what} within {_SECONDS_MAX:.0f} s")
        time.sleep(0.05)
