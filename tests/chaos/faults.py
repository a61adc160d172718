"""The faults of a campaign: what is done to the cluster, and how it is healed.

A fault is a generator. It does its damage, yields a `Harm` with what it did and for how many
seconds it stays so, and heals when it is resumed; it may yield more than once. NotNow before its
first harm: it is tried again a little later. One thread steps all faults that are at work.

`bound_seconds` is how long a fault may keep partitions from being written although a majority is
well, and where it comes from:

   2–5  nothing is away: clients connect again
    10  a dead process is fenced within a second; election, and clients that find the new leader
    15  a silent one when its lease of 3 s ends; clients give up a silent connection after 5 s
    25  a silent follower leaves the ISR after replica.lag.time.max.ms (5 s); the way there, over a
        connection that works in one direction, is found dead by time-outs of gRPC and clients

Kinds with `stops` promise nothing while they hold, beyond that nothing acknowledged is lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass

from ottla.core.errors import OttlaError
from tests.chaos.hosts import JUMPING_CLOCK
from tests.chaos.namespaces import CLIENTS, Drop, cut_between, cut_off, lossy
from tests.chaos.scene import NotNow, Scene
from tests.chaos.schedule import KindPlan

RESTART_SECONDS_MAX = 60.0
POLL_SECONDS = 0.1
SLOW_BYTES_PER_SECOND = 64 * 1024


@dataclass(frozen=True, slots=True)
class Harm:
    """What was done, to which nodes, and in how many seconds the fault goes on."""

    about: str
    seconds: float
    nodes: frozenset[int] = frozenset()


Steps = Generator[Harm, None, None]
Fault = Callable[[Scene, random.Random, float], Steps]
"""Made of the scene, the dice and the seconds to hold."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. `needs`: "network", "disks", "clock" or nothing."""

    fault: Fault
    hold_seconds: tuple[float, float]
    bound_seconds: float
    stops: bool = False
    alone: bool = False
    needs: str = ""

    def plan(self, name: str) -> KindPlan:
        return KindPlan(name, self.hold_seconds, self.alone)


# Processes


def _start(scene: Scene, *nodes: int) -> None:
    for node in nodes:
        scene.cluster.start(node, wait=False)
    scene.free(*nodes)


def _kill(scene: Scene, node: int, seconds: float, what: str = "") -> Steps:
    scene.take(node)
    scene.cluster.kill(node)
    yield Harm(f"node {node}{what}", seconds, frozenset({node}))
    _start(scene, node)


