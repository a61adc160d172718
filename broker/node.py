"""One node: its rooms put together, started in order and drained in reverse.

Start: the HTTP listener answers, folders and journal are opened, the internal listener serves, a
controller joins the quorum, a broker registers (rule 1: a new incarnation), marks its folders as
running, takes up its replicas, is unfenced, and only then opens its client listeners.

Stop (SIGTERM), each step bounded, also without a quorum (rule 14): leaders move to other brokers,
client connections drain, logs are flushed and marked as cleanly stopped, the quorum is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from broker.broker_rooms import BrokerRooms, compactor
from broker.control.metadata_cache import MetadataCache
from broker.handlers import handlers
from broker.http.health import health_routes
from broker.http.readiness import Readiness, broker_reasons, controller_reasons
from broker.http.server import HttpServer
from broker.internal.server import GrpcServer
from broker.internal.tls import listening_context, quorum_tls
from broker.loop_lag import LoopLag
from broker.metrics.broker import broker_families
from broker.metrics.controller import controller_families
from broker.metrics.node import node_families
from broker.metrics.page import MetricsPage
from broker.network.advertised import warn_of_unresolved
from broker.network.dispatch import Dispatcher
from broker.network.limits import NetworkLimits
from broker.network.listener import Listener, Server
from broker.network.tls import server_context
from broker.settings import NodeSettings
from controller.quorum.bootstrap import format_joiner, format_voter, read_mark
from controller.quorum.raft_log import RaftMetadataLog
from controller.service import ControllerService
from controller.settings import ControllerSettings
from controller.state_machine import Crossing, MetadataStateMachine
from ottla.core.clock import SystemClock
from ottla.core.errors import ConfigError
from ottla.core.identifiers import uuid_text
from storage.manager import LogManager
from storage.vfs import OsVfs
from storage.work_counts import WorkCounts

logger = logging.getLogger(__name__)

INTERNAL_MESSAGE_BYTES_MAX = 128 * 1024 * 1024
_SERVER_GRACE_SECONDS = 0.2
LONELY_DRAIN_MS_MAX = 300
_STOPS = "the node is stopping"


class Node:
    """See the module. `join`: a controller without metadata waits to be added to the quorum."""

    def __init__(self, settings: NodeSettings, *, initialize: bool, join: bool = False) -> None:
        self._settings = settings
        self._initialize = initialize
        self._join = join
        self._clock = SystemClock()
        self._vfs = OsVfs()
        self._tasks: list[asyncio.Task[None]] = []
        self._readiness = Readiness()
        self._metrics = MetricsPage()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set. ConfigError in one sentence for what cannot be served with;
        whatever else ends a room ends the node."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._serve(group, stop))
        except BaseExceptionGroup as errors:
            known, others = errors.split(ConfigError)
            if known is None:
                raise
            if others is not None:
                logger.error("another failure came with it", exc_info=others)
            raise _first(known) from None

    async def _serve(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        settings = self._settings
        internal = GrpcServer(message_bytes_max=INTERNAL_MESSAGE_BYTES_MAX)
        async with contextlib.AsyncExitStack() as undo:
            lag = LoopLag()
            self._start(group, lag.run())
            self._metrics.add(lambda: node_families(settings.node_id, self._readiness, lag))
            await self._serve_http(group)
            logs = await undo.enter_async_context(self._logs()) if settings.is_broker else None
            if settings.is_controller:
                await undo.enter_async_context(self._controller(group, internal))
            cache = MetadataCache()
            broker = None if logs is None else BrokerRooms(settings, logs, cache, self._clock)
            if broker is not None:
                broker.replicas.add_to_server(internal)
                broker.transaction_service.add_to_server(internal.registry)
                broker.high_watermarks.add_to_server(internal.registry)
                undo.push_async_callback(broker.channels.close)
                undo.callback(broker.channel.close)
                client = broker.client
                self._readiness.add(lambda: broker_reasons(client, cache.state, settings.node_id))
            await self._listen_internally(internal)
            undo.push_async_callback(internal.stop, _SERVER_GRACE_SECONDS)
            undo.callback(self._cancel_tasks)
            if broker is not None and logs is not None:
                await self._serve_clients(group, broker, logs, stop)
            else:
                logger.info("ottla-server node %d serves as controller", settings.node_id)
                self._readiness.stage = None
                await stop.wait()
            self._readiness.stage = _STOPS
            logger.info("stopping")

    async def _serve_http(self, group: asyncio.TaskGroup) -> None:
        where = self._settings.http_address()
        if where is not None:
            routes = {**health_routes(self._readiness), "/metrics": self._metrics.answer}
            server = HttpServer(where.host, where.port, routes)
            await server.start()
            self._start(group, server.run())

    async def _serve_clients(
        self, group: asyncio.TaskGroup, broker: BrokerRooms, logs: LogManager, stop: asyncio.Event
    ) -> None:
        warn_of_unresolved(self._settings)
        self._start(group, broker.client.run())
        if not await _until(broker.client.registered, stop):
            return
        await asyncio.to_thread(logs.mark_running, broker.client.broker_epoch or 0)
        self._start(group, logs.run())
        compaction = WorkCounts()
        if self._settings.log_cleaner_enable:
            cleaner = compactor(broker.live_settings.now, logs, self._vfs, self._clock)
            broker.live_settings.subscribe(
                lambda settings: cleaner.configure(
                    backoff_ms=settings.log_cleaner_backoff_ms,
                    dedupe_buffer_bytes=settings.log_cleaner_dedupe_buffer_size,
                )
            )
            compaction = cleaner.counts
            self._start(group, cleaner.run())
        self._start(group, broker.replicas.run())
        self._start(group, broker.groups.run())
        self._start(group, broker.transactions.run())
        self._start(group, broker.remote_ends.run())
        server = Server(
            _listeners(self._settings),
            Dispatcher(
                handlers(telemetry=broker.services.telemetry is not None),
                broker.services,
                broker.quotas,
            ),
            _network_limits(broker.live_settings.now),
            self._clock,
        )
        broker.live_settings.subscribe(
            lambda settings: server.set_connections_max(
                settings.max_connections, settings.max_connections_per_ip
            )
        )
        clock = self._clock
        self._metrics.add(lambda: broker_families(broker, logs, server, compaction, clock))
        await server.start()
        # What it is elected for once it is unfenced, it must be able to serve.
        if not await _until(broker.replicas.opened, stop):
            await server.close()
            return
        broker.ready.set()
        if not await _until(broker.client.unfenced, stop):
            await server.close()
            return
        self._start(group, server.run())
        shown = ", ".join(str(listener) for listener in self._settings.listeners)
        logger.info("ottla-server node %d serves %s", self._settings.node_id, shown)
        print(f"ottla-server node {self._settings.node_id} serves {shown}", flush=True)  # noqa: T201
        self._readiness.stage = None
        await stop.wait()
        self._readiness.stage = _STOPS
        logger.info("draining")
        timeout_ms = self._settings.controlled_shutdown_timeout_ms
        handed_over = await broker.client.controlled_shutdown(timeout_ms)
        # Without a quorum the other brokers are stopping too: nobody will confirm what waits.
        await server.close(None if handed_over else LONELY_DRAIN_MS_MAX)

    def _start(self, group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(group.create_task(work))

    def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()

    @asynccontextmanager
    async def _logs(self) -> AsyncIterator[LogManager]:
        """The record logs; on leaving they are flushed and marked as cleanly stopped."""
        settings = self._settings

        def open_logs() -> LogManager:
            return LogManager.open(
                settings.log_dirs,
                cluster_id=settings.cluster_id,
                node_id=settings.node_id,
                clock=self._clock,
                vfs=self._vfs,
                producer_expiration_ms=settings.producer_id_expiration_ms,
                retention_interval_ms=settings.log_retention_check_interval_ms,
                min_free_bytes=settings.log_min_free_bytes,
            )

        logs = await asyncio.to_thread(open_logs)
        try:
            yield logs
        finally:
            # Tasks that use the logs must be gone before they are closed.
            await _ended(self._tasks)
            await asyncio.to_thread(logs.close)

    @asynccontextmanager
    async def _controller(
        self, group: asyncio.TaskGroup, internal: GrpcServer
    ) -> AsyncIterator[None]:
        """This node's voter of the quorum, and the controller's service on `internal`."""
        settings = self._settings
        voters = {node: (a.host, a.port) for node, a in settings.voters().items()}
        with _metadata_folder(settings.metadata_log_dir):
            self._maybe_format(voters)
        loop = asyncio.get_running_loop()
        crossing = Crossing(loop)
        where = settings.raft_address()
        quorum = RaftMetadataLog(
            settings.node_id,
            voters,
            (where.host, where.port),
            settings.metadata_log_dir,
            MetadataStateMachine(crossing),
            loop,
            self._vfs,
            quorum_tls(settings),
        )
        service = ControllerService(
            quorum, crossing, _controller_settings(settings), self._clock, voters=quorum
        )
        service.add_to_server(internal.registry)
        with _metadata_folder(settings.metadata_log_dir):
            await asyncio.to_thread(quorum.start)
        self._readiness.add(lambda: controller_reasons(quorum))
        self._metrics.add(lambda: controller_families(quorum, service))
        if not quorum.is_voter:
            self._tell_how_to_add()
        try:
            self._start(group, quorum.run())
            self._start(group, service.run())
            yield
        finally:
            await quorum.stop()

    def _tell_how_to_add(self) -> None:
        settings = self._settings
        mark = read_mark(settings.metadata_log_dir, self._vfs)
        if mark is None:
            return
        message = (
            f"node {settings.node_id} is no voter of the controller quorum; to make it one: "
            f"ottla quorum add-voter {settings.node_id} --directory-id "
            f"{uuid_text(mark.directory_id)} --raft {settings.voters()[settings.node_id]} "
            f"--internal {settings.advertised_internal_address()}"
        )
        logger.warning("%s", message)
        print(message, flush=True)  # noqa: T201

    def _maybe_format(self, voters: Iterable[int]) -> None:
        """Prepare the metadata folder of a new cluster's voter, when told to."""
        settings = self._settings
        mark = read_mark(settings.metadata_log_dir, self._vfs)
        if mark is None and self._join:
            format_joiner(
                settings.metadata_log_dir, settings.cluster_id, settings.node_id, vfs=self._vfs
            )
        elif mark is None and self._initialize:
            format_voter(
                settings.metadata_log_dir,
                settings.cluster_id,
                settings.node_id,
                voters,
                vfs=self._vfs,
            )
        elif mark is None:
            raise ConfigError(
                f"{settings.metadata_log_dir} holds no metadata of a controller; correct "
                "metadata.log.dir, or add --initialize if the whole cluster is new, or --join if "
                "this controller is new or has lost its disk"
            )

    async def _listen_internally(self, server: GrpcServer) -> None:
        where = self._settings.internal_address()
        tls = listening_context(self._settings)
        try:
            await server.start(where.host, where.port, tls)
        except OSError as error:
            raise ConfigError(
                f"internal.listener: cannot bind {where} ({error.strerror or error}); the port is "
                "taken by another program, or the address is not of this machine"
            ) from None


