"""The server with handlers of grpc's, called by our own client in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

from broker.internal.connection import STREAMS_MAX, Http2Connection
from broker.internal.server import CallContext, GrpcServer
from broker.internal.status import request_headers
from broker.internal.stream import Http2Stream, StreamClosed
from tests.support.in_loop import in_loop, turns
from tests.unit.broker.internal.wire import Wire, connect


class Service:
    def __init__(self) -> None:
        self.cancelled = 0
        self.release = asyncio.Event()

    async def upper(self, request: str, _: CallContext) -> str:
        return request.upper()

    async def refuse(self, _: str, context: CallContext) -> str:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")

    async def fail(self, _: str, __: CallContext) -> str:
        raise ValueError("a planted fault")

    async def wait(self, request: str, _: CallContext) -> str:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return request

    async def echo(self, _: object, context: CallContext) -> None:
        while (message := await context.read()) is not grpc.aio.EOF:
            await context.write(message)

    async def raw(self, _: object, context: CallContext) -> None:
        stream = context.open_stream()
        while True:
            await stream.write(bytes(await stream.read()))


class Served:
    """A server, and a client's connection to it."""

    def __init__(self) -> None:
        self.service = service = Service()
        self.server = GrpcServer(message_bytes_max=1_000)

        def unary(behaviour: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(
                behaviour,
                request_deserializer=lambda data: data.decode(),
                response_serializer=lambda text: text.encode(),
            )

        handlers: dict[str, Any] = {
            name: unary(getattr(service, name)) for name in ("upper", "refuse", "fail", "wait")
        }
        handlers["echo"] = grpc.stream_stream_rpc_method_handler(service.echo)
        handlers["raw"] = grpc.stream_stream_rpc_method_handler(service.raw)
        handlers["other"] = grpc.unary_stream_rpc_method_handler(service.echo)
        generic = grpc.method_handlers_generic_handler("service", handlers)
        self.server.registry.add_generic_rpc_handlers((generic,))
        self.client = Http2Connection(window_bytes=1_000, message_bytes_max=1_000)
        self.wire, _ = connect(self.client, self.server._connection())

    def open(self, method: str, **changes: str) -> Http2Stream:
        headers = dict(request_headers(f"/service/{method}", "host:1", tls=False))
        return self.client.open(tuple({**headers, **changes}.items()))

    async def ask(self, method: str, request: bytes = b"text") -> bytes:
        call = self.open(method)
        await call.write(request)
        async with asyncio.timeout(5):
            answer = await call.read()
            with pytest.raises(StreamClosed, match="the peer ended it"):
                await call.read()
        return bytes(answer)


@in_loop
async def test_one_request_one_answer() -> None:
    served = Served()
    assert await served.ask("upper") == b"TEXT"
    assert await served.ask("upper", b"") == b""


@in_loop
async def test_calls_that_were_answered_are_forgotten() -> None:
    served = Served()
    for _ in range(3 * STREAMS_MAX):
        assert await served.ask("upper") == b"TEXT"


@pytest.mark.parametrize(
    ("method", "why"),
    [
        ("refuse", "not you"),
        ("fail", "ValueError: a planted fault"),
        ("unknown", "there is no method /service/unknown"),
        ("other", "calls of this kind are not served"),
    ],
)
@in_loop
async def test_calls_that_fail_are_told_why(
    method: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    served = Served()
    with pytest.raises(StreamClosed, match=why):
        await served.ask(method)
    assert ("planted" in caplog.text) == (method == "fail")
    assert await served.ask("upper") == b"TEXT"


@in_loop
async def test_what_is_no_grpc_is_refused() -> None:
    served = Served()
    call = served.open("upper", **{"content-type": "application/json"})
    with pytest.raises(StreamClosed, match="HTTP status 415"):
        await call.read()


@in_loop
async def test_messages_go_to_and_fro() -> None:
    served = Served()
    for method in ("echo", "raw"):
        call = served.open(method)
        for number in range(10):
            await call.write(bytes([number]))
            assert await call.read() == bytes([number])
        call.cancel()
    await turns()
    assert not served.server._calls


@in_loop
async def test_the_handler_of_a_call_that_ended_is_cancelled() -> None:
    served = Served()
    call = served.open("wait")
    await call.write(b"text")
    await turns()
    call.cancel()
    await turns()
    assert served.service.cancelled == 1
    call = served.open("wait")
    await call.write(b"text")
    await turns()
    served.wire.break_off()
    await turns()
    assert served.service.cancelled == 2
    assert not served.server._connections


@in_loop
async def test_a_stop_lets_calls_end_and_then_ends_them() -> None:
    served = Served()
    calls = [served.open("wait") for _ in range(2)]
    for call in calls:
        await call.write(b"text")
    await turns()
    stopping = asyncio.ensure_future(served.server.stop(30))
    await turns()
    assert not stopping.done()
    served.service.release.set()
    await stopping
    assert [await call.read() for call in calls] == [b"text", b"text"]

    served = Served()
    call = served.open("wait")
    await call.write(b"text")
    await turns()
    await served.server.stop(0)
    assert served.service.cancelled == 1
    with pytest.raises(StreamClosed, match="the server stops"):
        await call.read()
    await turns()
    assert served.wire.is_closing()


@in_loop
async def test_connections_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    from broker.internal import server as module

    monkeypatch.setattr(module, "CONNECTIONS_MAX", 1)
    served = Served()
    stranger = Http2Connection(window_bytes=1_000, message_bytes_max=1_000)
    wire: Wire
    wire, _ = connect(stranger, served.server._connection())
    await turns()
    assert wire.is_closing()
    assert await served.ask("upper") == b"TEXT"
