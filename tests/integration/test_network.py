"""The network room over loopback sockets: framing, order, limits, sendfile, abuse."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvloop

from broker.handlers.error_counts import ErrorCounts
from broker.handlers.services import BrokerServices
from broker.handlers.spec import CloseConnection, HandlerSpec, RequestContext
from broker.network.dispatch import Dispatcher
from broker.network.limits import NetworkLimits
from broker.network.listener import Listener, Server
from broker.network.tls import server_context
from ottla.core.errors import ConfigError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.fetch_request import FetchRequest
from ottla.protocol.messages.fetch_response import (
    FetchableTopicResponse,
    FetchResponse,
    PartitionData,
)
from ottla.protocol.messages.heartbeat_request import HeartbeatRequest
from ottla.protocol.messages.heartbeat_response import HeartbeatResponse
from ottla.protocol.messages.produce_request import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from ottla.protocol.messages.produce_response import ProduceResponse

SERVICES = cast(BrokerServices, SimpleNamespace(errors=ErrorCounts()))
LIMITS = NetworkLimits(drain_ms_max=1_000)


class Slice:
    def __init__(self, path: Path, position: int, size: int) -> None:
        self._file = path.open("rb")
        self.position = position
        self.size = size

    def fileno(self) -> int:
        return self._file.fileno()


class Handlers:
    """Heartbeats answer the number in their request, when `release` says so."""

    def __init__(self) -> None:
        self.served: list[int] = []
        self.waiting: dict[int, asyncio.Future[HeartbeatResponse]] = {}
        self.coroutines_end = asyncio.Event()
        self.coroutines_done = 0
        self.produced: list[bytes] = []
        self.fetch_answers: list[FetchResponse] = []

    def heartbeat(self, services: Any, context: RequestContext, asked: HeartbeatRequest) -> Any:
        number = asked.generation_id
        self.served.append(number)
        match asked.group_id:
            case "wait":
                future = asyncio.get_running_loop().create_future()
                self.waiting[number] = future
                return future
            case "coroutine":
                return self._coroutine(number)
            case "none":
                return None
            case "close":
                raise CloseConnection("asked to")
            case "bug":
                raise RuntimeError("a bug")
            case "coroutine bug":
                return self._coroutine_bug()
        return HeartbeatResponse(throttle_time_ms=number)

    async def _coroutine(self, number: int) -> HeartbeatResponse:
        await self.coroutines_end.wait()
        self.coroutines_done += 1
        return HeartbeatResponse(throttle_time_ms=number)

    async def _coroutine_bug(self) -> HeartbeatResponse:
        await asyncio.sleep(0)
        raise RuntimeError("a bug")

    def release(self, number: int) -> None:
        self.waiting.pop(number).set_result(HeartbeatResponse(throttle_time_ms=number))

    def produce(self, services: Any, context: RequestContext, asked: ProduceRequest) -> Any:
        records = asked.topic_data[0].partition_data[0].records
        assert isinstance(records, memoryview)
        assert not records.readonly  # offsets are patched in place
        self.produced.append(bytes(records))
        return ProduceResponse()

    def fetch(self, services: Any, context: RequestContext, asked: FetchRequest) -> Any:
        return self.fetch_answers.pop(0)

    def specs(self) -> list[HandlerSpec]:
        return [
            HandlerSpec(ApiKey.HEARTBEAT, 0, 4, self.heartbeat),
            HandlerSpec(ApiKey.PRODUCE, 3, 13, self.produce),
            HandlerSpec(ApiKey.FETCH, 4, 18, self.fetch),
        ]


@asynccontextmanager
async def serving(
    limits: NetworkLimits = LIMITS, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Handlers, Server]]:
    handlers = Handlers()
    server = Server(
        [Listener("CLIENTS", "127.0.0.1", 0, context)],
        Dispatcher(handlers.specs(), SERVICES),
        limits,
    )
    await server.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run())
        await asyncio.sleep(0)
        try:
            yield handlers, server
        finally:
            handlers.coroutines_end.set()
            for future in handlers.waiting.values():
                future.cancel()
            await server.close()
    assert server.connection_count == 0
    assert (server.account.requests, server.account.bytes) == (0, 0)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, server: Server, context: ssl.SSLContext | None = None) -> Client:
        return cls(
            *await asyncio.open_connection(
                "127.0.0.1",
                server.ports["CLIENTS"],
                ssl=context,
                server_hostname="localhost" if context else None,
                limit=2**20,
            )
        )

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def answer(self) -> tuple[int, bytes]:
        """Correlation id and body (after the empty tagged fields of the header)."""
        async with asyncio.timeout(10):
            size, correlation_id = struct.unpack(">ii", await self.reader.readexactly(8))
            return correlation_id, (await self.reader.readexactly(size - 4))[1:]

    async def numbers(self, count: int) -> list[int]:
        return [(await self.answer())[0] for _ in range(count)]

    async def is_closed(self) -> bool:
        async with asyncio.timeout(10):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True

    def close(self) -> None:
        self.writer.transport.abort()


def frame(key: int, version: int, number: int, body: bytes) -> bytes:
    content = struct.pack(">hhih", key, version, number, 2) + b"me\0" + body
    return struct.pack(">i", len(content)) + content


def heartbeat(number: int, kind: str = "now", padding: int = 0) -> bytes:
    message = HeartbeatRequest(group_id=kind, generation_id=number, member_id="m" * padding)
    return frame(ApiKey.HEARTBEAT, 4, number, message.encode(4))


def produce(number: int, records: bytes) -> bytes:
    topic = TopicProduceData("t", partition_data=[PartitionProduceData(0, records)])
    return frame(ApiKey.PRODUCE, 9, number, ProduceRequest(topic_data=[topic]).encode(9))


def fetch(number: int) -> bytes:
    return frame(ApiKey.FETCH, 12, number, FetchRequest().encode(12))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (what it waits for is not this loop's doing)
            await asyncio.sleep(0.001)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await test()

    uvloop.run(main())


def test_answers_leave_in_request_order_whatever_the_order_of_completion() -> None:
    async def test() -> None:
        async with serving() as (handlers, server):
            client = await Client.connect(server)
            kinds = ["now", "wait", "now", "wait", "coroutine", "wait", "none", "now"]
            client.send(*[heartbeat(number, kind) for number, kind in enumerate(kinds)])
            assert await client.numbers(1) == [0]
            await until(lambda: len(handlers.served) == len(kinds))
            handlers.release(5)
            handlers.release(3)
            handlers.coroutines_end.set()
            await until(lambda: handlers.coroutines_done == 1)
            handlers.release(1)
            assert await client.numbers(6) == [1, 2, 3, 4, 5, 7]
            client.send(heartbeat(8))
            assert await client.numbers(1) == [8]
            client.close()

    run(test)


def test_requests_survive_any_cut_of_the_stream() -> None:
    async def test() -> None:
        async with serving() as (handlers, server):
            client = await Client.connect(server)
            large = os.urandom(300_000)
            stream = (
                heartbeat(0) + produce(1, large) + heartbeat(2, padding=70) + produce(3, b"abc")
            )
            for start in range(0, len(stream), 50_021):
                client.send(stream[start : start + 50_021])
                await client.writer.drain()
                await asyncio.sleep(0.001)
            assert await client.numbers(4) == [0, 1, 2, 3]
            assert handlers.produced == [large, b"abc"]
            for byte in heartbeat(4):
                client.send(bytes([byte]))
                await asyncio.sleep(0)
            assert await client.numbers(1) == [4]
            assert server.account.bytes == 0
            assert server.pool.free_count == 1
            client.close()

    run(test)


ABUSE = {
    "garbage": (b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "a frame of 1195725856 bytes"),
    "oversized": (struct.pack(">i", 200_000_000), "a frame of 200000000 bytes"),
    "negative": (struct.pack(">i", -5), "a frame of -5 bytes"),
    "unknown API": (frame(4711, 0, 1, b""), "unknown API key 4711"),
    "unsupported version": (frame(ApiKey.HEARTBEAT, 99, 1, b""), "HEARTBEAT version 99"),
    "undecodable": (frame(ApiKey.HEARTBEAT, 4, 1, b"\xff\xff\xff\xff\xff"), "varint is longer"),
    "refused by the handler": (heartbeat(1, "close"), "asked to"),
}


@pytest.mark.parametrize("name", ABUSE)
def test_abuse_closes_its_connection_with_one_log_line_and_disturbs_nobody(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    data, line = ABUSE[name]

    async def test() -> None:
        async with serving() as (handlers, server):
            other = await Client.connect(server)
            other.send(heartbeat(100, "wait"))
            await until(lambda: handlers.served == [100])
            client = await Client.connect(server)
            client.send(heartbeat(1), heartbeat(2, "wait"), data, heartbeat(3))
            assert await client.numbers(1) == [1]
            await until(lambda: 2 in handlers.waiting)
            handlers.release(2)
            assert await client.numbers(1) == [2]  # earlier requests still get their answers
            assert await client.is_closed()
            assert 3 not in handlers.served
            handlers.release(100)
            assert await other.numbers(1) == [100]
            other.close()
            client.close()

    with caplog.at_level(logging.INFO):
        run(test)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert line in lines[0]


def test_a_request_cut_in_half_is_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving() as (_, server):
            client = await Client.connect(server)
            client.send(heartbeat(1), heartbeat(2)[:10])
            assert await client.numbers(1) == [1]
            await asyncio.sleep(0.01)
            client.writer.close()
            await until(lambda: server.connection_count == 0)

    with caplog.at_level(logging.INFO):
        run(test)
    assert len(caplog.records) == 1
    assert "in the middle of a request (10 bytes of it received)" in caplog.text


@pytest.mark.parametrize("kind", ["bug", "coroutine bug"])
def test_a_bug_in_a_handler_is_an_answer_and_one_log_line(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with serving() as (_, server):
            client = await Client.connect(server)
            client.send(heartbeat(1, kind), heartbeat(2))
            number, body = await client.answer()
            assert (number, HeartbeatResponse.decode(body, 4).error_code) == (1, -1)
            assert await client.numbers(1) == [2]
            client.close()

    with caplog.at_level(logging.INFO):
        run(test)
    assert len(caplog.records) == 1


def test_waiting_requests_of_a_connection_are_bounded() -> None:
    async def test() -> None:
        limits = replace(LIMITS, connection_requests_max=3)
        async with serving(limits) as (handlers, server):
            client = await Client.connect(server)
            client.send(*[heartbeat(number, "wait") for number in range(10)])
            await until(lambda: len(handlers.served) == 3)
            await asyncio.sleep(0.02)
            assert handlers.served == [0, 1, 2]
            handlers.release(1)
            await asyncio.sleep(0.02)
            assert handlers.served == [0, 1, 2]
            handlers.release(0)
            assert await client.numbers(2) == [0, 1]
            await until(lambda: handlers.served == [0, 1, 2, 3, 4])
            for number in range(2, 10):
                await until(lambda number=number: number in handlers.waiting)  # type: ignore[misc]
                handlers.release(number)
            assert await client.numbers(8) == list(range(2, 10))
            client.close()

    run(test)


def test_waiting_bytes_of_a_connection_are_bounded() -> None:
    async def test() -> None:
        limits = replace(LIMITS, connection_bytes_max=1_000)
        async with serving(limits) as (handlers, server):
            client = await Client.connect(server)
            client.send(*[heartbeat(number, "wait", padding=600) for number in range(4)])
            await until(lambda: len(handlers.served) == 2)
            await asyncio.sleep(0.02)
            assert handlers.served == [0, 1]
            for number in range(4):
                await until(lambda number=number: number in handlers.waiting)  # type: ignore[misc]
                handlers.release(number)
            assert await client.numbers(4) == [0, 1, 2, 3]
            client.close()

    run(test)


def test_waiting_requests_of_the_node_are_bounded_but_everyone_has_one() -> None:
    async def test() -> None:
        limits = replace(LIMITS, node_requests_max=2)
        async with serving(limits) as (handlers, server):
            clients = [await Client.connect(server) for _ in range(4)]
            for position, client in enumerate(clients):
                client.send(heartbeat(10 * position, "wait"), heartbeat(10 * position + 1, "wait"))
                await until(lambda position=position: 10 * position in handlers.served)  # type: ignore[misc]
            await asyncio.sleep(0.02)
            assert sorted(handlers.served) == [0, 1, 10, 20, 30]
            for number in (0, 1, 10, 11, 20, 21, 30, 31):
                await until(lambda number=number: number in handlers.waiting)  # type: ignore[misc]
                handlers.release(number)
            for position, client in enumerate(clients):
                assert await client.numbers(2) == [10 * position, 10 * position + 1]
                client.close()

    run(test)


def test_large_frames_share_the_nodes_bytes() -> None:
    async def test() -> None:
        limits = replace(LIMITS, node_bytes_max=250_000)
        async with serving(limits) as (handlers, server):
            first, second = await Client.connect(server), await Client.connect(server)
            large = [os.urandom(200_000), os.urandom(200_001)]
            frames = [produce(1, large[0]), produce(2, large[1])]
            first.send(frames[0][:100_000])
            await until(lambda: server.account.bytes > 0)
            second.send(frames[1])
            await asyncio.sleep(0.02)
            assert handlers.produced == []
            assert server.account.bytes == len(frames[0])
            first.send(frames[0][100_000:])
            assert await first.numbers(1) == [1]
            assert await second.numbers(1) == [2]
            assert handlers.produced == large
            first.close()
            second.close()

    run(test)


def test_a_peer_that_takes_no_answers_is_not_read_any_further() -> None:
    async def test() -> None:
        limits = replace(LIMITS, unsent_bytes_max=100_000)
        async with serving(limits) as (handlers, server):
            big = FetchResponse(
                responses=[
                    FetchableTopicResponse(partitions=[PartitionData(records=b"x" * 400_000)])
                ]
            )
            handlers.fetch_answers = [big] * 200
            client = await Client.connect(server)
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            client.send(*[fetch(number) for number in range(200)])
            await asyncio.sleep(0.2)
            left = len(handlers.fetch_answers)
            assert left > 100
            await asyncio.sleep(0.05)
            assert len(handlers.fetch_answers) == left
            client.writer.transport.resume_reading()  # type: ignore[attr-defined]
            assert await client.numbers(200) == list(range(200))
            client.close()

    run(test)


def certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate for localhost."""
    key, chain = folder / "key.pem", folder / "chain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(chain)],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(chain), str(key)


