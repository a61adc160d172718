"""A broker: the product's log manager, control client, replica manager and handlers, wired as
broker/node.py wires them, on a simulated disk and network.

What is left out: the Kafka network layer (requests come as messages of the protocol already),
groups, and the quorum role.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from broker.control.client import ControllerClient
from broker.control.metadata_cache import MetadataCache
from broker.control.requests import BrokerIdentity, DirectoryReport, LogPosition, NewTopic
from broker.control.settings import ControlSettings
from broker.handlers import fetch, produce
from broker.handlers.error_counts import ErrorCounts
from broker.handlers.fetch_sessions import FetchSessionCache
from broker.handlers.spec import RequestContext
from broker.internal.stream import StreamClosed
from broker.replication.manager import ReplicaManager
from broker.replication.partition import Partition
from broker.replication.replica_logs import PartitionKey
from broker.replication.service import Refused
from broker.replication.settings import ReplicationSettings
from controller.state import Endpoint
from ottla.core.errors import ConfigError, ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid, random_uuid
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.fetch_request import FetchRequest
from ottla.protocol.messages.produce_request import ProduceRequest
from storage.checkpoints import Checkpoints
from storage.manager import LogManager
from tests.simulation.disk import FOLDER, Disk
from tests.simulation.loop import Process
from tests.simulation.network import Host, Network
from tests.simulation.rpc import Channel, ReplicaEnd, replica_dial
from tests.simulation.streams import End

CLUSTER_ID = "simulated-cluster-0000"
EXPECTED_ENDS = ("offline", "Input/output error", "No space left", "another process has registered")
PRODUCE_VERSION = 13
FETCH_VERSION = 13


@dataclass(frozen=True, slots=True)
class BrokerTimes:
    """In ms; shorter than the product's defaults, so that a virtual minute holds many faults."""

    heartbeat: int = 200
    silence: int = 600
    alter_partitions: int = 1_500
    replica_lag_max: int = 2_000
    keepalive: int = 250
    handshake_max: int = 1_000


@dataclass(slots=True)
class Known:
    """What a broker tells clients of one partition."""

    leader_id: int | None
    leader_epoch: int


@dataclass(slots=True)
class Topics:
    """A broker's answer to Metadata: partitions by topic id, ids by name."""

    ids: dict[str, Uuid] = field(default_factory=dict)
    partitions: dict[tuple[Uuid, int], Known] = field(default_factory=dict)


class WatchedReplicas(ReplicaManager):
    """Tells of each move of a high watermark at once: the callback may go on and end the role.
    Tells the ledger of logs that are deleted because the partition has moved."""

    on_move: Callable[[Partition], None] | None = None
    on_moved_away: Callable[[PartitionKey], None] | None = None

    def _remove(self, key: PartitionKey, *, is_moved: bool) -> None:
        super()._remove(key, is_moved=is_moved)
        if is_moved and self.on_moved_away is not None:
            self.on_moved_away(key)

    def high_watermark_moved(self, partition: Partition) -> None:
        super().high_watermark_moved(partition)
        if self.on_move is not None:
            self.on_move(partition)


