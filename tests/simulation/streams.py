"""Streams between two processes: in order, held back while a link is cut, reset by either end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.loop import Process

if TYPE_CHECKING:
    from tests.simulation.network import Network

WINDOW = 64
"""Messages of a stream that may be under way before the writer waits."""


class Closed(Exception):
    """The stream is no more."""


class End:
    """One end of a stream, in the hands of one process."""

    __slots__ = (
        "_loop",
        "_reader",
        "_room",
        "host",
        "incoming",
        "on_reset",
        "owner",
        "peer",
        "reset",
        "stream",
    )

    def __init__(self, stream: Stream, host: str, owner: Process | None) -> None:
        self.stream = stream
        self.host = host
        self.owner = owner
        """None until the stream is accepted."""
        self.peer: End
        self.incoming: deque[Any] = deque()
        self.reset = False
        """Told to the owner once it has read what came before."""
        self.on_reset: Callable[[], object] | None = None
        self._reader: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._loop = stream.network.loop

    @property
    def dead(self) -> bool:
        return self.owner is not None and not self.owner.alive

    async def read(self) -> Any:
        """The next message; Closed at the end."""
        while not self.incoming:
            if self.reset:
                raise Closed("the stream was reset")
            self._reader = self._loop.create_future()
            await self._reader
        message = self.incoming.popleft()
        peer = self.peer
        if peer._room is not None and not peer._room.done():
            peer._room.set_result(None)
        return message

    async def write(self, message: Any) -> None:
        self._check_open()
        self.stream.send(self, message)
        while len(self.peer.incoming) + self.stream.waiting[self] > WINDOW:
            self._check_open()
            self._room = self._loop.create_future()
            await self._room

    def _check_open(self) -> None:
        if self.reset or self.stream.closed:
            raise Closed("the stream is closed")

    def close(self) -> None:
        self.stream.close(self)

    def deliver(self, message: Any) -> None:
        self.incoming.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def end(self, *, at_once: bool) -> None:
        if self.reset:
            return
        self.reset = True
        if at_once:
            self.incoming.clear()
        for future in (self._reader, self._room):
            if future is not None and not future.done():
                future.set_result(None)
        if self.on_reset is not None:
            self.on_reset()


_RESET = object()


class Stream:
    """Two ends and what is under way between them."""

    def __init__(self, network: Network, client: Process, host: str) -> None:
        self.network = network
        self.client = End(self, client.host, client)
        self.server = End(self, host, None)
        self.client.peer, self.server.peer = self.server, self.client
        self.closed = False
        self.waiting = {self.client: 0, self.server: 0}
        self.held: dict[End, deque[Any]] = {self.client: deque(), self.server: deque()}
        self._last_arrival = {self.client: 0.0, self.server: 0.0}

    def send(self, source: End, message: Any) -> None:
        self.waiting[source] += 1
        if self.held[source] or self.network.is_cut(source.host, source.peer.host):
            self.held[source].append(message)
            self.network.held_for_cut += 1
        else:
            self._depart(source, message)

    def _depart(self, source: End, message: Any) -> None:
        network = self.network
        now = network.loop.now
        delay = network.delay(source.host, source.peer.host)
        arrival = max(now + delay, self._last_arrival[source] + 1e-6)
        self._last_arrival[source] = arrival
        network.loop.schedule(arrival - now, self._arrive, source, message)

    def _arrive(self, source: End, message: Any) -> None:
        target = source.peer
        self.waiting[source] -= 1
        if target.dead and self.network.hosts[target.host].powered:
            # Its machine knows nothing of this stream, or no longer, and says so.
            self.network.loop.schedule(
                self.network.delay(target.host, source.host), self.cut_off, source
            )
        if target.reset or target.dead:
            return
        if message is _RESET:
            target.end(at_once=False)
            self.network.forget(self)
            return
        self.network.note_delivery(source.host, target.host)
        target.deliver(message)

    def mend(self) -> None:
        """A link may carry again."""
        for source, held in self.held.items():
            if held and not self.network.is_cut(source.host, source.peer.host):
                while held:
                    self._depart(source, held.popleft())

    def close(self, source: End) -> None:
        """The owner of `source` closes it; the other end hears of it after what was sent."""
        if source.reset:
            return
        source.end(at_once=True)
        if not self.closed:
            self.closed = True
            self.send(source, _RESET)

    def break_off(self, *, at_once: bool) -> None:
        """The network, or the kernel of a dead process, resets it."""
        self.closed = True
        for end in (self.client, self.server):
            if end.dead:
                self.held[end].clear()
                continue
            source = end.peer
            if at_once:
                self.held[source].clear()
                self.network.loop.schedule(
                    self.network.delay(source.host, end.host), self.cut_off, end
                )
            else:
                self.send(source, _RESET)

    def cut_off(self, end: End) -> None:
        if not end.dead:
            end.end(at_once=True)
        self.network.forget(self)