@pytest.mark.parametrize("with_tls", [False, True])
def test_slices_of_files_are_sent_in_order_to_a_slow_reader(with_tls: bool, tmp_path: Path) -> None:
    contexts: tuple[ssl.SSLContext | None, ssl.SSLContext | None] = (None, None)
    if with_tls:
        chain, key = certificate(tmp_path)
        contexts = (
            server_context(certificate=chain, key=key),
            ssl.create_default_context(cafile=chain),
        )
    path = tmp_path / "log"
    path.write_bytes(os.urandom(24_000_000))
    content = path.read_bytes()
    ranges = [[(0, 12_000_000), (5, 100)], [(20_000, 20_000)], [(12_000_000, 12_000_000)], []]

    async def test() -> None:
        async with serving(context=contexts[0]) as (handlers, server):
            handlers.fetch_answers = [
                FetchResponse(
                    responses=[
                        FetchableTopicResponse(
                            partitions=[
                                PartitionData(records=Slice(path, position, size))
                                for position, size in wanted
                            ]
                        )
                    ]
                )
                for wanted in ranges
            ]
            client = await Client.connect(server, contexts[1])
            client.send(fetch(0), fetch(1), heartbeat(50), fetch(2), fetch(3), heartbeat(51))
            await asyncio.sleep(0.1)  # the socket's buffer is full by now
            for number, wanted in enumerate(ranges):
                correlation_id, body = await client.answer()
                assert correlation_id == number
                partitions = FetchResponse.decode(body, 12).responses[0].partitions
                records = [bytes(cast(memoryview, p.records)) for p in partitions]
                assert records == [content[at : at + size] for at, size in wanted]
                if number == 1:
                    assert await client.numbers(1) == [50]
            assert await client.numbers(1) == [51]
            client.close()

    run(test)


