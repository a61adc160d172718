"""What goes wrong during a run, when, and for how long.

Faults come at random and overlap. A process may be killed at any time. Power is cut, and a disk
fails, only where the promise holds: some other member of ISR or ELR has everything, and no member
is without its data of which the controller does not know yet. In durable mode that is not needed,
and all may lose their power at once.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.loop import Process
from tests.simulation.settings import KINDS

if TYPE_CHECKING:
    from tests.simulation.broker_node import BrokerNode
    from tests.simulation.world import World

HOUR_MS = 3_600_000


class Faults:
    """The faults of one run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = world.random()
        self.over = False
        self._slow: dict[tuple[str, str], int] = {}
        self._actions: dict[str, Callable[[], bool]] = {
            "crash": self.crash,
            "power cut": self.power_cut,
            "crash in mid-write": self.crash_in_mid_write,
            "pause of a broker": self.pause_broker,
            "crash of a controller": self.crash_controller,
            "pause of a controller": self.pause_controller,
            "controller replaced": self.replace_controller,
            "cut off": self.cut_off,
            "cut off one way": self.cut_off_one_way,
            "cut between two": self.cut_between,
            "slow link": self.slow_link,
            "connection reset": self.reset_connection,
            "calls lost": self.lose_calls,
            "calls repeated": self.repeat_calls,
            "slow disk": self.slow_disk,
            "disk full": self.fill_disk,
            "disk error": self.disk_error,
            "clock jump": self.clock_jump,
            "clean restart": self.clean_restart,
            "topic made anew": self.topic_anew,
        }
        assert tuple(self._actions) == KINDS

    async def run(self, seconds: float) -> None:
        world, chance = self.world, self.chance
        weights = world.settings.weights
        kinds = [kind for kind in KINDS if weights.get(kind)]
        shares = [weights[kind] for kind in kinds]
        end = world.loop.now + seconds
        while world.loop.now < end:
            await asyncio.sleep(min(chance.expovariate(1 / world.settings.fault_pause_s), 3.0))
            kind = chance.choices(kinds, shares)[0]
            if self._actions[kind]():
                world.faults[kind] += 1

    def mend_everything(self) -> None:
        self.over = True
        world = self.world
        network = world.network
        network.cut.clear()
        network.slow.clear()
        network.lose_share = network.duplicate_share = 0.0
        for node in world.brokers.values():
            node.disk.heal()
            node.disk.empty()
            node.disk.slow_s = 0.0
            node.process.resume()
            if not node.process.alive:
                self._restart_broker(node.broker_id, node.process)
        for controller in world.controllers.values():
            controller.process.resume()
            if not controller.process.alive:
                world.start_controller(controller.node_id)
        network.mend()

    # ---- choosing

    def _later(self, least: float, most: float, action: Callable[[], object]) -> float:
        """Do `action` after so many seconds, unless everything was mended meanwhile."""
        delay = self.chance.uniform(least, most)

        def act() -> None:
            if not self.over:
                action()

        self.world.loop.schedule(delay, act)
        return delay

    def _broker(self, *, running: bool = True) -> BrokerNode | None:
        nodes = [
            node
            for node in self.world.brokers.values()
            if node.process.alive and (node.process.running or not running)
        ]
        return self.chance.choice(nodes) if nodes else None

    def may_lose(self, broker_id: int) -> bool:
        """Whether everything committed is in a log that may be elected, beside this broker's, and
        the controller knows of every loss so far: min.insync.replicas 2 bears one at a time."""
        world = self.world
        if world.settings.durable:
            return True
        for topic in world.oracle.state.topics.values():
            for partition in topic.partitions:
                ledger = world.ledger.of(topic.topic_id, partition.index)
                if ledger is None or broker_id not in partition.replicas:
                    continue
                others = [
                    replica
                    for member in ledger.electable
                    if member != broker_id and (replica := ledger.replicas.get(member)) is not None
                ]
                holders = [r for r in others if not r.lost and r.matched >= ledger.committed_end]
                # Also one that is not electable: a leader may just have asked for it to be.
                lost = any(r.lost for r in ledger.replicas.values() if r.broker_id != broker_id)
                if ledger.committed_end and (not holders or lost):
                    return False
        return True

    # ---- processes and power

    def crash(self) -> bool:
        node = self._broker(running=False)
        if node is None:
            return False
        self.world.kill_broker(node.broker_id, power=False)
        self._restart_later(node, self.world.settings.restart_s)
        return True

    def power_cut(self) -> bool:
        if self.world.settings.durable and self.chance.random() < 0.3:
            for node in self.world.brokers.values():
                if node.process.alive:
                    self.world.kill_broker(node.broker_id, power=True)
                    self._restart_later(node, self.world.settings.power_s)
            return True
        found = self._broker(running=False)
        if found is None or not self.may_lose(found.broker_id):
            return False
        self.world.kill_broker(found.broker_id, power=True)
        self._restart_later(found, self.world.settings.power_s)
        return True

    def _restart_later(self, node: BrokerNode, bounds_s: tuple[float, float]) -> None:
        process = node.process
        self._later(*bounds_s, lambda: self._restart_broker(node.broker_id, process))

    def _restart_broker(self, broker_id: int, dead: Process) -> None:
        if self.world.brokers[broker_id].process is dead and not dead.alive:
            self.world.start_broker(broker_id)

    def crash_in_mid_write(self) -> bool:
        node = self._broker()
        if node is None or node.disk.on_crash is not None:
            return False
        process = node.process
        power = self.chance.random() < 0.5

        def crashed() -> None:
            process.kill()
            self.world.loop.schedule(0.0, dead)

        def dead() -> None:
            lost = power and self.may_lose(node.broker_id)
            self.world.kill_broker(node.broker_id, power=lost)
            self.world.counts["processes ended in mid-write"] += 1
            if self.over:
                self._restart_broker(node.broker_id, process)
            else:
                self._restart_later(node, self.world.settings.restart_s)

        node.disk.on_crash = crashed
        node.disk.crash_after(self.chance.randrange(60))
        return True

    def pause_broker(self) -> bool:
        node = self._broker()
        if node is None:
            return False
        return self._pause(node.process)

    def _pause(self, process: Process) -> bool:
        process.pause()
        self.world.note(process.host, "stands still")

        def resume() -> None:
            self.world.note(process.host, "goes on")
            process.resume()

        self._later(0.1, 3.5, resume)
        return True

    def clean_restart(self) -> bool:
        node = self._broker()
        if node is None or not node.serving:
            return False
        self.world.note(node.host.name, "is told to stop")
        node.stop()
        return True

    def crash_controller(self) -> bool:
        nodes = [node for node in self.world.controllers.values() if node.process.alive]
        if not nodes:
            return False
        node = self.chance.choice(nodes)
        self.world.kill_controller(node.node_id)
        process = node.process

        def restart() -> None:
            if node.process is process:
                self.world.start_controller(node.node_id)

        self._later(0.1, 2.0, restart)
        return True

    def pause_controller(self) -> bool:
        nodes = [node for node in self.world.controllers.values() if node.process.running]
        return bool(nodes) and self._pause(self.chance.choice(nodes).process)

    def replace_controller(self) -> bool:
        before = self.world.quorum.elections
        self.world.quorum.depose()
        return self.world.quorum.elections > before

    # ---- the network

    def _nodes(self) -> list[str]:
        return [node.host.name for node in self.world.brokers.values()] + [
            node.host.name for node in self.world.controllers.values()
        ]

    def _cut(self, links: list[tuple[str, str]]) -> bool:
        network = self.world.network
        for link in links:
            network.cut_link(*link)
        self.world.note("network", "cut: %s", links)

        def mend() -> None:
            self.world.note("network", "mended: %s", links)
            for link in links:
                network.mend_link(*link)

        self._later(0.1, 4.0, mend)
        return True

    def cut_off(self) -> bool:
        nodes = self._nodes()
        one = self.chance.choice(nodes)
        hosts = [*self.world.network.hosts] if self.chance.random() < 0.5 else nodes
        others = [host for host in hosts if host != one]
        return self._cut([(one, o) for o in others] + [(o, one) for o in others])

    def cut_off_one_way(self) -> bool:
        nodes = self._nodes()
        one = self.chance.choice(nodes)
        others = [node for node in nodes if node != one]
        outward = self.chance.random() < 0.5
        return self._cut([(one, o) if outward else (o, one) for o in others])

    def cut_between(self) -> bool:
        a, b = self.chance.sample(self._nodes(), 2)
        return self._cut([(a, b), (b, a)] if self.chance.random() < 0.6 else [(a, b)])

    def slow_link(self) -> bool:
        network = self.world.network
        hosts = self._nodes() if self.chance.random() < 0.75 else [*network.hosts]
        a, b = self.chance.sample(hosts, 2)
        if self.world.settings.slow_links == "between brokers":
            a, b = self.chance.sample(self.world.broker_hosts, 2)
        elif self.world.settings.slow_links == "to controllers":
            a = self.chance.choice(self.world.broker_hosts)
            b = self.chance.choice([c.host.name for c in self.world.controllers.values()])
        both = self.chance.random() < self.world.settings.slow_both_share
        links = [(a, b), (b, a)] if both else [(a, b)]
        for link in links:
            network.slow[link] = self.chance.choice(self.world.settings.slow_s)
        self.world.note("network", "slow: %s", links)

        def mend() -> None:
            for link in links:
                network.slow.pop(link, None)

        self._later(0.5, 5.0, mend)
        return True

    def reset_connection(self) -> bool:
        streams = [
            stream
            for stream in self.world.network.streams
            if stream.server.owner is not None and not stream.closed
        ]
        if not streams:
            return False
        stream = self.chance.choice(streams)
        self.world.note(
            "network", "a stream from %s to %s is reset", stream.client.host, stream.server.host
        )
        stream.break_off(at_once=self.chance.random() < 0.5)
        return True

    def lose_calls(self) -> bool:
        self.world.network.lose_share = self.chance.uniform(0.05, 0.5)

        def mend() -> None:
            self.world.network.lose_share = 0.0

        self._later(0.2, 2.0, mend)
        return True

    def repeat_calls(self) -> bool:
        self.world.network.duplicate_share = self.chance.uniform(0.05, 0.5)

        def mend() -> None:
            self.world.network.duplicate_share = 0.0

        self._later(0.2, 2.0, mend)
        return True

    # ---- disks and clocks

    def slow_disk(self) -> bool:
        disk = self.chance.choice([*self.world.brokers.values()]).disk
        disk.slow_s = self.chance.choice((0.05, 0.3, 1.5))

        def mend() -> None:
            disk.slow_s = 0.0

        self._later(0.5, 4.0, mend)
        return True

    def fill_disk(self) -> bool:
        node = self.chance.choice([*self.world.brokers.values()])
        node.disk.fill(self.chance.randrange(3_000))
        self.world.note(node.host.name, "its disk is full")

        def mend() -> None:
            self.world.note(node.host.name, "its disk has room")
            node.disk.empty()

        self._later(0.2, 3.0, mend)
        return True

    def disk_error(self) -> bool:
        node = self._broker()
        if node is None or not self.may_lose(node.broker_id):
            return False
        operation = self.chance.choice(("fsync", "write"))
        node.disk.fail(operation, errno.EIO, path=".log")
        self.world.note(node.host.name, "its next %s fails", operation)
        return True

    def clock_jump(self) -> bool:
        node = self._broker(running=False)
        if node is None:
            return False
        node.process.wall_jump_ms += self.chance.randint(-HOUR_MS, HOUR_MS)
        return True

    # ---- topics

    def topic_anew(self) -> bool:
        return self.world.make_fleeting_topic_anew()
