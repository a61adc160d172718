"""The chaos campaign: seeded faults under load, everything accounted for (`make chaos`).

Three brokers; idempotent producers with acks=all over topics of one and of three partitions; a
consumer group on all of them; on request topics that come and go. One fault after the other, each
healed; after each one

    every partition is written again and every replica is in sync
    the group reads on
    no node ended that was not killed, no log holds a traceback

and at the end every acknowledged record is in its place, once, in order per key, and was seen by
the group. The report has a line a kind of fault. On failure the nodes' folders are kept.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ottla.client.admin import Admin
from ottla.core.errors import OttlaError
from ottla.testing import Cluster
from tests.chaos.churn import TopicChurn
from tests.chaos.faults import FAULTS, Damage, Expect
from tests.chaos.group import Group
from tests.support.ledger import Ledger, SteadyProducer, account, read_all
from tests.support.topics import create_topic

TOPICS = {"chaos-one": 1, "chaos-three": 3, "chaos-three-more": 3}
PER_SECOND = 300
MEMBERS = 2
WRITTEN_SECONDS_MAX = 30.0
IN_SYNC_SECONDS_MAX = 45.0
GROUP_SECONDS_MAX = 40.0
OPEN_PARTITIONS_SHOWN = 5
LONG_SECONDS_MIN = 300.0
"""Shorter campaigns leave out the fault that takes half a minute."""


@dataclass
class Kind:
    """What one kind of fault cost, in seconds."""

    to_next_write: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    to_sync: list[float] = field(default_factory=list)


class Failure(Exception):
    """Something that must not happen has happened."""


class Campaign:
    """A cluster under load; `run` does faults until the time is over."""

    def __init__(
        self, cluster: Cluster, seed: int, *, churn: bool, say: Callable[[str], None]
    ) -> None:
        self.kinds: dict[str, Kind] = defaultdict(Kind)
        self._cluster = cluster
        self._rng = random.Random(seed)
        self._say = say
        self._producers: dict[str, SteadyProducer] = {}
        self._churn = TopicChurn(cluster.bootstrap, seed) if churn else None
        self._group = Group(cluster.bootstrap, list(TOPICS), MEMBERS)

    def run(self, seconds: float, kinds: Sequence[str]) -> None:
        """Every kind is dealt once before any comes again."""
        for topic, partitions in TOPICS.items():
            create_topic(self._cluster.bootstrap, topic, partitions)
            self._producers[topic] = SteadyProducer(
                self._cluster.bootstrap, topic, per_second=PER_SECOND
            )
        for producer in self._producers.values():
            producer.start()
        self._group.start()
        if self._churn is not None:
            self._churn.start()
        try:
            self._settle("start")
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                for name in self._rng.sample(list(kinds), len(kinds)):
                    if time.monotonic() < deadline:
                        self._once(name)
                        time.sleep(self._rng.uniform(0.0, 1.0))
            if self._churn is not None:
                self._churn.finish()
                self._wait_in_sync()
        finally:
            if self._churn is not None:
                self._churn.stop()
            ledgers = {topic: p.finish() for topic, p in self._producers.items()}
        self._account(ledgers)

    def _once(self, name: str) -> None:
        topic = self._rng.choice(list(TOPICS))
        damage = Damage(self._cluster, topic, TOPICS[topic], self._rng)
        fault = FAULTS[name](damage)
        expect = next(fault)
        began = damage.began_at
        if expect is Expect.CLUSTER_SERVES:
            took = self._written(began)
        healing = time.monotonic()
        for _ in fault:
            pass
        if expect is Expect.CLUSTER_IS_DOWN:
            took = self._written(healing)
        kind = self.kinds[name]
        kind.to_next_write.append(took)
        self._settle(name)
        kind.to_sync.append(time.monotonic() - healing)
        gap = max(p.ledger.longest_gap(began) for p in self._producers.values())
        kind.gaps.append(gap)
        self._say(
            f"{name} ({damage.about or 'every node'}): written again after {took:.2f} s, longest "
            f"gap {gap:.2f} s, in sync {kind.to_sync[-1]:.2f} s after healing began"
        )

    def _written(self, moment: float) -> float:
        """Seconds from `moment` until every partition has acknowledged what was sent from now."""
        marks = {topic: producer.mark() for topic, producer in self._producers.items()}
        deadline = time.monotonic() + WRITTEN_SECONDS_MAX
        while waiting := [topic for topic, is_written in marks.items() if not is_written()]:
            self._check_running()
            if time.monotonic() > deadline:
                raise Failure(f"{waiting} not written within {WRITTEN_SECONDS_MAX:.0f} s")
            time.sleep(0.005)
        return time.monotonic() - moment

    def _settle(self, name: str) -> None:
        self._written(time.monotonic())
        self._wait_in_sync()
        for topic, producer in self._producers.items():
            self._group.wait_seen(topic, producer.ledger, GROUP_SECONDS_MAX)
            if producer.ledger.failed:
                raise Failure(f"a producer failed after {name}: {producer.ledger.failed[:3]}")
        if self._group.faults:
            raise Failure(f"the group after {name}: {self._group.faults[:5]}")
        self._check_running()
        self._check_logs()

    def _wait_in_sync(self) -> None:
        """Every partition of every topic, the internal ones too, has a leader and its whole ISR;
        no broker is fenced."""
        deadline = time.monotonic() + IN_SYNC_SECONDS_MAX
        while True:
            problems = self._problems()
            if not problems:
                return
            if time.monotonic() > deadline:
                shown = "; ".join(problems[:OPEN_PARTITIONS_SHOWN])
                raise Failure(
                    f"not in sync within {IN_SYNC_SECONDS_MAX:.0f} s: {len(problems)}: {shown}"
                )
            time.sleep(0.05)

    def _problems(self) -> list[str]:
        try:
            with Admin(self._cluster.bootstrap, timeout_seconds=5.0) as admin:
                live = {b.broker_id for b in admin.describe_cluster().brokers if not b.fenced}
                topics = admin.list_topics(internal=True)
        except OttlaError as error:
            return [str(error)]
        problems = [f"broker {n} is fenced" for n in self._cluster.node_ids if n not in live]
        for topic in topics:
            for p in topic.partitions:
                if p.leader_id is None or set(p.isr) != set(p.replicas):
                    problems.append(f"{topic.name}-{p.index}: leader {p.leader_id}, ISR {p.isr}")
        return problems

    def _check_running(self) -> None:
        ended = set(self._cluster.ended)
        if ended:
            raise Failure(f"nodes ended by themselves: {sorted(ended)}")

    def _check_logs(self) -> None:
        for node in self._cluster.node_ids:
            if "Traceback" in self._cluster.log(node):
                raise Failure(f"node {node} has a traceback in its log")

    def _account(self, ledgers: dict[str, Ledger]) -> None:
        for topic, ledger in ledgers.items():
            if ledger.failed:
                raise Failure(f"{topic}: {len(ledger.failed)} failed: {ledger.failed[:3]}")
            account(ledger, asyncio.run(read_all(self._cluster.bootstrap, topic)))
            self._group.wait_seen(topic, ledger, GROUP_SECONDS_MAX)
            missed = self._group.missed(topic, ledger)
            if missed:
                raise Failure(f"{topic}: the group missed {len(missed)}: {missed[:5]}")
        self._group.stop()
        if self._group.faults:
            raise Failure(f"the group: {self._group.faults[:5]}")
        if (churn := self._churn) is not None:
            self._say(
                f"{churn.created} topics created, {churn.deleted} deleted, {churn.unknown} "
                "requests with an open outcome"
            )
        acknowledged = sum(len(ledger.acknowledged) for ledger in ledgers.values())
        self._say(
            f"{acknowledged} messages acknowledged, all in place, in order, once; "
            f"{self._group.assignments} assignments of the group, nothing missed"
        )


def table(kinds: dict[str, Kind]) -> str:
    """One line a kind of fault, seconds."""
    head = f"{'fault':<20}{'times':>6}  {'next write':>17}  {'longest gap':>17}  {'in sync':>17}"
    under = f"{'':<20}{'':>6}" + f"  {'median':>8}{'worst':>9}" * 3
    lines = [head, under]
    for name, kind in sorted(kinds.items()):
        shown = "".join(
            f"  {statistics.median(values):>8.2f}{max(values):>9.2f}"
            for values in (kind.to_next_write, kind.gaps, kind.to_sync)
            if values
        )
        lines.append(f"{name:<20}{len(kind.to_sync):>6}{shown}")
    return "\n".join(lines)


def told_by_logs(logs: Sequence[str]) -> str:
    """What the nodes say about themselves: changes in office, fences, loops that stood still."""
    text = "".join(logs)
    stalls = [int(ms) for ms in re.findall(r"the event loop stood still for (\d+) ms", text)]
    return (
        f"{text.count('active controller, epoch')} times a controller took office; fenced "
        f"{text.count('is dead: fence it')} times as dead and "
        f"{text.count('was not heard of: fence it')} times by lease; "
        f"{len(stalls)} stalls of a loop, the longest {max(stalls, default=0)} ms"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when nothing was lost and everything healed."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kinds", default=None, help="comma-separated; default: all that fit")
    parser.add_argument("--no-churn", action="store_true", help="no topics that come and go")
    parser.add_argument("--keep", action="store_true", help="keep the nodes' folders in any case")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    if options.kinds is None:
        kinds = [k for k in FAULTS if k != "long pause" or options.seconds >= LONG_SECONDS_MIN]
    else:
        kinds = [name.strip() for name in options.kinds.split(",")]
    folder = Path(tempfile.mkdtemp(prefix="ottla-chaos-"))
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f}  {line}", flush=True)  # noqa: T201

    say(f"seed {seed}, {options.seconds:.0f} s")
    kinds_seen: dict[str, Kind] = {}
    try:
        with Cluster(brokers=3, directory=folder / "cluster") as cluster:
            campaign = Campaign(cluster, seed, churn=not options.no_churn, say=say)
            kinds_seen = campaign.kinds
            campaign.run(options.seconds, kinds)
            say(told_by_logs([cluster.log(node) for node in cluster.node_ids]))
    except (Failure, AssertionError, OttlaError) as error:
        say(f"FAILED with seed {seed}: {error}; the nodes' folders are in {folder}")
        print(table(kinds_seen))  # noqa: T201
        return 1
    print(table(kinds_seen))  # noqa: T201
    if options.keep:
        say(f"the nodes' folders are in {folder}")
    else:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
