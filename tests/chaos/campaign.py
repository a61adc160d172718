"""The chaos campaign (`make chaos MINUTES=n`): a real cluster, real clients, faults from a seed.

Rounds of overlapping faults (schedule.py, faults.py) under load; after each round everything must
be whole again within a bound:

    no node ended that was not killed, no log holds a traceback
    every partition has a leader and its whole ISR, no broker is fenced
    every key of every producer was written again, and the group and the readers read on

At the end, after a quiet time, the history of every send, read and commit is judged (checker.py,
availability.py) against what another client reads, and the replicas on the disks of the stopped
brokers are compared. The composition follows from the seed; what real processes make of it does
not, so that a failing seed need not fail again. Its folder is kept.

As root the brokers and the clients are hosts of a network of their own (namespaces.py, hosts.py);
else they share loopback, and there are no faults of networks and disks.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from ottla.client.admin import Admin
from ottla.core.errors import OttlaError
from ottla.local.plan import SettingValue
from ottla.testing import Cluster
from tests.chaos.availability import gaps
from tests.chaos.checker import Kind, Violation, check_group, check_topic
from tests.chaos.churn import TopicChurn
from tests.chaos.clients import Producer, Reader, read_to_the_end, wait_read
from tests.chaos.driver import Driver
from tests.chaos.faults import KINDS
from tests.chaos.group import READER, Group
from tests.chaos.history import Place, TopicHistory
from tests.chaos.namespaces import Network
from tests.chaos.replicas import compare, verify
from tests.chaos.report import Result, rows_of, told_by_logs
from tests.chaos.scene import Scene
from tests.chaos.schedule import rounds

SETTINGS: dict[str, SettingValue] = {
    # The ISR shrinks while a fault holds, not only after most of them are healed.
    "replica.lag.time.max.ms": 5_000,
    "log.segment.bytes": 1 << 20,
    "log.retention.ms": -1,
}
MEMBERS = 2
READERS = ("reader-1", "reader-2")
WRITTEN_SECONDS_MAX = 30.0
IN_SYNC_SECONDS_MAX = 60.0
READ_SECONDS_MAX = 40.0
SLACK_MAX = 4.0
OPEN_PARTITIONS_SHOWN = 5
_KEYS_APART = 1_000


class Failure(Exception):
    """Something that must not happen has happened, and the campaign cannot go on."""


class Campaign:
    """A cluster under load; `run` breaks it until the time is over, and judges."""

    def __init__(
        self,
        cluster: Cluster,
        seed: int,
        *,
        churn: bool = True,
        network: Network | None = None,
        say: Callable[[str], None],
    ) -> None:
        self.topics = {
            name: TopicHistory(name, partitions, once)
            for name, partitions, once in (
                ("once-1", 1, True),
                ("once-3", 3, True),
                ("once-synced", 1, True),
                ("defaults-3", 3, False),
            )
        }
        self._rates = {"once-1": 150.0, "once-3": 150.0, "once-synced": 25.0, "defaults-3": 150.0}
        self._cluster = cluster
        self._seed = seed
        self._say = say
        self._where = "loopback" if network is None else "namespaces"
        self._scene = Scene(
            cluster,
            {topic.name: topic.partitions for topic in self.topics.values()},
            network=network,
        )
        self.driver = Driver(self._scene, say)
        self._churn = TopicChurn(cluster.bootstrap, seed) if churn else None
        self.group = Group(cluster.bootstrap, self.topics, MEMBERS)
        self._producers: list[Producer] = []
        self._readers: list[Reader] = []
        self._slack_max = 1.0

    def run(self, seconds: float, kinds: Sequence[str], rounds_max: int | None = None) -> Result:
        """Rounds until the time is over, or so many. Nothing is raised for what the cluster does:
        the result tells."""
        result = Result(self._seed, seconds, self._where)
        began_at = time.monotonic()
        self._start_clients()
        try:
            self._settle("the start")
            for steps in rounds(self._seed, [KINDS[name].plan(name) for name in kinds]):
                if time.monotonic() - began_at > seconds or result.rounds == rounds_max:
                    break
                result.rounds += 1
                self._say(f"round {result.rounds}, {self._acknowledged():,} acknowledged")
                injuries = self.driver.play(steps)
                took = self._settle(f"round {result.rounds}")
                for injury in injuries:
                    injury.whole_at = time.monotonic()
                self._say(f"  whole again after {took:.1f} s")
            if self._churn is not None:
                self._churn.finish()
                self._wait_in_sync("topics that came and went")
        except (Failure, OttlaError, AssertionError) as error:
            result.failure = str(error)
            self._say(f"  FAILED: {error}")
        finally:
            if self._churn is not None:
                self._churn.stop()
            if result.failure is not None:
                self._revive()
            for producer in self._producers:
                producer.finish()
        self._judge(result)
        return result

    def _revive(self) -> None:
        """After a failure: what can be told of the history is told by nodes that run."""
        if self._scene.network is not None:
            self._scene.network.heal_all()
        with contextlib.suppress(OttlaError):
            for node in self._scene.taken & set(self._cluster.running):
                self._cluster.resume(node)
            self._cluster.start_all()

    def _start_clients(self) -> None:
        with Admin(self._cluster.bootstrap) as admin:
            for name, topic in self.topics.items():
                synced = {"flush.messages": "1"} if name == "once-synced" else {}
                admin.create_topic(name, topic.partitions, configs=synced)
        bootstrap = self._cluster.bootstrap
        self._producers = [
            Producer(
                bootstrap,
                topic,
                first_key=index * _KEYS_APART,
                per_second=self._rates[topic.name],
            )
            for index, topic in enumerate(self.topics.values())
        ]
        self._readers = [Reader(name, bootstrap, self.topics) for name in READERS]
        for start in [c.start for c in self._producers] + [c.start for c in self._readers]:
            start()
        self.group.start()
        if self._churn is not None:
            self._churn.start()

    def _acknowledged(self) -> int:
        return sum(len(topic.acks) for topic in self.topics.values())

    def _slack(self) -> float:
        """How much longer than on an idle machine things may take now."""
        slack = min(SLACK_MAX, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))
        self._slack_max = max(self._slack_max, slack)
        return slack

    def _settle(self, after: str) -> float:
        """Wait until everything is whole; the seconds that took."""
        began_at = time.monotonic()
        self._wait_in_sync(after)
        marks = [producer.mark() for producer in self._producers]
        self._wait(WRITTEN_SECONDS_MAX, lambda: all(mark() for mark in marks), f"writes {after}")
        behind = wait_read(
            list(self.topics.values()), (*READERS, READER), READ_SECONDS_MAX * self._slack()
        )
        if behind is not None:
            raise Failure(f"after {after} {behind}")
        for node in self._cluster.node_ids:
            if "Traceback" in self._cluster.log(node):
                raise Failure(f"after {after} node {node} has a traceback in its log")
        return time.monotonic() - began_at

    def _wait_in_sync(self, after: str) -> None:
        problems: list[str] = []

        def is_whole() -> bool:
            problems[:] = self._scene.problems()
            return not problems

        self._wait(IN_SYNC_SECONDS_MAX, is_whole, f"in sync after {after}", problems)

    def _wait(
        self, seconds: float, is_so: Callable[[], bool], what: str, why: Sequence[str] = ()
    ) -> None:
        deadline = time.monotonic() + seconds * self._slack()
        while not is_so():
            if ended := set(self._cluster.ended):
                raise Failure(f"nodes ended by themselves: {sorted(ended)}")
            if time.monotonic() > deadline:
                shown = "; ".join(why[:OPEN_PARTITIONS_SHOWN])
                raise Failure(f"not within {seconds:.0f} s: {what}: {len(why)}: {shown}")
            time.sleep(0.05)

    def _judge(self, result: Result) -> None:
        topics = list(self.topics.values())
        try:
            behind = wait_read(topics, (*READERS, READER), READ_SECONDS_MAX * self._slack())
            self._finish_readers()
            for topic in topics:
                final = asyncio.run(read_to_the_end(self._cluster.bootstrap, topic.name))
                result.violations += check_topic(topic, final)
            if behind is not None:
                result.failure = result.failure or behind
            if result.failure is None:
                self._compare_replicas(result)
        except (OttlaError, TimeoutError, AssertionError) as error:
            result.failure = result.failure or f"the end could not be read: {error!r}"
        result.violations += check_group(self.group.history)
        times = self._times()
        # A client of librdkafka's defaults waits a minute for a broker that is silent, and tells
        # nothing of the partition.
        patient = [place for place in times if self.topics[place[0]].once]
        result.violations += [
            Violation(
                Kind.UNAVAILABLE,
                place,
                f"{gap.seconds:.1f} s, {gap.allowed_seconds:.1f} s allowed",
                gap.began_at,
            )
            for place in patient
            for gap in gaps(times[place], self.driver.injuries, slack=self._slack_max)
            if gap.is_too_long
        ]
        result.rows = rows_of(self.driver.injuries, times, patient, result.violations)
        result.sent = sum(sum(topic.sent.values()) for topic in topics)
        result.acknowledged = self._acknowledged()
        result.read = sum(len(reads.offsets) for t in topics for reads in t.reads.values())
        result.commits = sum(c.is_acknowledged for c in self.group.history.commits)
        result.assignments = self.group.history.assignments
        result.skipped = self.driver.skipped
        result.load = self._slack_max
        if self._churn is not None:
            result.topics_churned = self._churn.changes
        result.logs = told_by_logs([self._cluster.log(n) for n in self._cluster.node_ids])

    def _finish_readers(self) -> None:
        for reader in self._readers:
            reader.finish()
        self.group.finish()

    def _compare_replicas(self, result: Result) -> None:
        """Stops the cluster: what is on its disks then is all that it has."""
        if not self._cluster.stop_all():
            result.failure = result.failure or "not every node stopped cleanly at the end"
        partitions = {topic.name: topic.partitions for topic in self.topics.values()}
        directories = self._scene.log_directories()
        result.violations += compare(directories, partitions) + verify(directories)

    def _times(self) -> Mapping[Place, list[float]]:
        times: dict[Place, list[float]] = defaultdict(list)
        for topic in self.topics.values():
            for ack in topic.acks:
                times[topic.name, ack.partition].append(ack.at)
        return times
