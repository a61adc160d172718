"""The connection's own decisions, with a transport that only remembers; see also
tests/integration/test_network.py."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from broker.handlers.error_counts import ErrorCounts
from broker.handlers.services import BrokerServices
from broker.handlers.spec import CloseConnection, HandlerSpec
from broker.network.connection import Connection
from broker.network.dispatch import Dispatcher
from broker.network.limits import BufferPool, NetworkLimits, NodeAccount
from broker.quotas.table import Client, QuotaKind
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.heartbeat_request import HeartbeatRequest
from ottla.protocol.messages.heartbeat_response import HeartbeatResponse

SERVICES = cast(BrokerServices, SimpleNamespace(errors=ErrorCounts()))


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__({"peername": ("10.0.0.9", 5)})
        self.written: list[bytes] = []
        self.is_reading_ = True
        self.is_closed = False
        self.is_aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 1

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def pause_reading(self) -> None:
        self.is_reading_ = False

    def resume_reading(self) -> None:
        self.is_reading_ = True

    def is_closing(self) -> bool:
        return self.is_closed or self.is_aborted

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True


class FakeHost:
    def __init__(
        self, handler: Callable[..., Any], limits: NetworkLimits, quotas: FakeQuotas | None
    ) -> None:
        self.limits = limits
        self.dispatcher = Dispatcher(
            [HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES, cast(Any, quotas)
        )
        self.pool = BufferPool(4)
        self.account = NodeAccount(limits.node_requests_max, limits.node_bytes_max)
        self.executor = ThreadPoolExecutor(1)
        self.refusal: str | None = None
        self.forgotten: list[str] = []

    def admit(self, connection: Connection, address: str) -> str | None:
        return self.refusal

    def forget(self, connection: Connection, address: str) -> None:
        self.forgotten.append(address)

    def start_task(self, answer: Coroutine[Any, Any, Any]) -> asyncio.Future[Any] | None:
        answer.close()
        return None


class Fixture:
    """A connection; `handler` gets the number of each heartbeat."""

    def __init__(
        self, handler: Callable[[int], Any], quotas: FakeQuotas | None = None, **limits: int
    ) -> None:
        self.host = FakeHost(
            lambda services, context, asked: handler(asked.generation_id),
            replace(NetworkLimits(), **limits),
            quotas,
        )
        self.transport = FakeTransport()
        self.connection = Connection(self.host, "CLIENTS", "c-1")

    def connect(self) -> Fixture:
        self.connection.connection_made(self.transport)
        return self

    def feed(self, data: bytes) -> None:
        while data:
            room = self.connection.get_buffer(-1)
            count = min(len(room), len(data))
            room[:count] = data[:count]
            self.connection.buffer_updated(count)
            data = data[count:]

    @property
    def answered(self) -> list[int]:
        """Correlation ids of what was written."""
        numbers = []
        data = b"".join(self.transport.written)
        while data:
            size, number = struct.unpack_from(">ii", data)
            numbers.append(number)
            data = data[4 + size :]
        return numbers


def heartbeat(number: int) -> bytes:
    header = struct.pack(">hhihB", ApiKey.HEARTBEAT, 4, number, -1, 0)
    content = header + HeartbeatRequest(generation_id=number).encode(4)
    return struct.pack(">i", len(content)) + content


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def test_the_answers_of_one_read_leave_in_one_write() -> None:
    async def test() -> None:
        f = Fixture(lambda number: HeartbeatResponse()).connect()
        f.feed(b"".join(heartbeat(number) for number in range(5)))
        assert len(f.transport.written) == 1
        assert f.answered == [0, 1, 2, 3, 4]
        assert f.host.pool.free_count == 1

    run(test)


def test_many_answers_that_become_ready_together_leave_in_one_write() -> None:
    async def test() -> None:
        futures: list[asyncio.Future[HeartbeatResponse]] = []

        def handler(number: int) -> asyncio.Future[HeartbeatResponse]:
            futures.append(asyncio.get_running_loop().create_future())
            return futures[-1]

        f = Fixture(handler).connect()
        f.feed(b"".join(heartbeat(number) for number in range(5)))
        for future in reversed(futures):
            future.set_result(HeartbeatResponse())
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(f.transport.written) == 1
        assert f.answered == [0, 1, 2, 3, 4]

    run(test)


def test_reading_stops_at_the_limit_and_goes_on_below_it() -> None:
    async def test() -> None:
        futures: dict[int, asyncio.Future[HeartbeatResponse]] = {}

        def handler(number: int) -> asyncio.Future[HeartbeatResponse]:
            futures[number] = asyncio.get_running_loop().create_future()
            return futures[number]

        f = Fixture(handler, connection_requests_max=2).connect()
        f.feed(heartbeat(0) + heartbeat(1))
        f.feed(heartbeat(2) + heartbeat(3)[:5])
        assert sorted(futures) == [0, 1]
        assert not f.transport.is_reading_
        futures[0].set_result(HeartbeatResponse())
        for _ in range(3):
            await asyncio.sleep(0)
        assert sorted(futures) == [0, 1, 2]
        assert f.transport.is_reading_ is False  # two wait again
        futures[1].set_result(HeartbeatResponse())
        for _ in range(3):
            await asyncio.sleep(0)
        assert f.transport.is_reading_
        f.feed(heartbeat(3)[5:])
        assert sorted(futures) == [0, 1, 2, 3]
        for number in (2, 3):
            futures[number].set_result(HeartbeatResponse())
        for _ in range(3):
            await asyncio.sleep(0)
        assert f.answered == [0, 1, 2, 3]
        assert (f.host.account.requests, f.host.account.bytes) == (0, 0)

    run(test)


def test_a_refused_connection_is_aborted_and_never_counted() -> None:
    async def test() -> None:
        f = Fixture(lambda number: HeartbeatResponse())
        f.host.refusal = "full"
        f.connect()
        assert f.transport.is_aborted
        f.connection.connection_lost(None)
        assert f.host.forgotten == []

    run(test)


def test_nothing_is_served_after_the_end_and_earlier_answers_are_awaited() -> None:
    async def test() -> None:
        futures: list[asyncio.Future[HeartbeatResponse]] = []

        def handler(number: int) -> asyncio.Future[HeartbeatResponse]:
            futures.append(asyncio.get_running_loop().create_future())
            return futures[-1]

        f = Fixture(handler).connect()
        f.feed(heartbeat(0))
        f.connection.end("enough")
        assert not f.transport.is_closed
        f.feed(heartbeat(1))
        assert len(futures) == 1
        futures[0].set_result(HeartbeatResponse())
        for _ in range(3):
            await asyncio.sleep(0)
        assert f.answered == [0]
        assert f.transport.is_closed
        told: list[bool] = []
        f.connection.end(None, lambda: told.append(True))
        assert told == []
        f.connection.connection_lost(None)
        assert told == [True]
        assert f.host.forgotten == ["10.0.0.9"]

    run(test)


def test_an_answer_never_overtakes_one_that_failed() -> None:
    async def test() -> None:
        futures: list[asyncio.Future[HeartbeatResponse]] = []

        def handler(number: int) -> asyncio.Future[HeartbeatResponse]:
            futures.append(asyncio.get_running_loop().create_future())
            return futures[-1]

        f = Fixture(handler).connect()
        f.feed(heartbeat(0) + heartbeat(1) + heartbeat(2))
        futures[1].set_result(HeartbeatResponse())
        futures[0].set_exception(CloseConnection("lost"))
        for _ in range(4):
            await asyncio.sleep(0)
        assert f.answered == []
        assert f.transport.is_closed
        assert futures[2].cancelled()
        await asyncio.sleep(0)
        assert (f.host.account.requests, f.host.account.bytes) == (0, 0)

    run(test)


def test_a_coroutine_while_the_server_closes_ends_the_connection() -> None:
    async def test() -> None:
        async def answer() -> HeartbeatResponse:
            return HeartbeatResponse()

        f = Fixture(lambda number: answer()).connect()
        f.feed(heartbeat(0))
        assert f.transport.is_closed

    run(test)


class FakeQuotas:
    """Every produce or request of a client costs a pause."""

    def __init__(self, kind: QuotaKind, throttle_ms: int) -> None:
        self.kinds = frozenset({kind})
        self.throttle_ms = throttle_ms
        self.charged: list[Client] = []

    def charge(self, kind: QuotaKind, client: Client, amount: float) -> int:
        assert kind in self.kinds
        assert amount > 0
        self.charged.append(client)
        return self.throttle_ms


def test_a_client_over_its_quota_is_told_at_once_and_not_served_for_a_while() -> None:
    async def test() -> None:
        served: list[int] = []

        def handler(number: int) -> HeartbeatResponse:
            served.append(number)
            return HeartbeatResponse()

        quotas = FakeQuotas(QuotaKind.REQUEST, 20)
        f = Fixture(handler, quotas=quotas).connect()
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        f.feed(heartbeat(0) + heartbeat(1))
        assert served == [0]
        assert f.answered == [0]
        answer = f.transport.written[0]
        assert HeartbeatResponse.decode(answer, 4, 9).throttle_time_ms == 20
        assert not f.transport.is_reading_
        quotas.throttle_ms = 0
        for _ in range(100_000):
            if len(f.answered) == 2:
                break
            await asyncio.sleep(0)
        assert len(f.answered) == 2
        assert loop.time() - begun_s >= 0.02
        assert f.transport.is_reading_
        assert quotas.charged == [Client("ANONYMOUS", "")] * 2

    run(test)


def test_a_muted_connection_sends_what_waits_and_ends_when_it_is_lost() -> None:
    async def test() -> None:
        futures: list[asyncio.Future[HeartbeatResponse]] = []

        def handler(number: int) -> asyncio.Future[HeartbeatResponse]:
            futures.append(asyncio.get_running_loop().create_future())
            return futures[-1]

        f = Fixture(handler, quotas=FakeQuotas(QuotaKind.REQUEST, 60_000)).connect()
        f.feed(heartbeat(0) + heartbeat(1))
        assert len(futures) == 1
        futures[0].set_result(HeartbeatResponse())
        for _ in range(3):
            await asyncio.sleep(0)
        assert f.answered == [0]
        f.connection.connection_lost(None)
        assert len(futures) == 1

    run(test)