def _controller_settings(settings: NodeSettings) -> ControllerSettings:
    unclean = settings.topic_defaults.get("unclean.leader.election.enable", "false")
    return ControllerSettings(
        node_id=settings.node_id,
        cluster_id=settings.cluster_id,
        num_partitions=settings.num_partitions,
        default_replication_factor=settings.default_replication_factor,
        min_insync_replicas=int(settings.topic_defaults.get("min.insync.replicas", 1)),
        unclean_leader_election=unclean.strip().lower() == "true",
        lease_ms=settings.broker_session_timeout_ms,
    )


def _network_limits(settings: NodeSettings) -> NetworkLimits:
    return NetworkLimits(
        request_bytes_max=settings.socket_request_max_bytes,
        connections_max=settings.max_connections,
        connections_per_address_max=settings.max_connections_per_ip,
        idle_ms_max=settings.connections_max_idle_ms,
        node_bytes_max=settings.queued_max_request_bytes,
    )


def _listeners(settings: NodeSettings) -> list[Listener]:
    return [
        Listener(
            listener.name,
            listener.address.host,
            listener.address.port,
            server_context(
                certificate=settings.ssl_certificate,
                key=settings.ssl_key,
                key_password=settings.ssl_key_password,
                ca=settings.ssl_ca,
                client_auth=settings.ssl_client_auth,
            )
            if listener.security_protocol == "SSL"
            else None,
        )
        for listener in settings.client_listeners()
    ]


@contextlib.contextmanager
def _metadata_folder(path: str) -> Iterator[None]:
    """What the disk refuses while the folder is opened, as a sentence."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written to ({error.strerror or error}); mend its permissions, or "
            "choose another folder in metadata.log.dir"
        ) from None


async def _until(event: asyncio.Event, stop: asyncio.Event) -> bool:
    """Wait for `event`; False when `stop` came first."""
    waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return event.is_set() and not stop.is_set()


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel the tasks and wait for their ends, whatever these are."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _first(errors: BaseExceptionGroup[ConfigError]) -> ConfigError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, ConfigError)
    return found
