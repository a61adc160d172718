"""Admission and the idle sweep; binding and draining are in tests/integration/test_network.py."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.handlers.error_counts import ErrorCounts
from broker.handlers.services import BrokerServices
from broker.network.connection import Connection
from broker.network.dispatch import Dispatcher
from broker.network.limits import NetworkLimits
from broker.network.listener import Listener, Server
from ottla.core.clock import ManualClock

SERVICES = cast(BrokerServices, SimpleNamespace(errors=ErrorCounts()))


class FakeConnection:
    def __init__(self) -> None:
        self.quiet_since_ms: int | None = None
        self.is_idle = True
        self.has_partial_frame = False
        self.ended: list[str | None] = []

    def end(self, reason: str | None, gone: object = None) -> None:
        self.ended.append(reason)

    def abort(self) -> None:
        self.ended.append("aborted")


def server(**limits: Any) -> tuple[Server, ManualClock]:
    clock = ManualClock()
    listeners = [Listener("CLIENTS", "127.0.0.1", 0)]
    return Server(listeners, Dispatcher([], SERVICES), NetworkLimits(**limits), clock), clock


def admit(node: Server, connection: FakeConnection, address: str) -> str | None:
    return node.admit(cast(Connection, connection), address)


def test_connections_are_counted_in_total_and_by_address() -> None:
    node, _ = server(connections_max=3, connections_per_address_max=2)
    first, second, third = FakeConnection(), FakeConnection(), FakeConnection()
    assert admit(node, first, "a") is None
    assert admit(node, second, "a") is None
    assert "max.connections.per.ip" in (admit(node, FakeConnection(), "a") or "")
    assert admit(node, third, "b") is None
    refusal = admit(node, FakeConnection(), "c")
    assert refusal == "3 connections are open (max.connections)"
    node.forget(cast(Connection, first), "a")
    assert admit(node, FakeConnection(), "a") is None
    assert node.connection_count == 3


def test_an_idle_connection_is_closed_after_its_time_and_not_before() -> None:
    node, clock = server(idle_ms_max=1_000)
    connection = FakeConnection()
    admit(node, connection, "a")
    node._sweep()
    clock.advance(1_000)
    node._sweep()
    assert connection.ended == []
    clock.advance(1)
    node._sweep()
    assert connection.ended == [None]


def test_who_was_active_or_waits_for_an_answer_starts_anew() -> None:
    node, clock = server(idle_ms_max=1_000)
    active, waiting = FakeConnection(), FakeConnection()
    waiting.is_idle = False
    admit(node, active, "a")
    admit(node, waiting, "a")
    for _ in range(5):
        node._sweep()
        clock.advance(900)
        active.quiet_since_ms = None
    waiting.is_idle = True
    node._sweep()
    clock.advance(1_000)
    node._sweep()
    assert (active.ended, waiting.ended) == ([], [None])


def test_half_a_request_has_a_shorter_time() -> None:
    node, clock = server(idle_ms_max=100_000, partial_frame_ms_max=500)
    connection = FakeConnection()
    connection.has_partial_frame = True
    admit(node, connection, "a")
    node._sweep()
    clock.advance(501)
    node._sweep()
    assert connection.ended == ["the rest of a request did not come"]


def test_a_coroutine_is_refused_when_the_server_does_not_run() -> None:
    async def answer() -> int:
        return 1

    node, _ = server()
    assert node.start_task(answer()) is None


@pytest.mark.parametrize(("limit_ms", "drain_ms"), [(60_000, 1), (1, None), (1, 60_000)])
def test_a_drain_ends_at_the_shorter_bound(limit_ms: int, drain_ms: int | None) -> None:
    async def test() -> None:
        node, _ = server(drain_ms_max=limit_ms)
        waiting = FakeConnection()
        node.admit(cast(Connection, waiting), "1.2.3.4")
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(node.run())
            await asyncio.sleep(0)
            await node.close(drain_ms)
        assert waiting.ended == [None, "aborted"]

    asyncio.run(test())