def test_a_client_that_leaves_in_the_middle_of_a_slice_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log"
    path.write_bytes(bytes(30_000_000))

    async def test() -> None:
        async with serving() as (handlers, server):
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(5):
                part = PartitionData(records=Slice(path, 0, 30_000_000))
                handlers.fetch_answers = [
                    FetchResponse(responses=[FetchableTopicResponse(partitions=[part])])
                ]
                del part
                client = await Client.connect(server)
                client.writer.transport.pause_reading()  # type: ignore[attr-defined]
                client.send(fetch(0))
                await until(lambda: handlers.fetch_answers == [])
                client.close()
                await until(lambda: server.connection_count == 0)
            assert len(os.listdir("/proc/self/fd")) <= before

    run(test)


def test_a_lost_connection_cancels_its_polls_and_lets_its_tasks_end() -> None:
    async def test() -> None:
        async with serving() as (handlers, server):
            client = await Client.connect(server)
            client.send(heartbeat(1, "wait"), heartbeat(2, "coroutine"), heartbeat(3))
            await until(lambda: handlers.served == [1, 2, 3])
            poll = handlers.waiting.pop(1)
            client.close()
            await until(poll.cancelled)
            await until(lambda: server.account.requests == 1)
            handlers.coroutines_end.set()
            await until(lambda: handlers.coroutines_done == 1)
            await until(lambda: server.account.requests == 0)

    run(test)


