"""Failure detection: from the harm to a cluster at work again, under load.

    a leader that is not the controller    kill -9 → next acknowledged write
    the active controller                  kill -9 → next admin call answered (a topic is made)
    a process that is both                 kill -9 → next acknowledged write
    the active controller, SIGSTOP 30 s    fenced by its lease; written meanwhile; rejoins by itself

A write counts once every partition of a topic was written again with all acknowledgements. What was
acknowledged is accounted for after every try.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ottla.client.admin import Admin
from ottla.testing import Cluster
from tests.benchmark.measure import Brokers, Measure
from tests.support.ledger import SteadyProducer, account, read_all
from tests.support.topics import create_topic

PAUSE_SECONDS = 30.0
SECONDS_MAX = 60.0


class FailOvers:
    """Tries on one cluster of three; a topic of three partitions for each try."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._brokers = Brokers(cluster)
        self._tries = 0

    def try_one(self, harm: Callable[[str, SteadyProducer], None], cpu_of: Measure) -> float:
        """One try of `harm`, which gets a topic under load; the longest gap between its
        acknowledgements."""
        self._tries += 1
        topic = f"fail-over-{self._tries}"
        create_topic(self._cluster.bootstrap, topic)
        self._cluster.wait_in_sync(topic)
        with SteadyProducer(self._cluster.bootstrap, topic) as producer:
            producer.wait_acknowledged_after(time.monotonic() + 0.5, 30)
            cpu = self._brokers.cpu_seconds()
            harm(topic, producer)
            self._cluster.wait_in_sync(topic)
            ledger = producer.finish()
        account(ledger, asyncio.run(read_all(self._cluster.bootstrap, topic)))
        cpu_of.cpu_seconds.append(max(0.0, self._brokers.cpu_seconds() - cpu))
        return ledger.longest_gap()

    def a_leader_only(self, topic: str) -> int:
        controller = self._cluster.controller()
        leaders = [self._cluster.leader(topic, index) for index in range(3)]
        return next((node for node in leaders if node != controller), leaders[0])

    def leading_controller(self, topic: str) -> int:
        """Leaders are spread: with as many partitions as brokers, each of them leads one."""
        controller = self._cluster.controller()
        leaders = {self._cluster.leader(topic, index) for index in range(3)}
        if controller not in leaders:
            raise RuntimeError(f"node {controller} controls, and leads nothing of {topic}")
        return controller

    def kill_until_written(self, victim: int, producer: SteadyProducer) -> float:
        self._cluster.kill(victim)
        seconds = producer.wait_every_key_after(time.monotonic(), SECONDS_MAX)
        self._cluster.start(victim)
        return seconds

    def kill_until_administered(self, victim: int) -> float:
        self._cluster.kill(victim)
        killed_at = time.monotonic()
        with Admin(self._cluster.bootstrap, timeout_seconds=SECONDS_MAX) as admin:
            admin.create_topic(f"administered-{self._tries}")
        seconds = time.monotonic() - killed_at
        self._cluster.start(victim)
        return seconds

    def pause(self, victim: int, producer: SteadyProducer) -> tuple[float, float, float]:
        """Seconds from the SIGSTOP until it was fenced and until all was written again, and from
        the SIGCONT until it is a member again and in sync."""
        other = next(node for node in self._cluster.node_ids if node != victim)
        self._cluster.pause(victim)
        paused_at = time.monotonic()
        while victim in self._members(other):
            if time.monotonic() - paused_at > PAUSE_SECONDS:
                raise RuntimeError(f"node {victim} stands still and is not fenced")
            time.sleep(0.01)
        fenced = time.monotonic() - paused_at
        producer.wait_every_key_after(paused_at, SECONDS_MAX)
        written = time.monotonic() - paused_at
        time.sleep(max(0.0, paused_at + PAUSE_SECONDS - time.monotonic()))
        self._cluster.resume(victim)
        resumed_at = time.monotonic()
        self._cluster.wait_serving(victim)
        self._cluster.wait_in_sync(f"fail-over-{self._tries}")
        return fenced, written, time.monotonic() - resumed_at

    def _members(self, node: int) -> set[int]:
        with Admin(self._cluster.address(node), timeout_seconds=SECONDS_MAX) as admin:
            return {b.broker_id for b in admin.describe_cluster().brokers if not b.fenced}


def fail_over(measures: list[Measure], kills: int, pauses: int) -> None:
    """So many tries of each kill and of the pause."""
    leader = Measure("kill -9 of a leader → next acknowledged write", "s", True, "1 s")
    admin = Measure("kill -9 of the active controller → next admin call", "s", True, "2 s")
    both = Measure("kill -9 of a process that is both → next acknowledged write", "s", True, "2 s")
    gap = Measure("longest gap between acknowledgements of these", "s", True)
    fenced = Measure("SIGSTOP of the active controller, a leader → fenced", "s", True, "lease: 3 s")
    written = Measure("the same → next acknowledged write", "s", True)
    rejoined = Measure("SIGCONT after 30 s → a member and in sync", "s", True)
    with Cluster(brokers=3) as cluster:
        tries = FailOvers(cluster)

        def kill_leader(topic: str, producer: SteadyProducer) -> None:
            leader.values.append(tries.kill_until_written(tries.a_leader_only(topic), producer))

        def kill_controller(topic: str, producer: SteadyProducer) -> None:
            admin.values.append(tries.kill_until_administered(cluster.controller()))

        def kill_both(topic: str, producer: SteadyProducer) -> None:
            both.values.append(tries.kill_until_written(tries.leading_controller(topic), producer))

        def pause_both(topic: str, producer: SteadyProducer) -> None:
            seconds = tries.pause(tries.leading_controller(topic), producer)
            for measure, value in zip((fenced, written, rejoined), seconds, strict=True):
                measure.values.append(value)

        for measure, harm in ((leader, kill_leader), (admin, kill_controller), (both, kill_both)):
            for _ in range(kills):
                gap.values.append(tries.try_one(harm, measure))
        for _ in range(pauses):
            tries.try_one(pause_both, fenced)
    measures += [leader, admin, both, gap, fenced, written, rejoined]
