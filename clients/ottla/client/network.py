"""The client's door to the network: frames in and out of blocking sockets.

`Network` and `Transport` are the seam: unit tests bring their own, which answer from memory. A
frame is what follows Kafka's four-byte length.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from typing import Protocol

from ottla.core.errors import DecodeError

FRAME_BYTES_MAX = 256 * 1024 * 1024
"""The largest answer that is read; a length beyond it is no length at all."""

_LENGTH = struct.Struct(">i")


class Transport(Protocol):
    """One connection. Every method but `close` may raise OSError, TimeoutError among them."""

    def send(self, frame: bytes | bytearray, timeout_ms: int) -> None:
        """Send the bytes as they are; the length is already in front."""
        ...

    def receive(self, timeout_ms: int) -> bytearray:
        """The next frame, in a buffer of its own. DecodeError: its length is impossible."""
        ...

    def close(self) -> None: ...


class Network(Protocol):
    """Makes connections and waits for them."""

    def connect(self, host: str, port: int, timeout_ms: int) -> Transport:
        """OSError, TimeoutError among them."""
        ...

    def wait(self, transports: Sequence[Transport], timeout_ms: int) -> list[Transport]:
        """Those that have something to receive; empty after the time-out.

        With no transports it sleeps.
        """
        ...


class SocketTransport:
    """A TCP or TLS connection."""

    __slots__ = ("socket",)

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected

    def send(self, frame: bytes | bytearray, timeout_ms: int) -> None:
        self.socket.settimeout(timeout_ms / 1000)
        self.socket.sendall(frame)

    def receive(self, timeout_ms: int) -> bytearray:
        deadline = time.monotonic() + timeout_ms / 1000
        (length,) = _LENGTH.unpack(self._read(4, deadline))
        if not 0 <= length <= FRAME_BYTES_MAX:
            raise DecodeError(f"an answer claims {length} bytes; this is not Kafka's protocol")
        return self._read(length, deadline)

    def _read(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self.socket.settimeout(left)
            count = self.socket.recv_into(view)
            if count == 0:
                raise ConnectionResetError("closed by the other side")
            view = view[count:]
        return data

    def close(self) -> None:
        self.socket.close()


class SocketNetwork:
    """The real network. With `ssl_context` every connection is TLS."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context

    def connect(self, host: str, port: int, timeout_ms: int) -> SocketTransport:
        connected = socket.create_connection((host, port), timeout_ms / 1000)
        try:
            # Requests are written whole: waiting to merge them (Nagle) costs 40 ms each.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._ssl_context is not None:
                connected = self._ssl_context.wrap_socket(connected, server_hostname=host)
        except OSError:
            connected.close()
            raise
        return SocketTransport(connected)

    def wait(self, transports: Sequence[Transport], timeout_ms: int) -> list[Transport]:
        sockets = [one for one in transports if isinstance(one, SocketTransport)]
        if not sockets:
            time.sleep(max(0, timeout_ms) / 1000)
            return []
        # Decrypted bytes that wait inside OpenSSL do not make the descriptor readable.
        ready: list[Transport] = [
            one for one in sockets if isinstance(one.socket, ssl.SSLSocket) and one.socket.pending()
        ]
        if ready:
            return ready
        with selectors.DefaultSelector() as selector:
            for one in sockets:
                selector.register(one.socket, selectors.EVENT_READ, one)
            return [key.data for key, _ in selector.select(max(0, timeout_ms) / 1000)]


def reason_of(error: Exception, timeout_ms: int) -> str:
    """Why a connection failed, in a few words."""
    match error:
        case ConnectionRefusedError():
            return "connection refused"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {getattr(error, 'reason', None) or error}"
        case TimeoutError():
            return f"no answer within {timeout_ms / 1000:g} s"
        case socket.gaierror():
            return "the name does not resolve"
        case ConnectionError():
            return "the connection was closed"
        case OSError():
            return (error.strerror or str(error)).lower()
        case _:
            return str(error)
