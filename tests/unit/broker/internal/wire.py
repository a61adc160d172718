"""Two HTTP/2 connections with nothing between them but memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from typing import Any, cast

from broker.internal.connection import Http2Connection


class Wire(asyncio.Transport):
    """The transport of one end: what is written arrives at `peer` in pieces of up to `piece_max`
    bytes, in later turns of the loop. `capacity`: unsent bytes above which it says to pause."""

    def __init__(self, piece_max: int, seed: int = 0) -> None:
        super().__init__()
        self.peer: asyncio.BufferedProtocol | None = None
        self.owner: asyncio.BufferedProtocol | None = None
        self.other: Wire | None = None
        self.written = bytearray()
        """All that was ever written here."""
        self.capacity = 1 << 30
        self.held = False
        self._piece_max = piece_max
        self._rng = random.Random(seed)
        self._waiting = bytearray()
        self._closing = False
        self._paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("wire", 1) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.capacity = high or self.capacity

    def is_closing(self) -> bool:
        return self._closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        self._waiting += data
        if len(self._waiting) > self.capacity and not self._paused and self.owner is not None:
            self._paused = True
            self.owner.pause_writing()
        asyncio.get_running_loop().call_soon(self.carry)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._lose, None)

    def break_off(self) -> None:
        """Lost at both ends, as when a process is killed."""
        for end in (self, self.other):
            if end is not None and not end._closing:
                end._closing = True
                end._lose(ConnectionResetError("reset"))

    def carry(self) -> None:
        """Bring everything over."""
        while self._waiting and not self.held and self.peer is not None:
            room = cast(memoryview, self.peer.get_buffer(-1))
            size = min(len(room), len(self._waiting), self._rng.randint(1, self._piece_max))
            room[:size] = self._waiting[:size]
            del self._waiting[:size]
            self.peer.buffer_updated(size)
        if self._paused and not self._waiting and self.owner is not None:
            self._paused = False
            self.owner.resume_writing()

    def _lose(self, error: Exception | None) -> None:
        self.carry()
        if self.owner is not None:
            self.owner.connection_lost(error)
        other = self.other
        if other is not None and not other._closing:
            other._closing = True
            asyncio.get_running_loop().call_soon(other._lose, None)


def connect(
    client: Http2Connection, server: Http2Connection, *, piece_max: int = 1 << 20, seed: int = 0
) -> tuple[Wire, Wire]:
    """(the client's transport, the server's)."""
    near, far = Wire(piece_max, seed), Wire(piece_max, seed + 1)
    near.owner, near.peer, near.other = client, server, far
    far.owner, far.peer, far.other = server, client, near
    client.connection_made(near)
    server.connection_made(far)
    return near, far
