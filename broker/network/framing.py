"""The receive side of one connection: where bytes go and which complete frames they hold.

A frame is a length and so many bytes (Kafka protocol guide, "Protocol primitives"):

    size      int32, big-endian, without these four bytes; 8 … `socket.request.max.bytes`
    content   `size` bytes: request header and body

Bytes are received into a pooled buffer that is handed back as soon as it holds no part of a frame;
an idle connection therefore holds none. A frame that does not fit gets one buffer of exactly its
size, allocated only after its length was checked. No I/O here: the connection asks for
`writable()`, tells `received(count)`, takes `next_frame()` until None and calls `settle()`.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from broker.network.limits import POOLED_BUFFER_BYTES, BufferPool
from ottla.core.errors import DecodeError

_SIZE: Final = Struct(">i")
SIZE_BYTES: Final = 4
REQUEST_BYTES_MIN: Final = 8
"""API key, version and correlation id: what every request header starts with."""


class FrameBuffer:
    """Received bytes of one connection. Views that it gives are borrowed until `settle`."""

    __slots__ = ("_end", "_large", "_pool", "_request_bytes_max", "_start", "view")

    def __init__(self, pool: BufferPool, request_bytes_max: int) -> None:
        self._pool = pool
        self._request_bytes_max = request_bytes_max
        self._large = False
        self._start = 0  # first byte of the first frame that was not taken yet
        self._end = 0  # end of what was received
        self.view = _NOTHING
        """What frames' positions refer to."""

    def writable(self) -> memoryview:
        """Where the next bytes belong; never empty. Call `received` before the next call."""
        if self.view is _NOTHING:
            self.view = self._pool.take()
        return self.view[self._end :] if self._end else self.view

    def received(self, count: int) -> None:
        self._end += count

    def next_frame(self) -> tuple[int, int] | None:
        """Start and end of the next complete frame's content in `view`, None when there is none.

        DecodeError when the length field is out of bounds, even before the content has arrived.
        """
        start = self._start
        if self._end - start < SIZE_BYTES:
            return None
        (size,) = _SIZE.unpack_from(self.view, start)
        if not REQUEST_BYTES_MIN <= size <= self._request_bytes_max:
            raise DecodeError(
                f"a frame of {size} bytes; allowed are {REQUEST_BYTES_MIN} to "
                f"{self._request_bytes_max} (socket.request.max.bytes)"
            )
        start += SIZE_BYTES
        end: int = start + size
        if end > self._end:
            return None
        self._start = end
        return start, end

    def bytes_wanted(self) -> int:
        """The size of the buffer that the frame in progress needs beyond the pooled one, or 0."""
        if self._large or self._end - self._start < SIZE_BYTES:
            return 0
        (size,) = _SIZE.unpack_from(self.view, self._start)
        total: int = SIZE_BYTES + size
        return total if total > POOLED_BUFFER_BYTES else 0

    def grow(self, total: int) -> None:
        """Move the frame in progress to a buffer of `total` bytes (what `bytes_wanted` said)."""
        rest = self.view[self._start : self._end]
        buffer = memoryview(bytearray(total))
        buffer[: len(rest)] = rest
        self._pool.give(self.view)
        self.view = buffer
        self._large = True
        self._start, self._end = 0, len(rest)

    def settle(self) -> int:
        """After all complete frames were taken: hand back the buffer or make room at its end.

        Returns the size of a large buffer that was let go, else 0. Nobody may use a frame after it.
        """
        rest = self._end - self._start
        if rest == 0:
            return self.release()
        if self._start and not self._large:
            self.view[:rest] = self.view[self._start : self._end]
            self._start, self._end = 0, rest
        return 0

    def release(self) -> int:
        """Let go of everything received; returns the size of a large buffer let go, else 0."""
        if self.view is _NOTHING:
            return 0
        freed = 0
        if self._large:
            freed = len(self.view)
            self._large = False
        else:
            self._pool.give(self.view)
        self.view = _NOTHING
        self._start = self._end = 0
        return freed

    @property
    def pending_bytes(self) -> int:
        """Received bytes that belong to no frame taken so far."""
        return self._end - self._start


_NOTHING: Final = memoryview(b"")