class BrokerNode:
    """One broker on its host and disk; `start` begins a new process (incarnation) of it."""

    def __init__(
        self,
        broker_id: int,
        host: Host,
        disk: Disk,
        network: Network,
        controllers: tuple[str, ...],
        times: BrokerTimes,
        chance: random.Random,
    ) -> None:
        self.broker_id = broker_id
        self.host = host
        self.disk = disk
        self._network = network
        self._controllers = controllers
        self._times = times
        self._chance = chance
        self.process: Process
        self.client: ControllerClient
        self.cache: MetadataCache
        self.replicas: WatchedReplicas | None = None
        self.serving = False
        self.ended = ""
        """Why the process ended by itself."""
        self._stop: asyncio.Event
        self._listening = False

    def start(self, process: Process) -> asyncio.Task[Any]:
        """Its end: told to stop, or by a failure that `ended` names."""
        self.process = process
        self.replicas = None
        self.serving = False
        self.ended = ""
        self.host.process = process
        self.host.listener = None
        process.disk_delay = self.disk.job_delay
        return process.spawn(self._main())

    @property
    def expected_end(self) -> bool:
        """Told to stop; its disk failed; or a late word of the process before it has registered
        that one again. Everything else is a bug."""
        return self.ended == "stopped" or any(known in self.ended for known in EXPECTED_ENDS)

    def stop(self) -> None:
        """SIGTERM."""
        self._stop.set()

    async def _main(self) -> None:
        """broker/node.py, from the folders to the clients."""
        self._stop = asyncio.Event()
        try:
            logs = await asyncio.to_thread(self._open_logs)
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = group.create_task(self._serve(group, logs))
                    tasks.add_done_callback(lambda _: None)
            except* _Stopped:
                pass
            finally:
                self.host.listener = None
                await asyncio.to_thread(logs.close)
            self.ended = "stopped"
        except* (ConfigError, OSError) as errors:
            self.ended = "; ".join(str(error) for error in _leaves(errors))

    def _open_logs(self) -> LogManager:
        return LogManager.open(
            [FOLDER],
            cluster_id=CLUSTER_ID,
            node_id=self.broker_id,
            clock=self.process,
            vfs=self.disk,
            checkpoints=Checkpoints(self.disk.store),
        )

    async def _serve(self, group: asyncio.TaskGroup, logs: LogManager) -> None:
        chance, times, process = self._chance, self._times, self.process
        ready = asyncio.Event()
        replicas_changed = asyncio.Event()
        cache = MetadataCache()
        client = ControllerClient(
            self._identity(logs),
            cache,
            ControlSettings(
                self._controllers,
                heartbeat_ms=times.heartbeat,
                silence_ms=times.silence,
                alter_partitions_ms=times.alter_partitions,
            ),
            process,
            ready=ready,
            log_positions=self._log_positions,
            replica_states=lambda: replicas.replica_states(),
            replicas_changed=replicas_changed,
            rng=random.Random(chance.getrandbits(64)),
            channels=lambda address: Channel(  # type: ignore[arg-type,return-value]
                self._network, address
            ),
        )
        replicas = WatchedReplicas(
            logs,
            cache,
            client,
            ReplicationSettings(
                self.broker_id,
                CLUSTER_ID,
                replica_lag_ms_max=times.replica_lag_max,
                keepalive_ms=times.keepalive,
                handshake_ms_max=times.handshake_max,
            ),
            process,
            dial=replica_dial(self._network),
            replicas_changed=replicas_changed,
            rng=random.Random(chance.getrandbits(64)),
        )
        self.cache, self.client, self.replicas = cache, client, replicas
        self._services: Any = SimpleNamespace(
            replicas=replicas,
            metadata=cache,
            clock=process,
            settings=SimpleNamespace(fetch_max_bytes=1 << 20, replica_selector_class=None),
            errors=ErrorCounts(),
            peers=None,
            quotas=None,
            fetch_sessions=FetchSessionCache(random.Random(chance.getrandbits(64))),
        )
        self.host.listener = self
        group.create_task(client.run())
        await self._until(client.registered)
        await asyncio.to_thread(logs.mark_running, client.broker_epoch or 0)
        group.create_task(logs.run())
        group.create_task(replicas.run())
        await self._until(replicas.opened)
        ready.set()
        await self._until(client.unfenced)
        self.serving = True
        await self._stop.wait()
        await client.controlled_shutdown(2_000)
        self.serving = False
        raise _Stopped

    async def _until(self, event: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._stop.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._stop.is_set():
            raise _Stopped

    def _identity(self, logs: LogManager) -> BrokerIdentity:
        name = self.host.name
        return BrokerIdentity(
            cluster_id=CLUSTER_ID,
            broker_id=self.broker_id,
            incarnation_id=random_uuid(self._chance),
            endpoints=(Endpoint("PLAINTEXT", name, 1, "PLAINTEXT"),),
            internal_host=name,
            internal_port=1,
            rack=None,
            directories=tuple(
                DirectoryReport(
                    directory.directory_id, directory.stop_state, directory.last_broker_epoch
                )
                for directory in logs.directories
                if not directory.offline
            ),
        )

    def _log_positions(self, partitions: Sequence[tuple[Uuid, int]]) -> list[LogPosition]:
        positions = []
        assert self.replicas is not None
        for topic_id, index in partitions:
            try:
                log = self.replicas.partition_by_id(topic_id, index).usable_log
            except ProtocolError:
                continue
            epoch = -1 if log.last_epoch is None else log.last_epoch
            positions.append(LogPosition(topic_id, index, epoch, log.log_end_offset))
        return positions

    # ---- Listener

    def accept(self, kind: str, end: End) -> None:
        assert kind == "replication", kind
        self.process.spawn(self._serve_follower(end))

    async def _serve_follower(self, end: End) -> None:
        assert self.replicas is not None
        try:
            await self.replicas.service.serve(ReplicaEnd(end))
        except (Refused, StreamClosed):
            pass
        finally:
            end.close()

    async def serve(self, kind: str, request: Any) -> Any:
        """A client's request; None while this broker serves no clients."""
        if not self.serving:
            return None
        match kind:
            case "produce":
                answer = produce.handle(self._services, _context(kind), request)
            case "fetch":
                answer = fetch.handle(self._services, _context(kind), request)
            case "metadata":
                return self._topics()
            case "create topic":
                return await self._create_topic(request)
            case "delete topic":
                return await self._delete_topic(request)
            case "reassign":
                return await self._reassign(*request)
            case _:
                raise AssertionError(kind)
        if isinstance(answer, asyncio.Future):
            answer = await answer
        if kind == "fetch":
            for topic in answer.responses:
                for data in topic.partitions:
                    data.records = bytes(data.records.read()) if data.records else b""
        return answer

    def _topics(self) -> Topics:
        topics = Topics()
        for topic in self.cache.state.topics.values():
            topics.ids[topic.name] = topic.topic_id
            for partition in topic.partitions:
                topics.partitions[topic.topic_id, partition.index] = Known(
                    partition.leader_id, partition.leader_epoch
                )
        return topics

    async def _create_topic(self, topic: NewTopic) -> ErrorCode:
        try:
            (result,) = await self.client.create_topics([topic], timeout_ms=5_000)
        except ProtocolError as error:
            return error.code
        return ErrorCode(result.code)

    async def _reassign(self, topic: str, index: int, target: list[int] | None) -> ErrorCode:
        try:
            (result,) = await self.client.partitions.reassign(
                {(topic, index): target}, replication_factor_may_change=True, timeout_ms=5_000
            )
        except ProtocolError as error:
            return error.code
        return result.code

    async def _delete_topic(self, name: str) -> ErrorCode:
        try:
            (result,) = await self.client.delete_topics([name], 5_000)
        except ProtocolError as error:
            return error.code
        return ErrorCode(result.code)


class _Stopped(Exception):
    """SIGTERM came."""


def _context(kind: str) -> RequestContext:
    is_produce = kind == "produce"
    return RequestContext(
        api_key=ApiKey.PRODUCE if is_produce else ApiKey.FETCH,
        api_version=PRODUCE_VERSION if is_produce else FETCH_VERSION,
        correlation_id=0,
        client_id=None,
        client_software="",
        connection_id="",
        listener_name="PLAINTEXT",
        peer_host="",
        principal="User:ANONYMOUS",
    )


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


__all__ = ["BrokerNode", "BrokerTimes", "FetchRequest", "Known", "ProduceRequest", "Topics"]
