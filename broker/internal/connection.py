"""One HTTP/2 connection on the event loop, either end.

What is rare (settings, headers, pings, the states of streams) is h2's. What every message needs is
here, because it is the cost of replication: the frames DATA and WINDOW_UPDATE, which h2 never sees.

    a frame (RFC 9113, section 4.1)
     0              3        4        5                    9
    +--------------+--------+--------+--------------------+----- ... -----+
    | length       | type   | flags  | stream             | payload       |
    | uint24       | uint8  | uint8  | uint31             |               |
    +--------------+--------+--------+--------------------+----- ... -----+

A received message is copied once, out of the receive buffer; one that is larger than that is read
to where it stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from struct import Struct
from typing import Final, cast

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from broker.internal.messages import FlowControlError, MessageError
from broker.internal.status import Headers, problem_of
from broker.internal.stream import Http2Stream, StreamClosed

logger = logging.getLogger(__name__)

_FRAME: Final = Struct(">HBBBI")
_WINDOW_UPDATE_FRAME: Final = Struct(">HBBBII")
_DATA, _WINDOW_UPDATE = 0x0, 0x8
_END_STREAM, _PADDED = 0x1, 0x8
_PREFACE_BYTES: Final = 24

_BUFFER_BYTES: Final = 64 * 1024
_CONTROL_FRAME_BYTES_MAX: Final = 32 * 1024
_DATA_FRAME_BYTES_MAX: Final = (1 << 24) - 1  # of HTTP/2; a frame takes no memory of its own
_WINDOW_BYTES_MAX: Final = (1 << 31) - 1
_INITIAL_WINDOW_BYTES: Final = 65_535
_HEADER_LIST_BYTES_MAX: Final = 16 * 1024
STREAMS_MAX: Final = 100
"""Calls of a peer at once."""
_WRITE_BUFFER_BYTES: Final = 1024 * 1024
_SETTINGS_SECONDS_MAX: Final = 10.0
"""For the first bytes of a peer; a stranger that says nothing is not kept longer."""
_IDLE_SECONDS_MAX: Final = 600.0
"""Without a call; whoever calls again connects again."""
_UNANSWERED_SECONDS_MAX: Final = 20
"""Bytes that a peer's machine does not confirm in this time end the connection."""


