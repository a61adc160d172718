"""The faults of the campaign: what is done to the cluster, and how it is healed.

A fault is a generator: up to its first `yield` it does the damage, after it it heals. What it
yields says from when the time to the next acknowledged write counts: `CLUSTER_SERVES` from the
damage (a majority lives, so clients need not wait for the healing), `CLUSTER_IS_DOWN` from the
healing.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator
from enum import Enum

from ottla.client.admin import Admin
from ottla.core.errors import OttlaError
from ottla.testing import Cluster

LONG_PAUSE_SECONDS = 30.0


class Expect(Enum):
    """What clients may expect between damage and healing."""

    CLUSTER_SERVES = "serves"
    CLUSTER_IS_DOWN = "is down"


class Damage:
    """The cluster and the dice for one fault, and a line about what was done."""

    def __init__(self, cluster: Cluster, topic: str, partitions: int, rng: random.Random) -> None:
        self.cluster = cluster
        self.rng = rng
        self.about = ""
        self.began_at = 0.0
        """Monotonic seconds of the first harm."""
        self._topic = topic
        self._partitions = partitions

    def leader(self) -> int:
        return self.cluster.leader(self._topic, self.rng.randrange(self._partitions))

    def follower(self) -> int:
        """A broker that does not lead a certain partition."""
        leader = self.leader()
        return self.rng.choice([node for node in self.cluster.node_ids if node != leader])

    def begin(self) -> None:
        """Called right before the first harm: to find a victim takes time of its own."""
        self.began_at = self.began_at or time.monotonic()

    def kill(self, node: int) -> None:
        """SIGKILL."""
        self.begin()
        self.cluster.kill(node)

    def kill_last(self, node: int) -> None:
        """The last of several kills: the time to the next write counts from here."""
        self.began_at = 0.0
        self.kill(node)

    def unfenced(self) -> set[int]:
        """The brokers that are members in the eyes of the live ones."""
        with Admin(self.cluster.bootstrap, timeout_seconds=15.0) as admin:
            return {b.broker_id for b in admin.describe_cluster().brokers if not b.fenced}

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


Fault = Callable[[Damage], Generator[Expect, None, None]]


def _kill_and_start(damage: Damage, node: int) -> Generator[Expect, None, None]:
    damage.about = f"node {node}"
    damage.kill(node)
    yield Expect.CLUSTER_SERVES
    damage.cluster.start(node)


def kill_leader(damage: Damage) -> Generator[Expect, None, None]:
    return _kill_and_start(damage, damage.leader())


def kill_follower(damage: Damage) -> Generator[Expect, None, None]:
    return _kill_and_start(damage, damage.follower())


def kill_controller(damage: Damage) -> Generator[Expect, None, None]:
    return _kill_and_start(damage, damage.cluster.controller())


def kill_two(damage: Damage) -> Generator[Expect, None, None]:
    nodes = damage.rng.sample(damage.cluster.node_ids, 2)
    damage.about = f"nodes {nodes}"
    for node in nodes:
        damage.kill(node)
        damage.sleep(damage.rng.choice([0.0, 0.05, 0.5]))
    yield Expect.CLUSTER_IS_DOWN
    for node in nodes:
        damage.cluster.start(node, wait=False)
    for node in nodes:
        damage.cluster.wait_serving(node)


def kill_all(damage: Damage) -> Generator[Expect, None, None]:
    damage.begin()
    damage.cluster.kill_all()
    yield Expect.CLUSTER_IS_DOWN
    damage.cluster.start_all()


def terminate(damage: Damage) -> Generator[Expect, None, None]:
    node = damage.rng.choice(damage.cluster.node_ids)
    damage.about = f"node {node}"
    damage.begin()
    if not damage.cluster.stop(node):
        raise OttlaError(f"node {node} did not stop cleanly on SIGTERM")
    yield Expect.CLUSTER_SERVES
    damage.cluster.start(node)


def terminate_all(damage: Damage) -> Generator[Expect, None, None]:
    """SIGTERM of every node at once."""
    damage.begin()
    if not damage.cluster.stop_all():
        raise OttlaError("not every node stopped cleanly on SIGTERM")
    yield Expect.CLUSTER_IS_DOWN
    damage.cluster.start_all()


def long_pause(damage: Damage) -> Generator[Expect, None, None]:
    """SIGSTOP of the active controller, which leads partitions too, for 30 s: it is fenced when
    its lease ends, and rejoins by itself."""
    node = damage.cluster.controller()
    damage.about = f"node {node}, the active controller"
    damage.begin()
    damage.cluster.pause(node)
    resumed_at = time.monotonic() + LONG_PAUSE_SECONDS
    yield Expect.CLUSTER_SERVES
    damage.sleep(max(0.0, resumed_at - time.monotonic()))
    if node in damage.unfenced():
        raise OttlaError(
            f"node {node} stood still for {LONG_PAUSE_SECONDS:.0f} s and is not fenced"
        )
    damage.cluster.resume(node)
    damage.cluster.wait_serving(node)


def pause(damage: Damage) -> Generator[Expect, None, None]:
    """SIGSTOP for 0.5 to 10 s."""
    choose = damage.rng.choice([damage.leader, damage.follower, damage.cluster.controller])
    node = choose()
    seconds = round(damage.rng.choice([0.5, 1.0, 2.0, 2.9, 3.1, 4.0, 6.0, 10.0]), 1)
    damage.about = f"node {node} for {seconds} s"
    damage.begin()
    damage.cluster.pause(node)
    timer = threading.Timer(seconds, damage.cluster.resume, (node,))
    timer.start()
    yield Expect.CLUSTER_SERVES
    timer.join()
    damage.cluster.wait_serving(node)


def kill_start_kill(damage: Damage) -> Generator[Expect, None, None]:
    """The same node killed again soon after it was started, several times."""
    node = damage.rng.choice([damage.leader(), damage.cluster.controller()])
    times = damage.rng.randint(2, 4)
    damage.about = f"node {node}, {times} times"
    for _ in range(times):
        damage.kill(node)
        damage.cluster.start(node, wait=damage.rng.random() < 0.5)
        damage.sleep(damage.rng.uniform(0.0, 0.5))
    damage.kill_last(node)
    yield Expect.CLUSTER_SERVES
    damage.cluster.start(node)


def kill_during_start(damage: Damage) -> Generator[Expect, None, None]:
    """Killed at a random moment of its first second of life, when it recovers and registers."""
    node = damage.rng.choice(damage.cluster.node_ids)
    after = damage.rng.uniform(0.05, 1.2)
    damage.about = f"node {node}, {after:.2f} s after its start"
    damage.kill(node)
    damage.sleep(damage.rng.uniform(0.0, 1.0))
    damage.cluster.start(node, wait=False)
    damage.sleep(after)
    damage.kill_last(node)
    yield Expect.CLUSTER_SERVES
    damage.cluster.start(node)


FAULTS: dict[str, Fault] = {
    "kill leader": kill_leader,
    "kill follower": kill_follower,
    "kill controller": kill_controller,
    "kill two": kill_two,
    "kill all": kill_all,
    "terminate": terminate,
    "terminate all": terminate_all,
    "pause": pause,
    "long pause": long_pause,
    "kill-start-kill": kill_start_kill,
    "kill during start": kill_during_start,
}
