"""Every bound of the network room, and the node-wide account of what is in flight.

A request is *in flight* from the moment it is dispatched until its answer was handed to the
outbox; only those that have to wait are counted, since all others are answered before the next
one is read. The bytes of a frame above the pooled buffer's size are counted from the moment their
buffer is allocated, so that a thousand clients which each announce 100 MB cost nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

POOLED_BUFFER_BYTES: Final = 64 * 1024
"""A receive buffer of the pool; larger frames get one of exactly their size."""


@dataclass(frozen=True, slots=True)
class NetworkLimits:
    """All inclusive: the named value is still allowed."""

    request_bytes_max: int = 104_857_600
    """One frame without its length field (`socket.request.max.bytes`)."""
    connections_max: int = 10_000
    """Open connections of all listeners (`max.connections`)."""
    connections_per_address_max: int = 10_000
    """Open connections of one peer address (`max.connections.per.ip`)."""
    idle_ms_max: int = 600_000
    """Without a byte received and without a request in flight (`connections.max.idle.ms`)."""
    partial_frame_ms_max: int = 60_000
    """Without a byte received in the middle of a frame: such a peer holds a buffer."""
    connection_requests_max: int = 256
    """Waiting requests of one connection."""
    connection_bytes_max: int = 64 * 1024 * 1024
    """Bytes of the waiting requests of one connection, as they were on the wire."""
    node_requests_max: int = 65_536
    """Waiting requests of all connections; a connection with none is always allowed one."""
    node_bytes_max: int = 256 * 1024 * 1024
    """Bytes of large frames and of waiting requests of the node (`queued.max.request.bytes`)."""
    unsent_bytes_max: int = 1024 * 1024
    """Answers that a peer has not taken yet; above it nothing more is read from the peer."""
    pooled_buffers_max: int = 64
    """Receive buffers kept for re-use; more may exist while many connections hold half a frame."""
    backlog: int = 512
    """Connections that the kernel has accepted and the node has not (listen(2))."""
    drain_ms_max: int = 5_000
    """How long a closing server waits for the answers of requests in flight."""


class BufferPool:
    """Receive buffers of one size, last in first out: the warmest is used next."""

    __slots__ = ("_free", "_free_max")

    def __init__(self, free_max: int) -> None:
        self._free: list[memoryview] = []
        self._free_max = free_max

    def take(self) -> memoryview:
        """A writable view of POOLED_BUFFER_BYTES bytes of any content, the caller's until given."""
        return self._free.pop() if self._free else memoryview(bytearray(POOLED_BUFFER_BYTES))

    def give(self, buffer: memoryview) -> None:
        """Hand back what `take` gave; nobody may hold a slice of it any longer."""
        if len(self._free) < self._free_max:
            self._free.append(buffer)

    @property
    def free_count(self) -> int:
        return len(self._free)


class NodeAccount:
    """Requests and bytes in flight of all connections together, and who waits for room.

    Never a deadlock: one who holds nothing is admitted when it comes to requests, and bytes are
    always granted when none are taken.
    """

    __slots__ = ("_bytes_max", "_requests_max", "_waiting", "bytes", "requests", "waits")

    def __init__(self, requests_max: int, bytes_max: int) -> None:
        self._requests_max = requests_max
        self._bytes_max = bytes_max
        self.requests = 0
        self.bytes = 0
        self.waits = 0
        """How often a connection found no room."""
        self._waiting: deque[Callable[[], None]] = deque()

    def has_room(self) -> bool:
        """Whether a connection that already waits for answers may serve one request more."""
        return self.requests < self._requests_max and self.bytes < self._bytes_max

    def maybe_take_bytes(self, count: int) -> bool:
        """Take `count` bytes for a large frame when they fit, or when nobody holds any."""
        if self.bytes and self.bytes + count > self._bytes_max:
            return False
        self.bytes += count
        return True

    def give_bytes(self, count: int) -> None:
        self.bytes -= count
        self._wake()

    def enter(self, request_bytes: int) -> None:
        """A request starts to wait for its answer."""
        self.requests += 1
        self.bytes += request_bytes

    def leave(self, request_bytes: int) -> None:
        """Its answer was given, or nobody wants it any longer."""
        self.requests -= 1
        self.bytes -= request_bytes
        self._wake()

    def call_when_room(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, in turn, when something was given back."""
        self.waits += 1
        self._waiting.append(callback)

    def _wake(self) -> None:
        # All who wait at this moment are asked once; who still finds no room queues up again.
        if self._waiting and self.has_room():
            woken = self._waiting
            self._waiting = deque()
            for callback in woken:
                callback()
