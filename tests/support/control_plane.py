"""Controllers and brokers' control clients in one process, over real gRPC on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from broker.control.client import BrokerIdentity, ControllerClient, DirectoryReport
from broker.control.log_end_reports import LogPositions
from broker.control.metadata_cache import MetadataCache
from broker.control.replica_reports import ReplicaStates
from broker.control.settings import ControlSettings
from broker.internal.server import GrpcServer
from broker.node import INTERNAL_MESSAGE_BYTES_MAX
from controller.service import ControllerService
from controller.settings import ControllerSettings
from controller.state import BrokerRegistration, Endpoint
from controller.state_machine import Crossing, MetadataStateMachine
from ottla.core.clock import SystemClock
from ottla.core.identifiers import random_uuid
from storage.directory import StopState
from tests.support.memory_metadata_log import MemoryQuorum, MemoryVoter

CLUSTER = "control-plane-cluster1"
RNG = random.Random(11)


class ControllerNode:
    """A controller: voter, service, gRPC server, in tasks of their own."""

    def __init__(self, quorum: MemoryQuorum, settings: ControllerSettings) -> None:
        crossing = Crossing(asyncio.get_running_loop())
        self.voter = MemoryVoter(quorum, settings.node_id, MetadataStateMachine(crossing))
        self.service = ControllerService(self.voter, crossing, settings, SystemClock())
        self.server = GrpcServer(message_bytes_max=INTERNAL_MESSAGE_BYTES_MAX)
        self.service.add_to_server(self.server.registry)
        self._running: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    async def start(self) -> None:
        await self.server.start("127.0.0.1", 0)
        self._running = asyncio.ensure_future(self.service.run())

    async def kill(self) -> None:
        """Gone at once, as after SIGKILL."""
        self.voter.up = False
        await self.server.stop(0)
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running


class BrokerNode:
    """A broker's control client, and the port by which a controller sees whether it lives."""

    def __init__(
        self,
        broker_id: int,
        controllers: tuple[str, ...],
        *,
        stop_state: StopState = StopState.CLEAN,
        rack: str | None = None,
        positions: LogPositions | None = None,
        replica_states: ReplicaStates | None = None,
        ready: asyncio.Event | None = None,
        cluster_id: str = CLUSTER,
        heartbeat_ms: int = 100,
        silence_ms: int = 500,
    ) -> None:
        self.broker_id = broker_id
        self.cache = MetadataCache()
        self.port = 0
        self._server: asyncio.Server | None = None
        self.running: asyncio.Task[None] | None = None
        self._settings = ControlSettings(
            controllers,
            heartbeat_ms=heartbeat_ms,
            silence_ms=silence_ms,
            topic_defaults={"retention.ms": "5"},
        )
        self._identity = BrokerIdentity(
            cluster_id,
            broker_id,
            random_uuid(RNG),
            (Endpoint("PLAINTEXT", "127.0.0.1", 9092, "PLAINTEXT"),),
            "127.0.0.1",
            0,
            rack,
            (DirectoryReport(bytes([broker_id] * 16), stop_state),),
        )
        self._positions = positions
        self._replica_states = replica_states
        self._ready = ready
        self.client: ControllerClient

    async def start(self) -> BrokerNode:
        self._server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.client = ControllerClient(
            replace(self._identity, internal_port=self.port),
            self.cache,
            self._settings,
            SystemClock(),
            log_positions=self._positions,
            replica_states=self._replica_states,
            ready=self._ready,
        )
        self.running = asyncio.ensure_future(self.client.run())
        return self

    async def kill(self) -> None:
        """Gone at once: its port refuses, its streams are reset."""
        if self._server is not None:
            self._server.close()
        await self.cut_off()

    async def cut_off(self) -> None:
        """Its streams are reset, while its port still accepts."""
        if self.running is not None:
            self.running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.running

    async def close(self) -> None:
        await self.kill()


class ControlPlane:
    """`controllers` by node id, the first in office; brokers are added by the test."""

    def __init__(self, **settings: int) -> None:
        self.quorum = MemoryQuorum()
        self.controllers: dict[int, ControllerNode] = {}
        self.brokers: dict[int, BrokerNode] = {}
        self._settings = {"lease_ms": 1_000, "min_insync_replicas": 2, **settings}

    async def start_controllers(self, count: int) -> None:
        for node_id in range(1, count + 1):
            settings = replace(
                ControllerSettings(node_id, CLUSTER, default_replication_factor=3),
                **self._settings,  # type: ignore[arg-type]
            )
            node = ControllerNode(self.quorum, settings)
            self.controllers[node_id] = node
            await node.start()
        self.quorum.elect(1)

    def brokers_of_image(self) -> dict[int, BrokerRegistration]:
        """As the controller in office knows them."""
        leader_id = self.quorum.leader_id
        assert leader_id is not None
        return self.controllers[leader_id].service.image.state.brokers

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(node.address for node in self.controllers.values())

    async def start_broker(self, broker_id: int, **options: object) -> BrokerNode:
        node = BrokerNode(broker_id, self.addresses, **options)  # type: ignore[arg-type]
        self.brokers[broker_id] = node
        return await node.start()

    async def start_brokers(self, count: int) -> list[BrokerNode]:
        nodes = [await self.start_broker(broker_id) for broker_id in range(1, count + 1)]
        for node in nodes:
            await within(5, node.client.unfenced.wait())
        for node in nodes:
            await until(
                lambda node=node: (
                    sum(not b.fenced for b in node.cache.state.brokers.values())  # type: ignore[misc]
                    == count
                )
            )
        return nodes

    async def close(self) -> None:
        for broker in self.brokers.values():
            await broker.close()
        for controller in self.controllers.values():
            await controller.kill()


@contextlib.asynccontextmanager
async def control_plane(controllers: int = 1, **settings: int) -> AsyncIterator[ControlPlane]:
    plane = ControlPlane(**settings)
    try:
        await plane.start_controllers(controllers)
        yield plane
    finally:
        await plane.close()


async def within(seconds: float, awaitable: object) -> object:
    async with asyncio.timeout(seconds):
        return await awaitable  # type: ignore[misc]


async def until(condition: Callable[[], bool], seconds: float = 5) -> float:
    """Wait for something that another task brings about; how long it took."""
    start = time.monotonic()
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions of several tasks
            await asyncio.sleep(0.002)
    return time.monotonic() - start