def test_connections_are_limited_in_total_and_by_address() -> None:
    async def test() -> None:
        limits = replace(LIMITS, connections_max=5, connections_per_address_max=2)
        async with serving(limits) as (_, server):
            clients = [await Client.connect(server) for _ in range(2)]
            refused = await Client.connect(server)
            assert await refused.is_closed()
            clients[0].close()
            await until(lambda: server.connection_count == 1)
            again = await Client.connect(server)
            again.send(heartbeat(1))
            assert await again.numbers(1) == [1]
            clients[1].close()
            again.close()

    run(test)


def test_idle_connections_are_closed_and_waiting_ones_are_not() -> None:
    async def test() -> None:
        limits = replace(LIMITS, idle_ms_max=100, partial_frame_ms_max=100)
        async with serving(limits) as (handlers, server):
            idle, half, waiting = [await Client.connect(server) for _ in range(3)]
            idle.send(heartbeat(1))
            half.send(heartbeat(2)[:9])
            waiting.send(heartbeat(3, "wait"))
            assert await idle.numbers(1) == [1]
            assert await idle.is_closed()
            assert await half.is_closed()
            await asyncio.sleep(0.3)
            handlers.release(3)
            assert await waiting.numbers(1) == [3]
            assert await waiting.is_closed()

    run(test)


def test_closing_answers_what_waits_and_accepts_nothing_more() -> None:
    async def test() -> None:
        async with serving() as (handlers, server):
            client = await Client.connect(server)
            client.send(heartbeat(1, "wait"))
            await until(lambda: handlers.served == [1])
            closing = asyncio.ensure_future(server.close())
            await asyncio.sleep(0.02)
            client.send(heartbeat(2))
            with pytest.raises(OSError):
                await Client.connect(server)
            handlers.release(1)
            assert await client.numbers(1) == [1]
            assert await client.is_closed()
            await closing
            assert handlers.served == [1]

    run(test)


def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    async def test() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            server = Server(
                [Listener("ONE", "127.0.0.1", 0), Listener("TWO", "127.0.0.1", port)],
                Dispatcher([], SERVICES),
            )
            with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} is taken"):
                await server.start()
            server = Server([Listener("X", "192.0.2.1", 0)], Dispatcher([], SERVICES))
            with pytest.raises(ConfigError, match="no address of this machine"):
                await server.start()

    run(test)
