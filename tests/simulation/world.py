"""One run: a cluster on virtual time, its clients, its faults, and what became of it.

start      controllers, brokers, topics, clients
trouble    faults for `trouble_s`, while the clients work
recovery   everything is mended; within `recovery_s` it must be healthy again
end        everything is compared once more
"""

from __future__ import annotations

import asyncio
import gc
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from unittest import mock

import storage.manager
from broker.control.requests import NewTopic
from controller.settings import ControllerSettings
from ottla.core.errors import ErrorCode
from tests.simulation.broker_node import CLUSTER_ID, BrokerNode, BrokerTimes
from tests.simulation.clients import Client, Consumer, Producer
from tests.simulation.controller_node import ControllerNode
from tests.simulation.disk import Disk
from tests.simulation.faults import Faults
from tests.simulation.ledger import Ledger, ObservedLog, Violation
from tests.simulation.loop import PROCESS, Process, State, VirtualLoop
from tests.simulation.metadata_oracle import MetadataOracle
from tests.simulation.network import Host, Network
from tests.simulation.observer import Observer
from tests.simulation.quorum import Quorum
from tests.simulation.settings import Settings


@dataclass
class Report:
    """What happened in one run, or in many."""

    seeds: int = 0
    virtual_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: Report) -> None:
        self.seeds += other.seeds
        self.virtual_s += other.virtual_s
        self.counts.update(other.counts)
        self.faults.update(other.faults)


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
        self._making_anew = False
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
        return self._report()

    async def _story(self) -> None:
        settings = self.settings
        for node_id in self.controllers:
            self.start_controller(node_id)
        for broker_id in self.brokers:
            self.start_broker(broker_id)
        await self._until(self._all_live, 20, "the cluster does not start")
        host = self.network.add_host("admin")
        admin = Client(self.process(host), self.network, self.broker_hosts, self.random())
        self.admin = admin
        for name in settings.topics:
            topic_id = await admin.process.spawn(self.create_topic(name))
            self.start_clients(name, topic_id)
        faults = Faults(self)
        self.troubled = True
        await faults.run(settings.trouble_s)
        self.troubled = False
        faults.mend_everything()
        self.note("world", "everything is mended")
        start = self.loop.now
        self.producing = False
        await self._until(self._healthy, settings.recovery_s, "it does not recover")
        self.counts["recoveries"] += 1
        self.counts["recovery ms, in all"] += int((self.loop.now - start) * 1000)
        self.consuming = False
        self.ledger.check_all()
        self._check_equal()

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
        if self._making_anew:
            return False
        self._making_anew = True
        self.admin.process.spawn(self._make_anew())
        return True

    async def _make_anew(self) -> None:
        admin = self.admin
        while self.oracle.state.topic_named(FLEETING) is not None:
            await admin.call(admin.chance.choice(admin.brokers), "delete topic", FLEETING, 8)
            await admin.pause()
        topic_id = await self.create_topic(FLEETING)
        self.start_clients(FLEETING, topic_id)
        self._making_anew = False

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
                    timeout_s=chance.choice((1.0, 4.0, 10.0)),
                    patience_s=chance.choice((0.3, 1.0, 4.0, 12.0)),
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

    async def _until(self, condition: Callable[[], bool], bound_s: float, what: str) -> None:
        deadline = self.loop.now + bound_s
        while not condition():
            if self.loop.now > deadline:
                raise Violation(f"{what} within {bound_s} s: {self._state()}")
            await asyncio.sleep(0.05)

    # ---- health

    def _all_live(self) -> bool:
        state = self.oracle.state
        return all(
            node.serving and state.is_active(broker_id) for broker_id, node in self.brokers.items()
        )

    def _healthy(self) -> bool:
        if not self._all_live():
            return False
        if self._making_anew or not all(producer.done for producer in self.producers):
            return False
        for topic in self.oracle.state.topics.values():
            for partition in topic.partitions:
                if set(partition.isr) != set(partition.replicas) or partition.leader_id is None:
                    return False
                ledger = self.ledger.of(topic.topic_id, partition.index)
                if ledger is None:
                    return False
                for broker_id in partition.replicas:
                    replica = ledger.replicas.get(broker_id)
                    if replica is None or replica.lost or replica.log is None:
                        if ledger.committed_end == 0 and replica is not None:
                            continue
                        return False
                    if not replica.matched == replica.end == ledger.committed_end:
                        return False
        for consumer in self.consumers:
            ledger = self.ledger.of(consumer.topic_id, consumer.index)
            if ledger is not None and consumer.position != ledger.committed_end:
                return False
        return True

    def _state(self) -> str:
        """What is not as it should be."""
        state = self.oracle.state
        lines = []
        for broker_id, node in self.brokers.items():
            if not (node.serving and state.is_active(broker_id)):
                lines.append(
                    f"b{broker_id}: {node.process.state.value}, serving {node.serving}, "
                    f"{state.brokers.get(broker_id)}, {node.ended}"
                )
        for producer in self.producers:
            if not producer.done:
                lines.append(f"producer {producer.name} of {producer.topic}-{producer.index} waits")
        for (topic_id, index), ledger in self.ledger.partitions.items():
            partition = state.partition(topic_id, index)
            ends = {r.broker_id: (r.matched, r.end, r.lost) for r in ledger.replicas.values()}
            lines.append(f"{ledger.name}: {partition}, committed {ledger.committed_end}, {ends}")
        for consumer in self.consumers:
            found = self.ledger.of(consumer.topic_id, consumer.index)
            if found is not None and consumer.position != found.committed_end:
                lines.append(f"consumer of {found.name} is at {consumer.position}")
        return "\n".join(lines)

    def _check_equal(self) -> None:
        """All logs of a partition are the same, and every acknowledged record is in them."""
        for ledger in self.ledger.partitions.values():
            for replica in ledger.replicas.values():
                if replica.log is not None and replica.batches != ledger.committed:
                    raise Violation(f"{ledger.name}: broker {replica.broker_id} has another log")

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

    def _report(self) -> Report:
        network, ledger, oracle, quorum = self.network, self.ledger, self.oracle, self.quorum
        loop = self.loop
        counts = Counter(self.counts)
        counts["messages delivered"] = network.delivered
        counts["timers fired"] = loop.timers_fired
        counts["disk jobs done"] = loop.jobs_done
        counts["delivered events"] = network.delivered + loop.timers_fired + loop.jobs_done
        counts["callbacks, each checked"] = loop.callbacks
        counts["records acknowledged (acks=all)"] = ledger.acknowledged
        counts["records committed"] = ledger.committed_records
        counts["records consumed"] = sum(consumer.records for consumer in self.consumers)
        counts["producers' retries"] = sum(producer.retries for producer in self.producers)
        counts["high watermark moves"] = ledger.high_watermark_moves
        counts["truncations"] = ledger.truncations
        counts["records truncated"] = ledger.truncated_records
        counts["leader elections"] = oracle.leader_elections
        counts["elections from the ELR"] = oracle.elr_elections
        counts["elections by log ends"] = oracle.last_known_elections
        counts["ISR changes"] = oracle.isr_changes
        counts["fencings"] = oracle.fencings
        counts["registrations"] = oracle.registrations
        counts["metadata commands"] = oracle.commands
        counts["controller elections"] = quorum.elections
        faults = Counter(self.faults)
        faults["slow messages"] += network.slow_deliveries
        faults["messages held by a cut"] += network.held_for_cut
        faults["calls or answers lost"] += network.lost_calls
        faults["calls repeated by the network"] += network.duplicated_calls
        faults["proposals lost or unanswered"] += quorum.lost_proposals
        faults["slow disk jobs"] += sum(node.disk.slow_jobs for node in self.brokers.values())
        return Report(1, loop.now, counts, faults)


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


class EventLog(logging.Handler):
    """What happened, one line an event, the product's own log lines included."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.lines: list[str] = []

    def note(self, who: str, text: str, *args: object) -> None:
        now = 0.0 if self.world is None else self.world.loop.now
        self.lines.append(f"{now:10.4f} {who:9} {text % args if args else text}")

    def emit(self, record: logging.LogRecord) -> None:
        process = PROCESS.get()
        who = "world" if process is None else process.host
        self.note(who, "%s", record.getMessage())


__all__ = ["BrokerTimes", "EventLog", "Report", "World"]
