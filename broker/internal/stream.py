"""One HTTP/2 stream with gRPC messages on it: reading, writing, flow control; either end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from broker.internal.messages import PREFIX, FlowControlError, Message, MessageReader


class StreamClosed(Exception):
    """The other end closed the stream, refused it or went away; the text says which."""


class Carrier(Protocol):
    """What a stream needs of its connection (Http2Connection)."""

    send_window: int
    """Bytes that may be sent on all streams together."""
    frame_bytes_max: int

    @property
    def takes_more(self) -> bool: ...
    def write_data(self, stream_id: int, prefix: bytes, data: bytes | memoryview) -> None: ...
    def grant(self, stream_id: int, count: int) -> None: ...
    def reset(self, stream_id: int) -> None: ...
    async def drained(self) -> None: ...


class Http2Stream:
    """See the module. At most one task reads, and one writes. `window_bytes` is what the peer may
    send and the reader has not taken, beside one message that is not complete yet."""

    __slots__ = (
        "_carrier",
        "_end",
        "_incoming",
        "_incoming_end",
        "_not_granted",
        "_reader",
        "_receive_window",
        "_unread_bytes",
        "_waiting_reader",
        "_waiting_writer",
        "_window_bytes",
        "on_end",
        "send_window",
        "stream_id",
    )

    def __init__(
        self,
        stream_id: int,
        carrier: Carrier,
        *,
        send_window: int,
        window_bytes: int,
        message_bytes_max: int,
    ) -> None:
        self.stream_id = stream_id
        self.send_window = send_window
        """Bytes that the peer takes on this stream; below zero after it took some back."""
        self.on_end: Callable[[], object] | None = None
        """Called once when the call is over; not when the peer merely has no more to send."""
        self._carrier = carrier
        self._window_bytes = window_bytes
        self._receive_window = window_bytes
        self._not_granted = 0
        self._unread_bytes = 0
        self._reader = MessageReader(message_bytes_max)
        self._incoming: deque[Message] = deque()
        self._incoming_end: str | None = None
        self._end: str | None = None
        self._waiting_reader: asyncio.Future[None] | None = None
        self._waiting_writer: asyncio.Future[None] | None = None

    # ---- for who uses the call

    @property
    def is_over(self) -> bool:
        return self._end is not None

    async def read(self) -> Message:
        """The next message. StreamClosed when what came before the end is read."""
        while not self._incoming:
            if self._incoming_end is not None:
                raise StreamClosed(self._incoming_end)
            self._waiting_reader = asyncio.get_running_loop().create_future()
            await self._waiting_reader
        message = self._incoming.popleft()
        self._unread_bytes -= len(message)
        if self._not_granted and self._end is None:
            self._maybe_grant()
        return message

    async def write(self, message: bytes) -> None:
        """Returns when the connection takes more. StreamClosed when the call is over."""
        if self._end is not None:
            raise StreamClosed(self._end)
        carrier = self._carrier
        prefix = PREFIX.pack(0, len(message))
        size = len(prefix) + len(message)
        if size > self.send_window or size > carrier.send_window or size > carrier.frame_bytes_max:
            await self._write_in_parts(memoryview(prefix + message))
            return
        self.send_window -= size
        carrier.write_data(self.stream_id, prefix, message)
        if not carrier.takes_more:
            await carrier.drained()

    def cancel(self) -> None:
        """End the call now, at both ends."""
        if self._end is None:
            self._carrier.reset(self.stream_id)
            self.end("it was cancelled here")

    async def _write_in_parts(self, rest: memoryview) -> None:
        carrier = self._carrier
        while rest:
            if self._end is not None:
                raise StreamClosed(self._end)
            size = min(self.send_window, carrier.send_window, carrier.frame_bytes_max, len(rest))
            if size > 0:
                self.send_window -= size
                carrier.write_data(self.stream_id, b"", rest[:size])
                rest = rest[size:]
                await carrier.drained()
            else:
                self._waiting_writer = asyncio.get_running_loop().create_future()
                await self._waiting_writer

    # ---- for the connection

    def room(self) -> memoryview | None:
        """Where the stream's next bytes may be read into at once; None between messages."""
        return self._reader.room()

    def received_into_room(self, count: int) -> None:
        """MessageError when the peer sends more than it may."""
        self._count(count)
        message = self._reader.advance(count)
        if message is not None:
            self._deliver([message])
        self._maybe_grant()

    def received(self, data: memoryview) -> None:
        """MessageError when it is no message, or more than the peer may send."""
        self._count(len(data))
        self._deliver(self._reader.feed(data))
        self._maybe_grant()

    def window_opened(self) -> None:
        """The peer takes more, on this stream or on all."""
        if self._waiting_writer is not None and not self._waiting_writer.done():
            self._waiting_writer.set_result(None)

    def end_incoming(self, reason: str) -> None:
        """The peer has no more to send; it still takes."""
        if self._incoming_end is None:
            self._incoming_end = reason
            self._wake_reader()

    def end(self, reason: str) -> None:
        """The call is over. What was received can still be read."""
        if self._end is None:
            self._end = reason
            self.end_incoming(reason)
            self.window_opened()
            if self.on_end is not None:
                self.on_end()

    def _count(self, count: int) -> None:
        self._receive_window -= count
        self._not_granted += count
        if self._receive_window < 0:
            raise FlowControlError("the peer sends more than it was granted")

    def _deliver(self, messages: list[Message]) -> None:
        for message in messages:
            self._unread_bytes += len(message)
            self._incoming.append(message)
        if messages:
            self._wake_reader()

    def _wake_reader(self) -> None:
        if self._waiting_reader is not None and not self._waiting_reader.done():
            self._waiting_reader.set_result(None)

    def _maybe_grant(self) -> None:
        """Let the peer send on, unless its messages are not read."""
        half = self._window_bytes // 2
        if self._not_granted >= half and self._unread_bytes < half:
            self._carrier.grant(self.stream_id, self._not_granted)
            self._receive_window += self._not_granted
            self._not_granted = 0