def kill_leader(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    return _kill(scene, scene.leader(rng), seconds)


def kill_follower(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    return _kill(scene, scene.follower(rng), seconds)


def kill_controller(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    return _kill(scene, scene.controller(rng), seconds)


def kill_leading_controller(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    return _kill(scene, scene.leading_controller(rng), seconds, ", controller and leader")


def kill_two(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    nodes = rng.sample(scene.nodes, 2)
    pause = rng.choice([0.0, 0.05, 0.5])
    if scene.taken & set(nodes):
        raise NotNow(f"nodes {nodes} are not both free")
    for node in nodes:
        scene.take(node)
    scene.cluster.kill(nodes[0])
    yield Harm(f"nodes {nodes}, {pause} s apart", pause, frozenset(nodes))
    scene.cluster.kill(nodes[1])
    yield Harm("", seconds, frozenset(nodes))
    _start(scene, *nodes)


def kill_all(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    scene.take_all()
    scene.cluster.kill_all()
    yield Harm("every node", seconds, frozenset(scene.nodes))
    _start(scene, *rng.sample(scene.nodes, len(scene.nodes)))


def kill_again(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """The same node, several times, each at a random moment of its first seconds of life."""
    node = scene.take(scene.anyone(rng))
    lives = [rng.uniform(0.05, 2.0) for _ in range(rng.randint(1, 4))]
    told = ", ".join(f"{life:.2f}" for life in lives)
    harmed = frozenset({node})
    scene.cluster.kill(node)
    for life in lives:
        yield Harm(f"node {node}, again after {told} s", rng.uniform(0.0, 1.0), harmed)
        scene.cluster.start(node, wait=False)
        yield Harm("", life, harmed)
        scene.cluster.kill(node)
    yield Harm("", seconds, harmed)
    _start(scene, node)


def _stop(scene: Scene, node: int) -> None:
    if not scene.cluster.stop(node):
        raise OttlaError(f"node {node} did not stop cleanly on SIGTERM")


def terminate(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    node = scene.anyone(rng)
    scene.check_serves(node)
    _stop(scene, scene.take(node))
    yield Harm(f"node {node}", seconds, frozenset({node}))
    _start(scene, node)


def terminate_all(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """SIGTERM of every node at once."""
    for node in scene.nodes:
        scene.check_serves(node)
    scene.take_all()
    if not scene.cluster.stop_all():
        raise OttlaError("not every node stopped cleanly on SIGTERM")
    yield Harm("every node", seconds, frozenset(scene.nodes))
    _start(scene, *rng.sample(scene.nodes, len(scene.nodes)))


def rolling_restart(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """SIGTERM one after the other, each once everything is in sync again."""
    scene.take_all()
    order = rng.sample(scene.nodes, len(scene.nodes))
    for node in order:
        _stop(scene, node)
        scene.cluster.start(node, wait=False)
        waited = 0.0
        while scene.problems():
            if waited > RESTART_SECONDS_MAX:
                raise OttlaError(f"not in sync {RESTART_SECONDS_MAX:.0f} s after a restart")
            # It harms no two nodes at once, so that nothing is excused.
            yield Harm(f"nodes {order}", POLL_SECONDS)
            waited += POLL_SECONDS
    scene.free(*scene.nodes)


def _pause(scene: Scene, node: int, seconds: float) -> Steps:
    scene.take(node)
    scene.cluster.pause(node)
    yield Harm(f"node {node} for {seconds:.1f} s", seconds, frozenset({node}))
    scene.cluster.resume(node)
    scene.free(node)


def pause(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    choose = rng.choice([scene.leader, scene.follower, scene.controller])
    return _pause(scene, choose(rng), seconds)


def long_pause(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """SIGSTOP of the active controller, which leads too: fenced by its lease, rejoins by itself."""
    node = scene.take(scene.controller(rng))
    scene.cluster.pause(node)
    yield Harm(f"node {node}, the active controller", seconds, frozenset({node}))
    fenced = scene.is_fenced(node)
    scene.cluster.resume(node)
    scene.free(node)
    if not fenced:
        raise OttlaError(f"node {node} stood still for {seconds:.0f} s and is not fenced")


# Network


def _network(scene: Scene, drops: tuple[Drop, ...], harm: Harm, rng: random.Random) -> Steps:
    assert scene.network is not None
    name = f"fault-{rng.getrandbits(64):x}"
    scene.network.set_fault(name, drops)
    yield harm
    scene.network.heal(name)


def isolate(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """One node is cut off from everybody, clients included."""
    node = rng.choice([scene.leader, scene.controller, scene.anyone])(rng)
    harm = Harm(f"node {node} for {seconds:.1f} s", seconds, frozenset({node}))
    return _network(scene, cut_off(node), harm, rng)


def isolate_from_brokers(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """One node is cut off from the other brokers; clients still reach it, and it may believe that
    it leads."""
    node = rng.choice([scene.leader, scene.controller, scene.anyone])(rng)
    others = [other for other in scene.nodes if other != node]
    drops = tuple(drop for other in others for drop in cut_between(node, other))
    harm = Harm(f"node {node} for {seconds:.1f} s", seconds, frozenset({node}))
    return _network(scene, drops, harm, rng)


def one_way(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """What one node sends to another is lost; the other direction works."""
    source, target = rng.sample(scene.nodes, 2)
    harm = Harm(f"{source} → {target} for {seconds:.1f} s", seconds, frozenset({source}))
    return _network(scene, (Drop(source, target),), harm, rng)


def between_two(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """Two nodes cannot talk; both reach the third."""
    one, other = rng.sample(scene.nodes, 2)
    harm = Harm(f"{one} and {other} for {seconds:.1f} s", seconds, frozenset({one}))
    return _network(scene, cut_between(one, other), harm, rng)


def loss(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """Some of all frames from and to one node are lost."""
    node, percent = scene.anyone(rng), rng.choice([5, 10, 20, 30, 40])
    harm = Harm(f"{percent} % of node {node} for {seconds:.1f} s", seconds, frozenset({node}))
    return _network(scene, lossy(node, percent), harm, rng)


def resets(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """Every open connection between a node and one or all others is broken, again and again."""
    assert scene.network is not None
    node = rng.choice([scene.leader, scene.controller, scene.anyone])(rng)
    others = [*(n for n in scene.nodes if n != node), CLIENTS]
    peers = rng.choice([others, [rng.choice(others)]])
    shown = ", ".join("clients" if peer == CLIENTS else str(peer) for peer in peers)
    pause = rng.choice([0.3, 1.0, 3.0])
    left = seconds
    while left > 0:
        for peer in peers:
            scene.network.reset_connections(node, peer)
        yield Harm(f"node {node} and {shown} every {pause} s", min(pause, left))
        left -= pause


# Disks


def disk_full(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """Another program takes every byte of a broker's disk, and gives it back."""
    free = sorted(set(scene.hosted.disks) - scene.full)
    if not free:
        raise NotNow("every small disk is full")
    node = rng.choice(free)
    scene.full.add(node)
    scene.hosted.disks[node].fill()
    yield Harm(f"node {node} for {seconds:.1f} s", seconds, frozenset({node}))
    scene.hosted.disks[node].clear()
    scene.full.discard(node)


def slow_disk(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """Writes that one node waits for (syncs of the quorum's journal, of logs) crawl."""
    node = rng.choice(sorted(set(scene.nodes) - scene.slow) or scene.nodes)
    if node in scene.slow:
        raise NotNow("every disk is slow")
    scene.slow.add(node)
    scene.hosted.limit_disk(node, SLOW_BYTES_PER_SECOND)
    yield Harm(
        f"node {node}, {SLOW_BYTES_PER_SECOND // 1024} KiB/s for {seconds:.1f} s",
        seconds,
        frozenset({node}),
    )
    scene.hosted.limit_disk(node, 0)
    scene.slow.discard(node)


def clock_jump(scene: Scene, rng: random.Random, seconds: float) -> Steps:
    """One node's wall clock is wrong for a while; jumps of more than an hour back would make it
    refuse timestamps of clients (message.timestamp.after.max.ms)."""
    if scene.clock_jumped:
        raise NotNow("the clock has jumped already")
    scene.clock_jumped = True
    jump = rng.choice([-1_800, -60, 60, 1_800, 6 * 3_600])
    scene.hosted.set_clock(jump)
    yield Harm(f"node {JUMPING_CLOCK}, {jump:+d} s for {seconds:.1f} s", seconds)
    scene.hosted.set_clock(0)
    scene.clock_jumped = False


KINDS: dict[str, Kind] = {
    "kill leader": Kind(kill_leader, (0.0, 6.0), 10),
    "kill follower": Kind(kill_follower, (0.0, 6.0), 10),
    "kill controller": Kind(kill_controller, (0.0, 6.0), 10),
    "kill controller+leader": Kind(kill_leading_controller, (0.0, 6.0), 10),
    "kill two": Kind(kill_two, (0.0, 4.0), 20),
    "kill all": Kind(kill_all, (0.0, 3.0), 20),
    "kill again": Kind(kill_again, (0.0, 3.0), 10),
    "terminate": Kind(terminate, (0.0, 4.0), 10),
    "terminate all": Kind(terminate_all, (0.0, 2.0), 20),
    "rolling restart": Kind(rolling_restart, (0.0, 0.0), 10, alone=True),
    "pause": Kind(pause, (0.5, 12.0), 15),
    "long pause": Kind(long_pause, (30.0, 30.0), 15, alone=True),
    "isolate": Kind(isolate, (1.0, 15.0), 15, needs="network"),
    "isolate from brokers": Kind(isolate_from_brokers, (1.0, 15.0), 25, needs="network"),
    "one way": Kind(one_way, (1.0, 15.0), 25, needs="network"),
    "between two": Kind(between_two, (1.0, 15.0), 25, needs="network"),
    "packet loss": Kind(loss, (3.0, 15.0), 15, stops=True, needs="network"),
    "connection resets": Kind(resets, (0.5, 8.0), 2, stops=True, needs="network"),
    "clock jump": Kind(clock_jump, (2.0, 15.0), 5, needs="clock"),
    "disk full": Kind(disk_full, (2.0, 12.0), 15, needs="disks"),
    "slow disk": Kind(slow_disk, (3.0, 15.0), 15, stops=True, needs="disks"),
}
