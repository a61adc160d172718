from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.handlers.departures import Departures
from broker.handlers.peer_check import FENCE_MS_MAX, FRESH_MS, PeerCheck
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError


class Peers:
    """Node 1 of four; `refusing` names the ports at which nobody listens."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.refusing: set[int] = set()
        self.dialed: list[int] = []
        self.departures = Departures()
        brokers = {
            broker_id: SimpleNamespace(
                fenced=False,
                broker_epoch=10 * broker_id,
                internal_host="host",
                internal_port=broker_id,
            )
            for broker_id in (1, 2, 3, 4)
        }
        self.state = cast(Any, SimpleNamespace(brokers=brokers))
        self.offset = 7
        self.waits: list[tuple[int, int]] = []
        self.fenced_meanwhile: set[int] = set()
        self.peers = PeerCheck(
            1,
            cast(Any, self),
            self.departures,
            self.refuses,
            self.clock,
        )

    async def refuses(self, host: str, port: int) -> bool:
        self.dialed.append(port)
        return port in self.refusing

    async def wait_offset(self, offset: int, timeout_ms: int) -> None:
        """The metadata of this node: a change fences, or nothing changes in time."""
        self.waits.append((offset, timeout_ms))
        if not self.fenced_meanwhile:
            self.clock.advance(timeout_ms)
            raise ProtocolError(ErrorCode.REQUEST_TIMED_OUT)
        self.state.brokers[self.fenced_meanwhile.pop()].fenced = True
        self.offset += 1

    def check(self, *broker_ids: int) -> list[int]:
        """Whom a check of these dials."""
        self.dialed.clear()
        waiting = self.peers.check(broker_ids)
        if waiting is not None:
            asyncio.run(cast(Any, waiting))
        return sorted(self.dialed)

    @property
    def dead(self) -> frozenset[int]:
        return self.departures.dead(self.state, self.clock.now_ms())


@pytest.fixture
def world() -> Peers:
    return Peers()


def test_who_refuses_is_dead(world: Peers) -> None:
    world.refusing = {3}
    assert world.check(2, 3) == [2, 3]
    assert world.dead == {3}


def test_nobody_dials_itself_a_stranger_or_who_is_fenced(world: Peers) -> None:
    world.state.brokers[4].fenced = True
    assert world.check(1, 4, 99) == []


def test_a_check_counts_for_a_moment(world: Peers) -> None:
    assert world.check(2) == [2]
    world.clock.advance(FRESH_MS - 1)
    assert world.check(2, 3) == [3]
    world.clock.advance(1)
    assert world.check(2, 3) == [2]


def test_the_dead_are_not_dialed_again_before_they_are_doubted(world: Peers) -> None:
    world.refusing = {2}
    world.check(2)
    world.clock.advance(FRESH_MS)
    assert world.check(2) == []


def test_the_fence_is_waited_for(world: Peers) -> None:
    world.refusing = {2, 3}
    world.fenced_meanwhile = {2, 3}
    world.check(2, 3, 4)
    assert world.waits == [(8, FENCE_MS_MAX), (9, FENCE_MS_MAX)]
    assert world.dead == frozenset()


def test_the_fence_is_not_waited_for_longer_than_once(world: Peers) -> None:
    world.refusing = {2}
    world.check(2)
    assert world.waits == [(8, FENCE_MS_MAX)]
    assert world.peers.check([2]) is None


def test_who_asks_meanwhile_waits_for_the_rest(world: Peers) -> None:
    world.departures.note_dead(2, 20, world.clock.now_ms())
    world.peers._found_ms[2] = world.clock.now_ms()
    world.clock.advance(30)
    assert world.check(2) == []
    assert world.waits == [(8, FENCE_MS_MAX - 30)]


def test_a_registration_that_comes_during_the_dial_is_alive(world: Peers) -> None:
    world.refusing = {2}
    waiting = world.peers.check([2])
    assert waiting is not None
    dialed = world.refuses

    async def refuses(host: str, port: int) -> bool:
        world.state.brokers[2] = SimpleNamespace(fenced=False, broker_epoch=21)
        return await dialed(host, port)

    world.peers._refuses = refuses
    asyncio.run(cast(Any, waiting))
    assert world.dead == frozenset()
