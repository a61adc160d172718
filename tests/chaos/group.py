"""A consumer group that is watched: what it saw, and whether it ever skipped or went back too far.

Every member notes each record and each commit. Checked as it happens:

    inside one assignment the offsets of a partition have no gap
    an assignment begins neither behind what was committed before it nor beyond what was seen

and at the end by `Group.missed`: each acknowledged record was seen by some member.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence

import confluent_kafka

from tests.support.ledger import Ledger

COMMIT_SECONDS = 0.5
GROUP = "chaos-group"

Place = tuple[str, int]
"""Topic and partition."""


class Group:
    """Members in threads; `faults` holds a sentence for each wrong thing that was observed."""

    def __init__(self, bootstrap: str, topics: Sequence[str], members: int) -> None:
        self.faults: list[str] = []
        self.seen: dict[Place, set[int]] = defaultdict(set)
        self.committed: dict[Place, int] = {}
        self.assignments = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._bootstrap = bootstrap
        self._topics = list(topics)
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(members)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def missed(self, topic: str, ledger: Ledger) -> list[tuple[int, int]]:
        """Places of acknowledged records that no member has seen."""
        return [
            (partition, offset)
            for partition, offset in list(ledger.acknowledged.values())
            if offset is not None and offset not in self.seen[topic, partition]
        ]

    def wait_seen(self, topic: str, ledger: Ledger, seconds_max: float) -> None:
        """Wait until all that is acknowledged by now was seen."""
        deadline = time.monotonic() + seconds_max
        wanted: dict[int, int] = {}
        for partition, offset in list(ledger.acknowledged.values()):
            if offset is not None:
                wanted[partition] = max(offset, wanted.get(partition, -1))
        while behind := [p for p, last in wanted.items() if last not in self.seen[topic, p]]:
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"the group does not get on with {topic} {behind} within {seconds_max:.0f} s"
                )
            time.sleep(0.02)

    def _run(self) -> None:
        next_offset: dict[Place, int] = {}

        def on_assign(_: object, partitions: list[confluent_kafka.TopicPartition]) -> None:
            self.assignments += 1
            next_offset.clear()

        def on_commit(
            error: confluent_kafka.KafkaError | None,
            partitions: list[confluent_kafka.TopicPartition],
        ) -> None:
            if error is not None:
                return
            with self._lock:
                for each in partitions:
                    if each.error is None and each.offset >= 0:
                        place = (each.topic, each.partition)
                        self.committed[place] = max(each.offset, self.committed.get(place, 0))

        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": GROUP,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": 6_000,
                "heartbeat.interval.ms": 500,
                "on_commit": on_commit,
            }
        )
        consumer.subscribe(self._topics, on_assign=on_assign)
        commit_at = time.monotonic() + COMMIT_SECONDS
        try:
            while not self._stop.is_set():
                message = consumer.poll(0.1)
                if message is not None and message.error() is None:
                    self._take(message, next_offset)
                if time.monotonic() >= commit_at and next_offset:
                    consumer.commit(asynchronous=True)
                    commit_at = time.monotonic() + COMMIT_SECONDS
        finally:
            consumer.close()

    def _take(self, message: confluent_kafka.Message, next_offset: dict[Place, int]) -> None:
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        place = (str(message.topic()), partition)
        seen = self.seen[place]
        expected = next_offset.get(place)
        next_offset[place] = offset + 1
        if expected is None:
            with self._lock:
                committed = self.committed.get(place, 0)
            # Another member may have committed more since the position was asked for.
            if offset < committed - self._slack(place):
                self.faults.append(f"{place} resumed at {offset}, committed was {committed}")
            if offset > 0 and offset - 1 not in seen:
                self.faults.append(f"{place} resumed at {offset}, before it was not seen")
        elif offset != expected:
            self.faults.append(f"{place} came to {offset} after {expected - 1}")
        seen.add(offset)

    def _slack(self, place: Place) -> int:
        """Committed offsets in flight at the moment of a rebalance: what is sent in two commits."""
        return 4_000
