"""The internal listener's gRPC server, on the event loop.

It serves what this project's services have: calls of one request and one answer, and calls whose
handler reads and writes messages through its context. Handlers are those of the generated code and
of grpc; the context has the part of grpc.aio.ServicerContext that they use. grpc's own server does
its work on threads beside the loop, ten switches between them for a batch that is replicated.

A handler whose call ends (its caller cancelled it or went away) is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, TypeAlias, cast

import grpc
import grpc.aio
from google.protobuf.message import DecodeError as ProtobufDecodeError

from broker.internal.connection import Http2Connection
from broker.internal.status import CONTENT_TYPE, Headers, response_headers, trailers
from broker.internal.stream import Http2Stream, StreamClosed

logger = logging.getLogger(__name__)

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

CONNECTIONS_MAX: Final = 1_000
WINDOW_BYTES: Final = 1024 * 1024
_BACKLOG: Final = 128


class GrpcServer:
    """See the module. `message_bytes_max`: of a request, or of a message in a stream."""

    def __init__(self, *, message_bytes_max: int) -> None:
        self._message_bytes_max = message_bytes_max
        self._generic: list[grpc.GenericRpcHandler] = []
        self._listening: asyncio.Server | None = None
        self._connections: set[Http2Connection] = set()
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def registry(self) -> grpc.aio.Server:
        """This server as what the generated code registers services with."""
        return cast(grpc.aio.Server, self)

    def add_generic_rpc_handlers(
        self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]
    ) -> None:
        """Serve their methods too; before the start."""
        self._generic += generic_rpc_handlers

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        """Nothing: the generated code adds the same handlers as generic ones."""

    @property
    def port(self) -> int:
        """Where it listens, once it was started."""
        assert self._listening is not None
        number: int = self._listening.sockets[0].getsockname()[1]
        return number

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Listen and serve. OSError when the address cannot be had; port 0 takes a free one."""
        self._listening = await asyncio.get_running_loop().create_server(
            self._connection, host, port, ssl=tls, backlog=_BACKLOG
        )

    async def stop(self, grace_seconds: float) -> None:
        """Take no more connections, let calls end by themselves for that long, then end them."""
        if self._listening is not None:
            self._listening.close()
        if self._calls:
            await asyncio.wait(self._calls, timeout=grace_seconds)
        calls = [*self._calls]
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls)
        for connection in [*self._connections]:
            connection.close()

    def _connection(self) -> Http2Connection:
        connection = Http2Connection(
            window_bytes=WINDOW_BYTES,
            message_bytes_max=self._message_bytes_max,
            on_call=self._begin,
            on_lost=self._connections.discard,
        )
        if len(self._connections) < CONNECTIONS_MAX:
            self._connections.add(connection)
        else:
            logger.warning("%d internal connections: one more is refused", CONNECTIONS_MAX)
            asyncio.get_running_loop().call_soon(connection.close)
        return connection

    def _begin(self, connection: Http2Connection, stream: Http2Stream, headers: Headers) -> None:
        fields = dict(headers)
        path = fields.get(":path", "")
        if not fields.get("content-type", "").startswith(CONTENT_TYPE):
            connection.send_headers(stream, ((":status", "415"),), end=True)
            return
        context = CallContext(connection, stream)
        handler = self._find(path, headers)
        if handler is None:
            context.finish(grpc.StatusCode.UNIMPLEMENTED, f"there is no method {path}")
            return
        task = asyncio.get_running_loop().create_task(self._serve(handler, context, path))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        stream.on_end = task.cancel

    def _find(self, path: str, headers: Headers) -> Handler | None:
        details = _Details(path, tuple(headers))
        for generic in self._generic:
            handler: Handler | None = generic.service(details)
            if handler is not None:
                return handler
        return None

    async def _serve(self, handler: Handler, context: CallContext, path: str) -> None:
        code, details = grpc.StatusCode.CANCELLED, "the server stops"
        try:
            await _handle(handler, context)
        except _Aborted as aborted:
            code, details = aborted.code, aborted.details
        except StreamClosed:
            pass  # nobody waits for an answer
        except Exception as error:
            ended = isinstance(error, ExceptionGroup) and error.split(StreamClosed)[1] is None
            if not ended:
                logger.exception("%s failed for %s", path, context.peer())
            code, details = grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}"
        else:
            code, details = grpc.StatusCode.OK, ""
        finally:
            context.finish(code, details)


class CallContext:
    """What a handler has of its call."""

    def __init__(self, connection: Http2Connection, stream: Http2Stream) -> None:
        self._connection = connection
        self._stream = stream
        self._answers = False
        self.decode: Any = None
        self.encode: Any = None

    def peer(self) -> str:
        """The caller's address."""
        return self._connection.peer

    def open_stream(self) -> Http2Stream:
        """Begin the answer; the stream itself, for messages that nobody decodes."""
        self._begin_answer()
        return self._stream

    async def read(self) -> Any:
        """The next message; grpc.aio.EOF when the caller has no more."""
        try:
            message = await self._stream.read()
        except StreamClosed:
            return grpc.aio.EOF
        if self.decode is None:
            return message
        try:
            return self.decode(bytes(message))
        except ProtobufDecodeError as error:
            raise _Aborted(grpc.StatusCode.INTERNAL, f"no such message: {error}") from None

    async def write(self, message: Any) -> None:
        """StreamClosed when the caller went away."""
        data: bytes = message if self.encode is None else self.encode(message)
        self._begin_answer()
        await self._stream.write(data)

    async def abort(self, code: grpc.StatusCode, details: str = "") -> NoReturn:
        """End the call with an error."""
        raise _Aborted(code, details)

    def finish(self, code: grpc.StatusCode, details: str) -> None:
        """The status; nothing when the call is over already."""
        self._stream.on_end = None
        headers = trailers(code, details)
        if not self._answers:
            headers = (*response_headers(), *headers)
        self._connection.send_headers(self._stream, headers, end=True)

    def _begin_answer(self) -> None:
        if not self._answers:
            self._answers = True
            self._connection.send_headers(self._stream, response_headers())


async def _handle(handler: Any, context: CallContext) -> None:
    # grpc's types know the handlers of its other server alone, which are no coroutines.
    context.decode = handler.request_deserializer
    context.encode = handler.response_serializer
    if handler.unary_unary is not None:
        request = await context.read()
        if request is grpc.aio.EOF:
            raise _Aborted(grpc.StatusCode.INTERNAL, "the request is missing")
        await context.write(await handler.unary_unary(request, context))
    elif handler.stream_stream is not None:
        await handler.stream_stream(context, context)
    else:
        raise _Aborted(grpc.StatusCode.UNIMPLEMENTED, "calls of this kind are not served")


class _Details:
    """grpc.HandlerCallDetails."""

    def __init__(self, method: str, metadata: tuple[tuple[str, str | bytes], ...]) -> None:
        self.method = method
        self.invocation_metadata = metadata


class _Aborted(Exception):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
