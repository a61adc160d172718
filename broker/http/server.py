"""A small HTTP/1.1 server on the node's own loop: GET and HEAD of a few paths (RFC 9110, 9112).

The protocol itself is h11's. One request of a connection is served at a time, in a task of the
server's group; everything has a bound:

    connections        CONNECTIONS_MAX; one more is told 503 and closed
    a request          its head HEAD_BYTES_MAX, its body BODY_BYTES_MAX (it is read and ignored),
                       all of it within REQUEST_SECONDS_MAX
    the answer         made within ANSWER_SECONDS_MAX, taken by the peer within SEND_SECONDS_MAX
    between requests   IDLE_SECONDS_MAX, then the connection is closed
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import h11

from broker.network.binding import bind_fault
from ottla.core.errors import ConfigError
from ottla.core.tasks import start_in

logger = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 32
HEAD_BYTES_MAX: Final = 16 * 1024
BODY_BYTES_MAX: Final = 64 * 1024
REQUEST_SECONDS_MAX: Final = 10.0
ANSWER_SECONDS_MAX: Final = 20.0
SEND_SECONDS_MAX: Final = 20.0
IDLE_SECONDS_MAX: Final = 120.0
_READ_BYTES: Final = 16 * 1024
_BACKLOG: Final = 64
_PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`path` without its query; names of `headers` are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a path answers; HEAD gets it without the body."""

    status: int
    body: bytes
    content_type: str = _PLAIN


Route = Callable[[HttpRequest], Awaitable[HttpAnswer]]


class HttpServer:
    """See the module. `start()` binds, `run()` serves until cancelled."""

    def __init__(self, host: str, port: int, routes: Mapping[str, Route]) -> None:
        self._host = host
        self._routes = dict(routes)
        self._server: asyncio.Server | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._connections = 0
        self.port = port
        """Once bound, the one that was bound."""

    async def start(self) -> None:
        """ConfigError when the port cannot be bound."""
        try:
            self._server = await asyncio.start_server(
                self._accept,
                self._host or None,
                self.port,
                limit=HEAD_BYTES_MAX,
                backlog=_BACKLOG,
                start_serving=False,
            )
        except OSError as error:
            raise ConfigError(bind_fault(self._host, self.port, error, "http.listener")) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def run(self) -> None:
        """Serve; whatever fails in a route is one line in the log and an answer 500."""
        server = self._server
        if server is None:
            return
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await server.start_serving()
                await asyncio.get_running_loop().create_future()
        finally:
            self._tasks = None
            server.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= CONNECTIONS_MAX:
            connection = h11.Connection(h11.SERVER)
            text = f"{CONNECTIONS_MAX} connections are open: close some, or try again later\n"
            writer.write(_encoded(connection, HttpAnswer(503, text.encode()), "GET", close=True))
            writer.close()
            return
        if start_in(self._tasks, self._serve(reader, writer)) is None:
            writer.transport.abort()
        else:
            self._connections += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until its peer or a bound ends it."""
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        writer.transport.set_write_buffer_limits(0)  # `drain` waits until all has left
        try:
            while await self._serve_request(connection, reader, writer):
                connection.start_next_cycle()
        except (OSError, TimeoutError) as error:
            logger.debug("an HTTP connection ended: %s", error)
        finally:
            self._connections -= 1
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()  # a peer that takes nothing would keep it open
            else:
                writer.close()

    async def _serve_request(
        self,
        connection: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Whether the connection may be used again."""
        try:
            request = await _read_request(connection, reader)
        except h11.RemoteProtocolError as error:
            if connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                answer = HttpAnswer(error.error_status_hint, f"{error}\n".encode())
                await _send(writer, _encoded(connection, answer, "GET", close=True))
            return False
        if request is None:
            return False
        answer = await self._answer(request)
        await _send(writer, _encoded(connection, answer, request.method))
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _answer(self, request: HttpRequest) -> HttpAnswer:
        route = self._routes.get(request.path)
        if route is None:
            known = ", ".join(sorted(self._routes))
            return HttpAnswer(404, f"there is no {request.path}; there are {known}\n".encode())
        if request.method not in ("GET", "HEAD"):
            return HttpAnswer(405, b"only GET and HEAD are served\n")
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await route(request)
        except TimeoutError:
            return HttpAnswer(503, b"the answer took too long; try again later\n")
        except Exception:
            logger.exception("%s failed", request.path)
            return HttpAnswer(500, b"the node's log has the cause\n")


async def _read_request(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> HttpRequest | None:
    """The next request with its body read; None when the peer has ended the connection."""
    request: HttpRequest | None = None
    body_bytes = 0
    has_begun = bool(connection.trailing_data[0])
    bound = asyncio.timeout(REQUEST_SECONDS_MAX if has_begun else IDLE_SECONDS_MAX)
    async with bound:
        while True:
            event = connection.next_event()
            match event:
                case h11.NEED_DATA:
                    data = await reader.read(_READ_BYTES)
                    if data and not has_begun:
                        has_begun = True
                        bound.reschedule(asyncio.get_running_loop().time() + REQUEST_SECONDS_MAX)
                    connection.receive_data(data)
                case h11.Request():
                    request = HttpRequest(
                        event.method.decode("ascii"),
                        event.target.decode("ascii").partition("?")[0],
                        {name.decode(): value.decode("latin-1") for name, value in event.headers},
                    )
                case h11.Data():
                    body_bytes += len(event.data)
                    if body_bytes > BODY_BYTES_MAX:
                        raise h11.RemoteProtocolError(
                            f"a body above {BODY_BYTES_MAX} bytes", error_status_hint=413
                        )
                case h11.EndOfMessage():
                    return request
                case _:
                    return None


def _encoded(
    connection: h11.Connection, answer: HttpAnswer, method: str, *, close: bool = False
) -> bytes:
    headers = [
        ("content-type", answer.content_type),
        ("content-length", str(len(answer.body))),
        ("cache-control", "no-store"),
    ]
    if answer.status == 405:
        headers.append(("allow", "GET, HEAD"))
    if close:
        headers.append(("connection", "close"))
    events: list[h11.Event] = [h11.Response(status_code=answer.status, headers=headers)]
    if method != "HEAD":
        events.append(h11.Data(data=answer.body))
    events.append(h11.EndOfMessage())
    return b"".join(connection.send(event) or b"" for event in events)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    async with asyncio.timeout(SEND_SECONDS_MAX):
        with contextlib.suppress(ConnectionError):
            await writer.drain()
