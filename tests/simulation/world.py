"""One run: a cluster on virtual time, its clients, its faults, and what became of it.

start      controllers, brokers, topics, clients
trouble    faults for `trouble_s`, while the clients work
recovery   everything is mended; within `recovery_s` it must be healthy again
end        everything is compared once more
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from unittest import mock

import storage.manager
from broker.control.requests import NewTopic
from controller.settings import ControllerSettings
from ottla.core.errors import ErrorCode
from tests.simulation.broker_node import CLUSTER_ID, BrokerNode
from tests.simulation.clients import Client, Consumer, Producer
from tests.simulation.controller_node import ControllerNode
from tests.simulation.disk import Disk
from tests.simulation.faults import Faults
from tests.simulation.health import all_live, check_equal, describe, is_healthy
from tests.simulation.ledger import Ledger, Violation
from tests.simulation.loop import Process, State, VirtualLoop
from tests.simulation.metadata_oracle import MetadataOracle
from tests.simulation.network import Host, Network
from tests.simulation.observed_log import ObservedLog
from tests.simulation.observer import Observer
from tests.simulation.quorum import Quorum
from tests.simulation.reassigner import Reassigner
from tests.simulation.report import EventLog, Report, report_of
from tests.simulation.settings import Settings

FLEETING = "fleeting"
"""A topic that is deleted and made anew."""


class World:
    """See the module. Everything random comes from `seed`."""

    def __init__(self, seed: int, settings: Settings, log: EventLog | None = None) -> None:
        self.seed = seed
        self.settings = settings
        self.chance = Random(seed)
        self.loop = VirtualLoop()
        self.event_log = log
        self.network = Network(self.loop, self.random())
        self.network.slow_share = settings.slow_share
        self.ledger = Ledger(self._fail)
        self.oracle = MetadataOracle(self.ledger, durable=settings.durable)
        self.quorum = Quorum(
            self.loop, self.network, self.random(), settings.controllers, self.oracle.committed
        )
        if log is not None:
            log.world = self
            for part in (self.network, self.ledger, self.oracle, self.quorum):
                part.log = log.note
        self.brokers: dict[int, BrokerNode] = {}
        self.controllers: dict[int, ControllerNode] = {}
        self.producers: list[Producer] = []
        self.consumers: list[Consumer] = []
        self.clients: list[Client] = []
        self.processes: list[Process] = []
        self.troubled = False
        self.producing = True
        self.consuming = True
        self.counts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.admin: Client
        self.making_anew = False
        self._build()

    def random(self) -> Random:
        """A source of its own for a part of the world."""
        return Random(self.chance.getrandbits(64))

    def _fail(self, text: str) -> None:
        self.note("VIOLATION", "%s", text)
        self.loop.fail(Violation(text))

    def note(self, who: str, text: str, *args: object) -> None:
        if self.event_log is not None:
            self.event_log.note(who, text, *args)

    # ---- building

    def _build(self) -> None:
        settings = self.settings
        for broker_id in settings.broker_ids:
            host = self.network.add_host(f"b{broker_id}")
            disk = Disk(broker_id, CLUSTER_ID, self.random())
            self.brokers[broker_id] = BrokerNode(
                broker_id,
                host,
                disk,
                self.network,
                tuple(f"c{node_id}" for node_id in settings.controller_ids),
                settings.times,
                self.random(),
            )
        for node_id in settings.controller_ids:
            self.controllers[node_id] = ControllerNode(
                self.network.add_host(f"c{node_id}"),
                self.network,
                self.quorum,
                ControllerSettings(
                    node_id,
                    CLUSTER_ID,
                    num_partitions=1,
                    default_replication_factor=3,
                    min_insync_replicas=2,
                    lease_ms=settings.lease_ms,
                    leader_imbalance_check_ms=settings.leader_imbalance_check_ms,
                    redial_ms=200,
                ),
                self.random(),
            )

    def process(self, host: Host) -> Process:
        """A new process, whose clock is a little off."""
        chance = self.chance
        skew = self.settings.clock_skew
        process = Process(
            self.loop,
            host.name,
            rate=1.0 + chance.uniform(-skew, skew),
            offset_s=chance.uniform(0, 1000),
        )
        if skew:
            self.faults["clock skew"] += 1
        self.processes.append(process)
        return process

    def start_controller(self, node_id: int) -> None:
        node = self.controllers[node_id]
        node.start(self.process(node.host))
        self._watch(node.process, node.running, f"c{node_id}")
        self.note(node.host.name, "starts")

    def start_broker(self, broker_id: int) -> None:
        node = self.brokers[broker_id]
        node.disk.on_crash = None
        if not node.host.powered:
            node.host.powered = True
            self.network.mend()
        process = self.process(node.host)
        running = node.start(process)
        running.add_done_callback(lambda done: self._broker_ended(node, process, done))
        self.note(node.host.name, "starts")
        observer: Observer | None = None

        def look() -> None:
            nonlocal observer
            if observer is not None:
                observer.look()
            elif node.replicas is not None and node.process is process:
                observer = Observer(process, broker_id, node.replicas, node.cache, self.ledger)

        process.after = look

    def _watch(self, process: Process, task: asyncio.Task[object], name: str) -> None:
        def ended(done: asyncio.Task[object]) -> None:
            if process.alive and not done.cancelled():
                self.loop.fail(Violation(f"{name} ended by itself: {done.exception()!r}"))

        task.add_done_callback(ended)

    def _broker_ended(self, node: BrokerNode, process: Process, done: asyncio.Task[object]) -> None:
        """It stopped by itself: told to, or because its disk failed."""
        if not process.alive:
            return
        error = None if done.cancelled() else done.exception()
        self.note(node.host.name, "ends: %s %s", node.ended, error or "")
        if done.cancelled() or error is not None or not node.expected_end:
            self.loop.fail(Violation(f"{node.host.name} ended: {node.ended} {error!r}"))
            return
        clean = node.ended == "stopped"
        self.counts["clean stops" if clean else "stops by a failure"] += 1
        process.kill()
        self.ledger.process_died(node.broker_id)
        node.disk.process_crash()
        self.network.process_died(process, power=False)
        self.loop.schedule(
            self.chance.uniform(0.05, 1.5), self._start_again, node.broker_id, process
        )

    def _start_again(self, broker_id: int, dead: Process) -> None:
        if self.brokers[broker_id].process is dead:
            self.start_broker(broker_id)

    # ---- ends of processes

    def kill_broker(self, broker_id: int, *, power: bool) -> None:
        """SIGKILL, or the power of its machine."""
        node = self.brokers[broker_id]
        process = node.process
        self.note(node.host.name, "loses power" if power else "is killed")
        process.kill()
        node.disk.on_crash = None
        if power:
            node.disk.power_cut()
            node.host.powered = False
            self.ledger.power_lost(broker_id)
        else:
            node.disk.process_crash()
            self.ledger.process_died(broker_id)
        node.host.listener = None
        self.network.process_died(process, power=power)

    def kill_controller(self, node_id: int) -> None:
        node = self.controllers[node_id]
        self.note(node.host.name, "is killed")
        node.process.kill()
        node.host.listener = None
        self.network.process_died(node.process, power=False)

    # ---- the run

    def run(self) -> Report:
        """Violation when an invariant does not hold."""
        loop = self.loop
        with observed(self):
            try:
                loop.run_until_complete(self._story())
            finally:
                self._bury()
        return report_of(self)

    async def _story(self) -> None:
        settings = self.settings
        for node_id in self.controllers:
            self.start_controller(node_id)
        for broker_id in self.brokers:
            self.start_broker(broker_id)
        await self._until(all_live, 20, "the cluster does not start")
        host = self.network.add_host("admin")
        admin = Client(self.process(host), self.network, self.broker_hosts, self.random())
        self.admin = admin
        for name in settings.topics:
            topic_id = await admin.process.spawn(self.create_topic(name))
            self.start_clients(name, topic_id)
        faults = Faults(self)
        self.troubled = True
        if settings.reassign_pause_s is not None:
            operator = Client(
                self.process(self.network.add_host("operator")),
                self.network,
                self.broker_hosts,
                self.random(),
            )
            reassigner = Reassigner(self, operator, settings.reassign_pause_s)
            operator.process.spawn(reassigner.run())
        await faults.run(settings.trouble_s)
        self.troubled = False
        faults.mend_everything()
        self.note("world", "everything is mended")
        start = self.loop.now
        self.producing = False
        await self._until(is_healthy, settings.recovery_s, "it does not recover")
        self.counts["recoveries"] += 1
        self.counts["recovery ms, in all"] += int((self.loop.now - start) * 1000)
        self.consuming = False
        self.ledger.check_all()
        await asyncio.sleep(0)  # what it found ends the run here, not after the story's end
        check_equal(self)

    @property
    def broker_hosts(self) -> list[str]:
        return [f"b{broker_id}" for broker_id in self.brokers]

    async def create_topic(self, name: str) -> bytes:
        """Until it is there; its id. In the admin's process."""
        admin, settings = self.admin, self.settings
        configs = {"segment.bytes": str(settings.segment_bytes)}
        if settings.durable:
            configs["flush.messages"] = "1"
        topic = NewTopic(name, settings.partitions, 3, configs=configs)
        while True:
            code = await admin.call(admin.chance.choice(admin.brokers), "create topic", topic, 8)
            if code in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
                break
            await admin.pause()
        while self.oracle.state.topic_named(name) is None:
            await admin.pause()
        found = self.oracle.state.topic_named(name)
        assert found is not None
        return found.topic_id

    def make_fleeting_topic_anew(self) -> bool:
        """Delete a topic and create another one of its name; False while that is under way."""
        if self.making_anew:
            return False
        self.making_anew = True
        self.admin.process.spawn(self._make_anew())
        return True

    async def _make_anew(self) -> None:
        admin = self.admin
        while self.oracle.state.topic_named(FLEETING) is not None:
            await admin.call(admin.chance.choice(admin.brokers), "delete topic", FLEETING, 8)
            await admin.pause()
        topic_id = await self.create_topic(FLEETING)
        self.start_clients(FLEETING, topic_id)
        self.making_anew = False

    def start_clients(self, topic: str, topic_id: bytes) -> None:
        chance, settings = self.chance, self.settings
        for index in range(settings.partitions):
            for kind in settings.producers:
                number = len(self.producers)
                host = self.network.add_host(f"p{number}")
                client = Client(self.process(host), self.network, self.broker_hosts, self.random())
                producer = Producer(
                    client,
                    self.ledger,
                    topic,
                    topic_id,
                    index,
                    name=f"{topic} {number}",
                    acks=1 if kind == "loose" else -1,
                    producer_id=number if kind == "idempotent" else -1,
                    in_flight=chance.randint(1, 3),
                    pause_s=settings.produce_pause_s,
                    timeout_s=chance.choice(settings.timeouts_s),
                    patience_s=chance.choice(settings.patience_s),
                    running=lambda: self.producing,
                )
                self.producers.append(producer)
                client.process.spawn(producer.run())
            number = len(self.consumers)
            host = self.network.add_host(f"r{number}")
            client = Client(self.process(host), self.network, self.broker_hosts, self.random())
            consumer = Consumer(
                client, self.ledger, topic_id, index, running=lambda: self.consuming
            )
            self.consumers.append(consumer)
            client.process.spawn(consumer.run())

    async def _until(self, condition: Callable[[World], bool], bound_s: float, what: str) -> None:
        deadline = self.loop.now + bound_s
        while not condition(self):
            if self.loop.now > deadline:
                raise Violation(f"{what} within {bound_s} s: {describe(self)}")
            await asyncio.sleep(0.05)

    # ---- after the run

    def _bury(self) -> None:
        """Let all tasks end, so that none is destroyed while it waits."""
        loop = self.loop
        loop.set_exception_handler(lambda *_: None)
        loop.failure = None
        loop.over = True
        for process in self.processes:
            process.after = None
            process.state = State.RUNNING
            loop.ready.extend(process.held)
            process.held.clear()
        self.ledger.partitions.clear()
        self.ledger.fail = lambda _: None
        for node in self.brokers.values():
            node.disk.process_crash()
        pending = [task for task in asyncio.all_tasks(loop) if not task.done()]
        for _ in range(20):
            for task in pending:
                task.cancel()
            loop.run_until_complete(asyncio.sleep(1))
            pending = [task for task in asyncio.all_tasks(loop) if not task.done()]
            if not pending:
                break
        loop.close()


@contextmanager
def observed(world: World) -> Iterator[None]:
    """Logs tell the ledger; nothing is drawn from the system's randomness; no collector runs."""
    chance = world.random()
    log = type("WatchedLog", (ObservedLog,), {"ledger": world.ledger})
    gc.disable()
    try:
        with (
            mock.patch.object(storage.manager, "Log", log),
            mock.patch.object(random, "SystemRandom", return_value=chance),
        ):
            yield
    finally:
        gc.enable()
