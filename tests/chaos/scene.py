"""What faults act on: the cluster, its network and disks, and who plays which part in it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ottla.client.admin import Admin
from ottla.core.errors import OttlaError
from ottla.local.health import brokers_seen
from ottla.testing import Cluster
from tests.chaos.history import Place
from tests.chaos.hosts import HostedCluster
from tests.chaos.namespaces import Network

ASK_SECONDS_MAX = 5.0


class NotNow(Exception):
    """This fault cannot be done at the moment: those who could be its victims are taken."""


class Scene:
    """One campaign's cluster. On loopback there is no network to break and no disk to fill.

    `taken` nodes are somebody's victim as processes: they may be dead or stand still, and no
    second fault starts, stops or pauses them.
    """

    def __init__(
        self,
        cluster: Cluster,
        partitions: Mapping[str, int],
        *,
        network: Network | None = None,
    ) -> None:
        self.cluster = cluster
        self.network = network
        self.taken: set[int] = set()
        self.full: set[int] = set()
        self.slow: set[int] = set()
        self.clock_jumped = False
        self._partitions = dict(partitions)

    @property
    def hosted(self) -> HostedCluster:
        assert isinstance(self.cluster, HostedCluster)
        return self.cluster

    def log_directories(self) -> list[Path]:
        if isinstance(self.cluster, HostedCluster):
            return self.cluster.log_directories()
        return [self.cluster.directory / f"node-{node}" / "log" for node in self.nodes]

    @property
    def nodes(self) -> list[int]:
        return self.cluster.node_ids

    def leader(self, rng: random.Random) -> int:
        """Who leads a partition that the dice choose; anyone when nobody says."""
        topic, partition = self._place(rng)
        return self._ask(
            lambda admin: admin.describe_topic(topic).partitions[partition].leader_id, rng
        )

    def follower(self, rng: random.Random) -> int:
        leader = self.leader(rng)
        return rng.choice([node for node in self.nodes if node != leader])

    def controller(self, rng: random.Random) -> int:
        return self._ask(lambda admin: admin.describe_cluster().controller_id, rng)

    def leading_controller(self, rng: random.Random) -> int:
        """The active controller if it leads a partition too, which it does almost always."""
        controller = self.controller(rng)
        topic, _ = self._place(rng)
        try:
            with Admin(self.cluster.bootstrap, timeout_seconds=ASK_SECONDS_MAX) as admin:
                leads = {p.leader_id for p in admin.describe_topic(topic).partitions}
        except OttlaError:
            return controller
        if controller not in leads and len(leads) > 1:
            raise NotNow(f"node {controller} controls and leads nothing of {topic}")
        return controller

    def anyone(self, rng: random.Random) -> int:
        return rng.choice(self.nodes)

    def take(self, node: int) -> int:
        """The node is this fault's until `free`; NotNow when it is another's."""
        if node in self.taken:
            raise NotNow(f"node {node} is another fault's victim")
        self.taken.add(node)
        return node

    def take_all(self) -> None:
        if self.taken:
            raise NotNow(f"nodes {sorted(self.taken)} are another fault's victims")
        self.taken.update(self.nodes)

    def check_serves(self, node: int) -> None:
        """NotNow while a node only starts: a SIGTERM may then end it before it listens to any."""
        if node not in brokers_seen(self.cluster.address(node)):
            raise NotNow(f"node {node} does not serve yet")

    def free(self, *nodes: int) -> None:
        self.taken.difference_update(nodes)

    def problems(self) -> list[str]:
        """What keeps the cluster from being whole: fenced brokers, partitions of any topic, the
        internal ones too, without a leader or a full ISR."""
        try:
            with Admin(self.cluster.bootstrap, timeout_seconds=ASK_SECONDS_MAX) as admin:
                brokers = {b.broker_id for b in admin.describe_cluster().brokers if not b.fenced}
                topics = admin.list_topics(internal=True)
        except OttlaError as error:
            return [str(error)]
        return [f"broker {n} is fenced" for n in self.nodes if n not in brokers] + [
            f"{topic.name}-{p.index}: leader {p.leader_id}, ISR {p.isr}"
            for topic in topics
            for p in topic.partitions
            if p.leader_id is None or set(p.isr) != set(p.replicas)
        ]

    def is_fenced(self, node: int) -> bool:
        with Admin(self.cluster.bootstrap, timeout_seconds=3 * ASK_SECONDS_MAX) as admin:
            brokers = admin.describe_cluster().brokers
        return node not in {b.broker_id for b in brokers if not b.fenced}

    def _place(self, rng: random.Random) -> Place:
        topic = rng.choice(sorted(self._partitions))
        return topic, rng.randrange(self._partitions[topic])

    def _ask(self, question: Callable[[Admin], int | None], rng: random.Random) -> int:
        other = rng.choice(self.nodes)  # drawn in any case, so that the dice stay in step
        deadline = time.monotonic() + ASK_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                with Admin(self.cluster.bootstrap, timeout_seconds=ASK_SECONDS_MAX) as admin:
                    answer = question(admin)
            except OttlaError:
                break
            if answer is not None:
                return answer
            time.sleep(0.1)
        return other
