"""A network that delays, holds back and resets: streams and calls between processes.

A stream is what TCP and gRPC make of a network: messages arrive whole, once and in order, or the
stream ends. Streams do not wait for each other, so words of different streams overtake one another
at will. What a network can do to them:

    delay      every message for itself; a slow link takes longer
    cut        a link carries nothing, in one direction or both: what is sent waits, as in the
               buffers of a kernel, and arrives once the link is mended; it is lost with its sender
    reset      a stream ends for both, with or without what was on its way
    lose       the answer of a call (or the call itself), without a word
    duplicate  a call: it arrives again later, as after a caller that tried again

A dead process on a running machine refuses and resets; a machine without power says nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from tests.simulation.loop import PROCESS, Process, Unhandled, VirtualLoop
from tests.simulation.streams import End, Stream


class Unreachable(Exception):
    """A call failed: refused, or its connection was reset. What became of it is not known."""


class Listener(Protocol):
    """What a process does with those who come."""

    def accept(self, kind: str, end: End) -> None: ...
    def serve(self, kind: str, request: Any) -> Awaitable[Any]: ...


class Host:
    """A machine: whether it has power, and the process on it, if any."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.powered = True
        self.process: Process | None = None
        self.listener: Listener | None = None

    @property
    def listening(self) -> bool:
        return self.process is not None and self.process.alive and self.listener is not None


