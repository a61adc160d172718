"""The node's client ports: binding, admission, the idle sweep, and the drain at the end.

`start()` binds (a port that is taken is a ConfigError with one sentence), `run()` serves and owns
the tasks of handlers, `close()` drains: no new connections and requests, the answers of requests in
flight are sent, bounded by `drain_ms_max`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from broker.network.binding import bind_fault
from broker.network.connection import Connection
from broker.network.dispatch import Dispatcher
from broker.network.limits import BufferPool, NetworkLimits, NodeAccount
from broker.network.pending import contained
from ottla.core.clock import Clock, SystemClock
from ottla.core.errors import ConfigError
from ottla.core.tasks import start_in

logger = logging.getLogger(__name__)

_READ_AHEAD_THREADS: Final = 4
_TLS_HANDSHAKE_S_MAX: Final = 10.0
_SWEEP_MS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True)
class Listener:
    """One port for clients; `ssl_context` None means plain text."""

    name: str
    host: str
    port: int
    """0: the system chooses, see `Server.ports`."""
    ssl_context: ssl.SSLContext | None = None


class Server:
    """All listeners of a node, and the host of their connections."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        dispatcher: Dispatcher,
        limits: NetworkLimits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.limits = limits or NetworkLimits()
        self.dispatcher = dispatcher
        self.pool = BufferPool(self.limits.pooled_buffers_max)
        self.account = NodeAccount(self.limits.node_requests_max, self.limits.node_bytes_max)
        # Its threads start with the first cold read.
        self.executor = ThreadPoolExecutor(_READ_AHEAD_THREADS, thread_name_prefix="read-ahead")
        self._listeners = tuple(listeners)
        self._clock = clock or SystemClock()
        self._servers: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        self._by_address: Counter[str] = Counter()
        self._accepted = 0
        self.refused = 0
        """Connections above a limit."""
        self._tasks: asyncio.TaskGroup | None = None
        self._closing = asyncio.Event()
        self._closed = asyncio.Event()
        self._drain_ms = self.limits.drain_ms_max
        self.ports: dict[str, int] = {}
        """By listener name, once bound."""

    @property
    def accepted(self) -> int:
        return self._accepted

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    def set_connections_max(self, of_all: int, of_one_address: int) -> None:
        """For connections that come from now on; open ones stay."""
        self.limits = replace(
            self.limits,
            connections_max=of_all,
            connections_per_address_max=of_one_address,
        )

    async def start(self) -> None:
        """Bind all listeners; ConfigError when one cannot be bound, and then none is."""
        try:
            for listener in self._listeners:
                await self._bind(listener)
        except BaseException:
            for server in self._servers:
                server.close()
            self._servers.clear()
            raise

    async def run(self) -> None:
        """Serve until `close()` is called; a cancellation closes without a drain."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for server in self._servers:
                    await server.start_serving()
                while not self._closing.is_set():
                    try:
                        async with asyncio.timeout(self._sweep_ms() / 1000):
                            await self._closing.wait()
                    except TimeoutError:
                        self._sweep()
                await self._drain()
                self._tasks = None
                # Handlers' coroutines that still wait are bounded by their own time-outs; their
                # connections are gone.
                raise _Stop
        except* _Stop:
            pass
        finally:
            self._tasks = None
            for server in self._servers:
                server.close()
            for connection in tuple(self._connections):
                connection.abort()
            self.executor.shutdown(wait=False, cancel_futures=True)
            self._closed.set()

    async def close(self, drain_ms: int | None = None) -> None:
        """Ask `run()` to drain and end, and wait for it; `drain_ms` below the limit's shortens the
        wait for answers."""
        if drain_ms is not None:
            self._drain_ms = min(self._drain_ms, drain_ms)
        self._closing.set()
        if self._tasks is not None:
            await self._closed.wait()
        for server in self._servers:
            server.close()

    # --- for connections ---

    def admit(self, connection: Connection, address: str) -> str | None:
        refusal = self._refusal(address)
        if refusal is not None:
            self.refused += 1
            return refusal
        self._connections.add(connection)
        self._by_address[address] += 1
        return None

    def _refusal(self, address: str) -> str | None:
        if self._closing.is_set():
            return "the node is shutting down"
        if len(self._connections) >= self.limits.connections_max:
            return f"{self.limits.connections_max} connections are open (max.connections)"
        if self._by_address[address] >= self.limits.connections_per_address_max:
            return (
                f"{self.limits.connections_per_address_max} connections of this address are open "
                "(max.connections.per.ip)"
            )
        return None

    def forget(self, connection: Connection, address: str) -> None:
        self._connections.discard(connection)
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def start_task(self, answer: Coroutine[Any, Any, Any]) -> asyncio.Future[Any] | None:
        task = start_in(self._tasks, contained(answer))
        if task is None:
            answer.close()
        return task

    # --- inside ---

    async def _bind(self, listener: Listener) -> None:
        loop = asyncio.get_running_loop()

        def accept() -> Connection:
            self._accepted += 1
            return Connection(self, listener.name, f"{listener.name}-{self._accepted}")

        try:
            server = await loop.create_server(
                accept,
                listener.host or None,
                listener.port,
                ssl=listener.ssl_context,
                backlog=self.limits.backlog,
                ssl_handshake_timeout=_TLS_HANDSHAKE_S_MAX if listener.ssl_context else None,
                start_serving=False,
            )
        except OSError as error:
            raise ConfigError(
                bind_fault(listener.host, listener.port, error, "listeners")
            ) from error
        self._servers.append(server)
        self.ports[listener.name] = server.sockets[0].getsockname()[1]

    def _sweep_ms(self) -> float:
        shortest = min(self.limits.idle_ms_max, self.limits.partial_frame_ms_max)
        return min(_SWEEP_MS_MAX, max(shortest / 4, 1))

    def _sweep(self) -> None:
        """Close the connections on which nothing happens."""
        now_ms = self._clock.now_ms()
        for connection in tuple(self._connections):
            since_ms = connection.quiet_since_ms
            if since_ms is None or not connection.is_idle:
                connection.quiet_since_ms = now_ms
            elif connection.has_partial_frame:
                if now_ms - since_ms > self.limits.partial_frame_ms_max:
                    connection.end("the rest of a request did not come")
            elif now_ms - since_ms > self.limits.idle_ms_max:
                connection.end(None)  # what clients expect, and not worth a line

    async def _drain(self) -> None:
        for server in self._servers:
            server.close()
        gone = asyncio.Event()
        for connection in tuple(self._connections):
            connection.end(None, gone.set)
        try:
            async with asyncio.timeout(self._drain_ms / 1000):
                while self._connections:
                    gone.clear()
                    await gone.wait()
        except TimeoutError:
            logger.warning("%d connections still waited at the end", len(self._connections))


class _Stop(Exception):
    """Ends the server's task group together with the handlers' tasks in it."""
