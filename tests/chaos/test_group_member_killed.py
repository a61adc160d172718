"""Three consumers share a group; one is killed; the others take over and nothing is missed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import confluent_kafka
import pytest

from ottla.testing import Cluster
from tests.support.topics import create_topic

MESSAGES = 3_000
MEMBER = """
import sys, confluent_kafka
bootstrap, topic, group = sys.argv[1:]
consumer = confluent_kafka.Consumer({
    "bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
    "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, "auto.commit.interval.ms": 200,
})
consumer.subscribe([topic], on_assign=lambda c, ps: print("assigned", *[p.partition for p in ps],
                                                         flush=True))
while True:
    message = consumer.poll(1.0)
    if message is not None and message.error() is None:
        print("got", message.partition(), message.offset(), message.value().decode(), flush=True)
"""


class Member:
    """A consumer in a process of its own, with its output in a file."""

    def __init__(self, cluster: Cluster, topic: str, group: str, output: Path) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", MEMBER, cluster.bootstrap, topic, group], stdout=file
            )

    def lines(self, word: str) -> list[list[str]]:
        lines = self._output.read_text().splitlines(keepends=True)
        return [line.split()[1:] for line in lines if line.startswith(word) and line[-1] == "\n"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def members() -> Iterator[list[Member]]:
    members: list[Member] = []
    yield members
    for member in members:
        member.kill()


def produce(cluster: Cluster, topic: str, first: int, count: int) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    for number in range(first, first + count):
        producer.produce(topic, key=str(number % 100), value=str(number))
        producer.poll(0)
    assert producer.flush(60) == 0


def wait_until(what: str, condition: Callable[[], bool], seconds_max: float = 60.0) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds_max} s: {what}"
        time.sleep(0.05)


def test_the_others_take_over(
    ottla_cluster: Cluster, members: list[Member], tmp_path: Path
) -> None:
    cluster, topic, group = ottla_cluster, "shared-work", "workers"
    create_topic(cluster.bootstrap, topic, partitions=6)
    members += [Member(cluster, topic, group, tmp_path / f"member-{n}") for n in range(3)]

    def assignment() -> list[set[str]]:
        return [set(m.lines("assigned")[-1]) if m.lines("assigned") else set() for m in members]

    wait_until(
        "each of three members has two of six partitions",
        lambda: (
            sorted(map(len, assignment())) == [2, 2, 2]
            and set.union(*assignment()) == set("012345")
        ),
    )
    produce(cluster, topic, 0, MESSAGES)

    def values() -> set[str]:
        return {line[2] for member in members for line in member.lines("got")}

    wait_until("the first messages are consumed", lambda: len(values()) == MESSAGES)

    members[1].kill()
    produce(cluster, topic, MESSAGES, MESSAGES)
    wait_until("nothing is missed after a member died", lambda: len(values()) == 2 * MESSAGES)
    left = [members[0], members[2]]
    assert set().union(*(set(m.lines("assigned")[-1]) for m in left)) == set("012345")

    # A group that comes back goes on where it was: what was committed is not read again.
    partitions = [confluent_kafka.TopicPartition(topic, index) for index in range(6)]
    observer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": group, "enable.auto.commit": False}
    )
    ends = {tp.partition: observer.get_watermark_offsets(tp, timeout=30)[1] for tp in partitions}

    def committed() -> dict[int, int]:
        return {tp.partition: tp.offset for tp in observer.committed(partitions, timeout=30)}

    wait_until("everything that was consumed is committed", lambda: committed() == ends)
    observer.close()
    for member in left:
        member.process.terminate()
        member.process.wait()
    resumed = Member(cluster, topic, group, tmp_path / "resumed")
    members.append(resumed)
    produce(cluster, topic, 2 * MESSAGES, 100)
    wait_until(
        "the new messages are consumed",
        lambda: (
            {line[2] for line in resumed.lines("got")}
            >= {str(number) for number in range(2 * MESSAGES, 2 * MESSAGES + 100)}
        ),
    )
    first: dict[int, int] = {}
    for partition, offset, _ in resumed.lines("got"):
        first.setdefault(int(partition), int(offset))
    assert all(offset == ends[partition] for partition, offset in first.items())