class Network:
    """All hosts and links. `chance` decides delays and losses."""

    def __init__(self, loop: VirtualLoop, chance: random.Random) -> None:
        self.loop = loop
        self.chance = chance
        self.hosts: dict[str, Host] = {}
        self.cut: Counter[tuple[str, str]] = Counter()
        self.slow: dict[tuple[str, str], float] = {}
        """Links with their longest delay in seconds."""
        self.slow_share = 1.0
        self.lose_share = 0.0
        self.duplicate_share = 0.0
        self.delivered = 0
        self.lost_calls = 0
        self.duplicated_calls = 0
        self.slow_deliveries = 0
        self.held_for_cut = 0
        self.streams: dict[Stream, None] = {}
        self.log: Callable[..., None] = lambda *_: None

    def add_host(self, name: str) -> Host:
        host = self.hosts[name] = Host(name)
        return host

    def is_cut(self, source: str, target: str) -> bool:
        return self.cut[source, target] > 0 or not (
            self.hosts[target].powered and self.hosts[source].powered
        )

    def delay(self, source: str, target: str) -> float:
        chance = self.chance
        delay = 0.0001 + chance.random() * 0.001
        longest = self.slow.get((source, target))
        if longest is not None and (self.slow_share == 1.0 or chance.random() < self.slow_share):
            self.slow_deliveries += 1
            delay += chance.random() * longest
        return delay

    def note_delivery(self, source: str, target: str) -> None:
        self.delivered += 1

    def forget(self, stream: Stream) -> None:
        self.streams.pop(stream, None)

    # ---- faults

    def cut_link(self, source: str, target: str) -> None:
        self.cut[source, target] += 1

    def mend_link(self, source: str, target: str) -> None:
        self.cut[source, target] -= 1
        self.mend()

    def mend(self) -> None:
        for stream in [*self.streams]:
            stream.mend()

    def process_died(self, process: Process, *, power: bool) -> None:
        """Its kernel resets its streams; without power nobody does, until the machine is back and
        is told something by one of them."""
        for stream in [*self.streams]:
            if process in (stream.client.owner, stream.server.owner):
                for end in (stream.client, stream.server):
                    if end.owner is process:
                        stream.held[end].clear()
                        end.on_reset = None
                if not power:
                    stream.break_off(at_once=self.chance.random() < 0.5)

    # ---- streams

    def connect(self, host: str, kind: str) -> End:
        """A stream to the process on `host`; whether there is one shows by and by."""
        client = PROCESS.get()
        assert client is not None
        target = self.hosts[host]
        stream = Stream(self, client, host)
        self.streams[stream] = None
        if self.is_cut(client.host, host) or self.is_cut(host, client.host):
            self.loop.schedule(1.0, self._connect_late, stream, target, kind, 1)
        else:
            self.loop.schedule(self.delay(client.host, host), self._accept, stream, target, kind)
        return stream.client

    def _connect_late(self, stream: Stream, target: Host, kind: str, tries: int) -> None:
        """SYN again, as kernels do."""
        client = stream.client
        if client.reset or client.dead:
            self.forget(stream)
        elif self.is_cut(client.host, target.name) or self.is_cut(target.name, client.host):
            if tries < 20:
                self.loop.schedule(1.0, self._connect_late, stream, target, kind, tries + 1)
            else:
                stream.cut_off(client)
        else:
            self._accept(stream, target, kind)

    def _accept(self, stream: Stream, target: Host, kind: str) -> None:
        client = stream.client
        if client.reset or client.dead:
            self.forget(stream)
            return
        process, listener = target.process, target.listener
        if not target.listening or process is None or listener is None:
            stream.closed = True
            self.loop.schedule(self.delay(target.name, client.host), stream.cut_off, client)
            return
        stream.server.owner = process
        self.loop.call_soon(listener.accept, kind, stream.server, context=process.context)

    # ---- calls

    async def call(self, host: str, kind: str, request: Any, timeout_s: float) -> Any:
        """The answer of the process on `host`. Unreachable, TimeoutError."""
        caller = PROCESS.get()
        assert caller is not None
        answer: asyncio.Future[Any] = self.loop.create_future()
        source, target = caller.host, self.hosts[host]
        chance = self.chance
        if chance.random() < self.lose_share:
            self.lost_calls += 1
        else:
            self._send_call(caller, target, kind, request, answer)
        if chance.random() < self.duplicate_share:
            self.duplicated_calls += 1
            self.loop.schedule(
                chance.random() * 2, self._send_call, caller, target, kind, request, None
            )
        self.log(source, "calls %s: %s", host, kind)
        async with asyncio.timeout(timeout_s):
            return await answer

    def _send_call(
        self,
        caller: Process,
        target: Host,
        kind: str,
        request: Any,
        answer: asyncio.Future[Any] | None,
    ) -> None:
        if not caller.alive:
            return
        if self.is_cut(caller.host, target.name) or self.is_cut(target.name, caller.host):
            self.held_for_cut += 1
            return  # the caller's time-out ends it
        self.loop.schedule(
            self.delay(caller.host, target.name),
            self._call_arrives,
            caller,
            target,
            kind,
            request,
            answer,
        )

    def _call_arrives(
        self,
        caller: Process,
        target: Host,
        kind: str,
        request: Any,
        answer: asyncio.Future[Any] | None,
    ) -> None:
        if not target.powered:
            return
        process, listener = target.process, target.listener
        if not target.listening or process is None or listener is None:
            self._answer(caller, target, answer, None, Unreachable("refused"))
            return
        self.note_delivery(caller.host, target.name)
        task = process.spawn(_serve(listener, kind, request))

        def served(done: asyncio.Task[Any]) -> None:
            if done.cancelled():
                self._answer(caller, target, answer, None, Unreachable("the connection was reset"))
            elif (error := done.exception()) is not None:
                unhandled = Unhandled(f"in {target.name}, serving {kind}: {error!r}")
                unhandled.__cause__ = error
                self.loop.fail(unhandled)
            else:
                self._answer(caller, target, answer, done.result(), None)

        task.add_done_callback(served, context=process.context)
        process_at_call = process

        def watch() -> None:
            """The caller hears of a process that dies meanwhile."""
            if not process_at_call.alive and target.powered:
                self._answer(caller, target, answer, None, Unreachable("the connection was reset"))
            elif not task.done() and answer is not None and not answer.done():
                self.loop.schedule(0.2, watch)

        self.loop.schedule(0.2, watch)

    def _answer(
        self,
        caller: Process,
        target: Host,
        answer: asyncio.Future[Any] | None,
        result: Any,
        error: BaseException | None,
    ) -> None:
        if answer is None or not caller.alive:
            return
        if self.is_cut(target.name, caller.host):
            return
        if self.chance.random() < self.lose_share:
            self.lost_calls += 1
            return
        self.loop.schedule(
            self.delay(target.name, caller.host),
            self._answered,
            caller,
            target,
            answer,
            result,
            error,
        )

    def _answered(
        self,
        caller: Process,
        target: Host,
        answer: asyncio.Future[Any],
        result: Any,
        error: BaseException | None,
    ) -> None:
        self.note_delivery(target.name, caller.host)
        if answer.done() or not caller.alive:
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    async def refuses(self, host: str) -> bool:
        """Whether a dial is refused; silence and everything else is no."""
        caller = PROCESS.get()
        assert caller is not None
        target = self.hosts[host]
        if self.is_cut(caller.host, host) or self.is_cut(host, caller.host):
            await asyncio.sleep(0.5)
            return False
        await asyncio.sleep(2 * self.delay(caller.host, host))
        return target.powered and not target.listening


async def _serve(listener: Listener, kind: str, request: Any) -> Any:
    return await listener.serve(kind, request)