class Http2Connection(asyncio.BufferedProtocol):
    """See the module. `on_call` is told of each call that a peer begins, by its stream and headers;
    None on the calling end. `on_lost` is told that the connection is no more."""

    def __init__(
        self,
        *,
        window_bytes: int,
        message_bytes_max: int,
        on_call: Callable[[Http2Connection, Http2Stream, Headers], None] | None = None,
        on_lost: Callable[[Http2Connection], None] | None = None,
    ) -> None:
        self.send_window = _INITIAL_WINDOW_BYTES
        self.frame_bytes_max = 16_384
        self._window_bytes = window_bytes
        self._message_bytes_max = message_bytes_max
        self._on_call = on_call
        self._on_lost = on_lost
        self._is_client = on_call is None
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=self._is_client, header_encoding="utf-8")
        )
        self._streams: dict[int, Http2Stream] = {}
        self._peer_window = _INITIAL_WINDOW_BYTES
        """Send window that a new stream begins with."""
        self._not_granted = 0
        self._transport: asyncio.Transport | None = None
        self._drained: asyncio.Future[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._preface_left = 0 if self._is_client else _PREFACE_BYTES
        # The DATA frame at hand: its stream (None: over already), bytes to come, whether the last.
        self._data_stream: Http2Stream | None = None
        self._data_left = 0
        self._data_ends: int | None = None
        self._reads_into_room = False

    # ---- calls

    @property
    def peer(self) -> str:
        """The other end's address, for logs."""
        name = None if self._transport is None else self._transport.get_extra_info("peername")
        return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else "?"

    def open(self, headers: Headers) -> Http2Stream:
        """Begin a call. StreamClosed when the connection does not take it."""
        if self._transport is None or self._transport.is_closing():
            raise StreamClosed("the connection was closed")
        try:
            stream_id = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream_id, headers)
        except h2.exceptions.H2Error as error:
            raise StreamClosed(f"the connection takes no call: {error}") from None
        self._flush()
        return self._add(stream_id)

    def send_headers(self, stream: Http2Stream, headers: Headers, *, end: bool = False) -> None:
        """The answer's headers, or with `end` its trailers, after which the call is over."""
        if stream.is_over:
            return
        with contextlib.suppress(h2.exceptions.H2Error):
            self._h2.send_headers(stream.stream_id, headers, end_stream=end)
            if end:
                # The caller may have more to say, which nobody will read.
                self._h2.reset_stream(stream.stream_id, h2.errors.ErrorCodes.NO_ERROR)
        self._flush()
        if end:
            self._end(stream, "it was answered")

    def close(self) -> None:
        """No more calls; those that run end."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            with contextlib.suppress(h2.exceptions.H2Error):
                self._h2.close_connection()
            self._flush()
            transport.close()

    # ---- Carrier

    @property
    def takes_more(self) -> bool:
        return self._drained is None

    def write_data(self, stream_id: int, prefix: bytes, data: bytes | memoryview) -> None:
        size = len(prefix) + len(data)
        self.send_window -= size
        header = _FRAME.pack(size >> 8, size & 0xFF, _DATA, 0, stream_id)
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.writelines((header + prefix, data))

    def grant(self, stream_id: int, count: int) -> None:
        if stream_id == 0 or stream_id in self._streams:
            self._write(_WINDOW_UPDATE_FRAME.pack(0, 4, _WINDOW_UPDATE, 0, stream_id, count))

    def reset(self, stream_id: int, code: int = h2.errors.ErrorCodes.CANCEL) -> None:
        with contextlib.suppress(h2.exceptions.H2Error):
            self._h2.reset_stream(stream_id, code)
        self._flush()
        self._forget(stream_id)

    async def drained(self) -> None:
        """Returns when the transport takes more, or never will."""
        while self._drained is not None:
            await asyncio.shield(self._drained)

    # ---- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)
        _set_socket_options(self._transport.get_extra_info("socket"))
        self._h2.local_settings = h2.settings.Settings(
            client=self._is_client,
            initial_values={
                h2.settings.SettingCodes.ENABLE_PUSH: 0,
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS_MAX,
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: self._window_bytes,
                h2.settings.SettingCodes.MAX_FRAME_SIZE: _DATA_FRAME_BYTES_MAX,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: _HEADER_LIST_BYTES_MAX,
            },
        )
        self._h2.initiate_connection()
        self._flush()
        # Streams have windows, and their number a bound; that of the connection is no other.
        self.grant(0, _WINDOW_BYTES_MAX - _INITIAL_WINDOW_BYTES)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(_SETTINGS_SECONDS_MAX, self._fail, "no settings came")

    def connection_lost(self, error: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._resume()
        reason = f"the connection was lost: {error}" if error else "the connection was closed"
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.end(reason)
        if self._on_lost is not None:
            self._on_lost(self)

    def pause_writing(self) -> None:
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        self._resume()

    def get_buffer(self, _hint: int) -> memoryview:
        stream = self._data_stream
        self._reads_into_room = False  # of the last call nothing may have come
        if stream is not None and self._filled == 0:
            room = stream.room()
            if room is not None and len(room) >= _BUFFER_BYTES:
                self._reads_into_room = True
                return room[: self._data_left]
        return self._view[self._filled :]

    def buffer_updated(self, count: int) -> None:
        try:
            if self._reads_into_room:
                self._received_into_room(count)
            else:
                self._filled += count
                taken = self._receive(self._view[: self._filled])
                if taken:
                    rest = self._filled - taken
                    self._buffer[:rest] = self._buffer[taken : self._filled]
                    self._filled = rest
        except h2.exceptions.H2Error as error:
            self._fail(f"it does not speak HTTP/2: {error}")
        except _Broken as error:
            self._fail(str(error))

    # ---- receiving

    def _receive(self, view: memoryview) -> int:
        """Take what is whole; how many bytes that was."""
        position, end = 0, len(view)
        if self._preface_left:
            if end < _PREFACE_BYTES:
                return 0
            self._preface_left = 0
            position = _PREFACE_BYTES
            self._handle(self._h2.receive_data(bytes(view[:position])))
        while position < end:
            if self._data_left:
                taken = min(self._data_left, end - position)
                self._received_data(view[position : position + taken])
                position += taken
                continue
            if end - position < _FRAME.size:
                break
            high, low, kind, flags, stream_id = _FRAME.unpack_from(view, position)
            length = high << 8 | low
            if kind == _DATA:
                position += _FRAME.size
                self._begin_data(stream_id, length, flags)
                continue
            if length > _CONTROL_FRAME_BYTES_MAX:
                raise _Broken(f"a frame of type {kind} and {length} bytes")
            past = position + _FRAME.size + length
            if past > end:
                break
            if kind == _WINDOW_UPDATE:
                self._window_update(stream_id, view[position + _FRAME.size : past])
            else:
                self._handle(self._h2.receive_data(bytes(view[position:past])))
            position = past
        return position

    def _begin_data(self, stream_id: int, length: int, flags: int) -> None:
        if flags & _PADDED:
            raise _Broken("padded data")  # no gRPC library pads
        self._data_stream = self._streams.get(stream_id)
        self._data_left = length
        self._data_ends = stream_id if flags & _END_STREAM else None
        self._count_received(length)
        if not length:
            self._end_data()

    def _received_data(self, data: memoryview) -> None:
        stream = self._data_stream
        self._data_left -= len(data)
        if stream is not None:
            try:
                stream.received(data)
            except MessageError as error:
                self._refuse_stream(stream, error)
        if not self._data_left:
            self._end_data()

    def _received_into_room(self, count: int) -> None:
        stream = self._data_stream
        assert stream is not None
        self._data_left -= count
        try:
            stream.received_into_room(count)
        except MessageError as error:
            self._refuse_stream(stream, error)
        if not self._data_left:
            self._end_data()

    def _end_data(self) -> None:
        self._data_stream = None
        ends, self._data_ends = self._data_ends, None
        if ends is not None:
            # For h2 it is the end of the stream and nothing else.
            frame = _FRAME.pack(0, 0, _DATA, _END_STREAM, ends)
            self._handle(self._h2.receive_data(frame))

    def _count_received(self, count: int) -> None:
        self._not_granted += count
        if self._not_granted > _WINDOW_BYTES_MAX // 4:
            self.grant(0, self._not_granted)
            self._not_granted = 0

    def _window_update(self, stream_id: int, payload: memoryview) -> None:
        if len(payload) != 4:
            raise _Broken("a WINDOW_UPDATE of another size than 4 bytes")
        count = int.from_bytes(payload, "big") & 0x7FFFFFFF
        if stream_id == 0:
            self.send_window += count
            if not count or self.send_window > _WINDOW_BYTES_MAX:
                raise _Broken("a send window out of bounds")
            for stream in self._streams.values():
                stream.window_opened()
            return
        found = self._streams.get(stream_id)
        if found is None:
            return
        found.send_window += count
        if not count or found.send_window > _WINDOW_BYTES_MAX:
            self._refuse_stream(found, FlowControlError("a send window out of bounds"))
        else:
            found.window_opened()

    def _handle(self, events: list[h2.events.Event]) -> None:
        for event in events:
            match event:
                case h2.events.RequestReceived(stream_id=int(stream_id), headers=headers):
                    if self._on_call is not None:
                        text = cast(Headers, headers)
                        self._on_call(self, self._add(stream_id), text)
                case h2.events.ResponseReceived() | h2.events.TrailersReceived():
                    self._answered(event)
                case h2.events.StreamEnded(stream_id=int(stream_id)):
                    self._peer_is_done(stream_id)
                case h2.events.StreamReset(stream_id=int(stream_id), error_code=code):
                    self._end_by_id(stream_id, f"the peer reset it ({_name_of(code)})")
                case h2.events.ConnectionTerminated(error_code=code):
                    self._fail(f"the peer ends the connection ({_name_of(code)})")
                case h2.events.RemoteSettingsChanged():
                    self._settings_changed()
        self._flush()

    def _answered(self, event: h2.events.ResponseReceived | h2.events.TrailersReceived) -> None:
        """Headers or trailers of a call of ours; an error in them is its end."""
        stream = self._streams.get(event.stream_id or 0)
        if stream is None:
            return
        problem = problem_of(cast(Headers, event.headers or []))
        if problem is not None:
            self._end(stream, problem)

    def _peer_is_done(self, stream_id: int) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if self._is_client:
            self._end(stream, "the peer ended it")
        else:
            stream.end_incoming("the peer has no more to send")

    def _settings_changed(self) -> None:
        self._watch_idleness()
        settings = self._h2.remote_settings
        self.frame_bytes_max = settings.max_frame_size
        change = settings.initial_window_size - self._peer_window
        self._peer_window += change
        for stream in self._streams.values():
            stream.send_window += change
            stream.window_opened()

    # ---- ends

    def _add(self, stream_id: int) -> Http2Stream:
        stream = self._streams[stream_id] = Http2Stream(
            stream_id,
            self,
            send_window=self._peer_window,
            window_bytes=self._window_bytes,
            message_bytes_max=self._message_bytes_max,
        )
        self._watch_idleness()
        return stream

    def _watch_idleness(self) -> None:
        """The deadline of the connection: none while there are calls."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if not self._streams and not self._is_client:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(_IDLE_SECONDS_MAX, self._fail, "no call for long")

    def _refuse_stream(self, stream: Http2Stream, error: MessageError) -> None:
        code = (
            h2.errors.ErrorCodes.FLOW_CONTROL_ERROR
            if isinstance(error, FlowControlError)
            else h2.errors.ErrorCodes.CANCEL
        )
        logger.warning("ending a call of %s: %s", self.peer, error)
        self.reset(stream.stream_id, code)
        self._end(stream, str(error))

    def _end_by_id(self, stream_id: int, reason: str) -> None:
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._end(stream, reason)

    def _end(self, stream: Http2Stream, reason: str) -> None:
        self._forget(stream.stream_id)
        stream.end(reason)

    def _forget(self, stream_id: int) -> None:
        stream = self._streams.pop(stream_id, None)
        if stream is not None and self._data_stream is stream:
            self._data_stream = None  # what is left of its frame is dropped
        if not self._streams and self._transport is not None:
            self._watch_idleness()

    def _fail(self, reason: str) -> None:
        """Close the connection for a reason that its calls are told."""
        streams, self._streams = self._streams, {}
        self._data_stream = None
        for stream in streams.values():
            stream.end(reason)
        if not self._is_client:
            logger.info("closing the connection of %s: %s", self.peer, reason)
        self.close()

    def _resume(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    # ---- sending

    def _flush(self) -> None:
        self._write(self._h2.data_to_send())

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


class _Broken(Exception):
    """What the peer sent cannot be followed by anything."""


def _name_of(code: object) -> str:
    return code.name if isinstance(code, h2.errors.ErrorCodes) else f"error {code}"


def _set_socket_options(channel: socket.socket | None) -> None:
    """No waiting for more to send, and an end to what a dead machine does not confirm."""
    if channel is None or channel.family not in (socket.AF_INET, socket.AF_INET6):
        return
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _UNANSWERED_SECONDS_MAX // 2),
        ("TCP_KEEPINTVL", _UNANSWERED_SECONDS_MAX // 4),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", 1000 * _UNANSWERED_SECONDS_MAX),
    ):
        option = getattr(socket, name, None)  # macOS has only some of them
        if option is not None:
            channel.setsockopt(socket.IPPROTO_TCP, option, value)
