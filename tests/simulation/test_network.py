"""The simulated network: what arrives, when, and what does not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.network import Network, Unreachable
from tests.simulation.streams import Closed, End


class Server:
    """Keeps what comes."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.messages: list[Any] = []
        self.closed = 0

    def accept(self, kind: str, end: End) -> None:
        self.process.spawn(self._read(end))

    async def _read(self, end: End) -> None:
        try:
            while True:
                self.messages.append(await end.read())
        except Closed:
            self.closed += 1

    async def serve(self, kind: str, request: Any) -> Any:
        return kind, request


class Fixture:
    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.network = Network(self.loop, random.Random(1))
        self.a, self.b = (Process(self.loop, name) for name in ("a", "b"))
        for process in (self.a, self.b):
            self.network.add_host(process.host).process = process
        self.server = Server(self.b)
        self.network.hosts["b"].listener = self.server

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(self.a.spawn(work))

    async def say(self, *messages: object) -> End:
        end = self.network.connect("b", "talk")
        for message in messages:
            await end.write(message)
        await asyncio.sleep(1)
        return end


@pytest.fixture
def fixture() -> Iterator[Fixture]:
    made = Fixture()
    yield made
    made.loop.close()


def test_a_stream_keeps_its_order(fixture: Fixture) -> None:
    fixture.network.slow["a", "b"] = 0.5
    fixture.run(fixture.say(*range(20)))
    fixture.loop.run_until_complete(asyncio.sleep(1))
    assert fixture.server.messages == [*range(20)]


def test_a_cut_link_holds_back_in_its_direction_alone(fixture: Fixture) -> None:
    fixture.run(fixture.say("before"))
    fixture.network.cut_link("b", "a")

    async def go_on() -> None:
        end = next(iter(fixture.network.streams)).client
        await end.write("one way")
        await asyncio.sleep(1)
        assert fixture.server.messages[-1] == "one way"
        fixture.network.cut_link("a", "b")
        await end.write("held")
        await asyncio.sleep(5)
        assert fixture.server.messages[-1] == "one way"
        fixture.network.mend_link("a", "b")
        await asyncio.sleep(1)
        assert fixture.server.messages[-1] == "held"

    fixture.run(go_on())


def test_what_is_held_is_lost_with_its_sender(fixture: Fixture) -> None:
    fixture.run(fixture.say("before"))
    fixture.network.cut_link("a", "b")
    fixture.run(fixture.say())
    end = next(iter(fixture.network.streams)).client
    fixture.run(end.write("held"))
    fixture.a.kill()
    fixture.network.process_died(fixture.a, power=False)
    fixture.network.mend_link("a", "b")
    fixture.loop.run_until_complete(asyncio.sleep(1))
    assert fixture.server.messages == ["before"]
    assert fixture.server.closed == 1


def test_without_power_nobody_resets_until_the_machine_is_back(fixture: Fixture) -> None:
    end = fixture.run(fixture.say("before"))
    fixture.b.kill()
    host = fixture.network.hosts["b"]
    host.powered, host.listener = False, None
    fixture.network.process_died(fixture.b, power=True)

    async def wait() -> None:
        await end.write("anybody there?")
        await asyncio.sleep(30)
        assert not end.reset
        host.powered = True
        fixture.network.mend()
        await asyncio.sleep(1)
        assert end.reset

    fixture.run(wait())


def test_calls_are_answered_refused_or_lost(fixture: Fixture) -> None:
    network = fixture.network
    assert fixture.run(network.call("b", "ask", 1, 1.0)) == ("ask", 1)
    network.lose_share = 1.0
    with pytest.raises(TimeoutError):
        fixture.run(network.call("b", "ask", 1, 1.0))
    network.lose_share = 0.0
    network.hosts["b"].listener = None
    with pytest.raises(Unreachable):
        fixture.run(network.call("b", "ask", 1, 1.0))
    assert fixture.run(network.refuses("b"))
    network.cut_link("b", "a")
    assert not fixture.run(network.refuses("b"))
