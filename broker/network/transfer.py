"""The send side of one connection: bytes through the transport, slices of log files by sendfile.

The transport's write buffer has a high-water mark of 0, so `pause_writing` means "it is not empty"
and `resume_writing` "it is". Only when it is empty may a slice be sent past it, straight from the
page cache onto the socket, and the order of bytes holds. uvloop has no sendfile of its own and
refuses a watcher on a transport's descriptor, so the outbox waits for room on a duplicate.

With TLS the slices are read in chunks and written like other bytes.

Cold data would block the loop in sendfile. Each chunk's last byte is probed with
``preadv(RWF_NOWAIT)``; if it is not in the page cache, a small pool of threads reads the chunk
ahead and the outbox goes on when that is done.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final, Protocol, TypeAlias, runtime_checkable

CHUNK_BYTES: Final = 1024 * 1024
"""Of one sendfile call and one read-ahead; a TLS chunk is a quarter of it."""
TLS_CHUNK_BYTES: Final = 256 * 1024
TURN_BYTES: Final = 8 * CHUNK_BYTES
"""After so many bytes to one fast peer the other connections get a turn."""
INLINE_BYTES: Final = 16 * 1024
"""A slice up to this size, when it is cached, is copied into the answer: one system call less."""


@runtime_checkable
class FileSlice(Protocol):
    """A range of a file; `fileno()` and `position` are asked anew at every step."""

    @property
    def size(self) -> int: ...
    @property
    def position(self) -> int: ...
    def fileno(self) -> int: ...


Part: TypeAlias = "bytes | bytearray | memoryview | FileSlice"


class _Sending:
    """How far a slice has been sent."""

    __slots__ = ("sent", "source")

    def __init__(self, source: FileSlice) -> None:
        self.source = source
        self.sent = 0


class Outbox:
    """Sends parts in order. All methods are called on the loop's thread.

    `on_room` is called when something was sent after `unsent_bytes` had been above zero;
    `on_failure` once, with a reason, when the stream can no longer be completed.
    """

    __slots__ = (
        "_blocked",
        "_busy",
        "_closed",
        "_duplicate",
        "_executor",
        "_loop",
        "_on_failure",
        "_on_room",
        "_queue",
        "_queued_bytes",
        "_sendfile",
        "_transport",
        "_watching",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        executor: Executor,
        *,
        on_room: Callable[[], None],
        on_failure: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._executor = executor
        self._on_room = on_room
        self._on_failure = on_failure
        self._queue: deque[bytes | bytearray | memoryview | _Sending] = deque()
        self._queued_bytes = 0
        self._blocked = False  # the transport holds bytes that the socket did not take
        self._busy = False  # a slice waits for its socket, its read-ahead or its next turn
        self._watching = False
        self._closed = False
        self._duplicate: socket.socket | None = None
        self._sendfile = transport.get_extra_info("sslcontext") is None
        # A TLS transport pauses at its mark already, where the others pause above it.
        transport.set_write_buffer_limits(high=0 if self._sendfile else 1, low=0)

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the socket has not taken; those of slices count though they hold no memory."""
        if not self._blocked:
            return self._queued_bytes
        return self._queued_bytes + self._transport.get_write_buffer_size()

    @property
    def is_empty(self) -> bool:
        return not self._blocked and not self._queue

    def write(self, data: bytes | bytearray) -> None:
        """Send `data`, which the outbox owns from now on."""
        if self._closed:
            return
        if self._blocked or self._queue:
            self._queue.append(data)
            self._queued_bytes += len(data)
        else:
            self._transport.write(data)

    def write_parts(self, parts: Sequence[Part]) -> None:
        """Send the parts of one answer."""
        if self._closed:
            return
        for part in parts:
            if isinstance(part, bytes | bytearray | memoryview):
                self._queue.append(part)
                self._queued_bytes += len(part)
            elif part.size:
                self._queue.append(_Sending(part))
                self._queued_bytes += part.size
        self._drain()

    def pause(self) -> None:
        self._blocked = True

    def resume(self) -> None:
        self._blocked = False
        self._drain()
        self._tell_room()

    def close(self) -> None:
        """Forget what was not sent and give back the duplicated descriptor."""
        self._closed = True
        self._queue.clear()
        self._queued_bytes = 0
        if self._duplicate is not None:
            self._unwatch()
            self._duplicate.close()
            self._duplicate = None

    def _tell_room(self) -> None:
        if not self._closed:
            self._on_room()

    def _fail(self, reason: str) -> None:
        self.close()
        self._on_failure(reason)

    def _drain(self) -> None:
        queue = self._queue
        turn = TURN_BYTES
        while queue and not self._blocked and not self._busy:
            head = queue[0]
            if isinstance(head, _Sending):
                if turn <= 0:
                    self._busy = True
                    self._loop.call_soon(self._continue)
                    return
                turn -= self._step(head)
            elif self._sendfile and len(queue) > 1 and isinstance(queue[1], _Sending):
                self._send_before_slice(head)
            else:
                queue.popleft()
                self._queued_bytes -= len(head)
                self._transport.write(head)

    def _continue(self) -> None:
        self._busy = False
        if not self._closed:
            self._drain()
            self._tell_room()

    def _send_before_slice(self, data: bytes | bytearray | memoryview) -> None:
        # MSG_MORE keeps the kernel from sending a packet of a few header bytes of its own.
        try:
            sent = self._socket().send(data, socket.MSG_MORE)
        except (BlockingIOError, InterruptedError):
            self._watch()
            return
        except OSError as error:
            self._fail(f"sending failed: {error.strerror}")
            return
        self._queued_bytes -= sent
        if sent == len(data):
            self._queue.popleft()
        else:
            self._queue[0] = memoryview(data)[sent:]
            self._watch()

    def _step(self, sending: _Sending) -> int:
        """Send up to one chunk of a slice; returns the bytes sent."""
        source = sending.source
        left = source.size - sending.sent
        try:
            descriptor = source.fileno()
            position = source.position + sending.sent
            if self._sendfile:
                count = min(left, CHUNK_BYTES)
                if not is_cached(descriptor, position + count - 1):
                    self._read_ahead(descriptor, position, count)
                    return 0
                sent = os.sendfile(self._socket().fileno(), descriptor, position, count)
            else:
                count = min(left, TLS_CHUNK_BYTES)
                if not is_cached(descriptor, position + count - 1):
                    self._read_ahead(descriptor, position, count)
                    return 0
                data = os.pread(descriptor, count, position)
                sent = len(data)
                self._transport.write(data)
        except (BlockingIOError, InterruptedError):
            self._watch()
            return 0
        except (OSError, ValueError) as error:
            self._fail(f"sending records failed: {error}")
            return 0
        if sent == 0:
            # The size was announced already: the peer would wait for ever.
            self._fail("sending records failed: the log segment was cut short")
            return 0
        sending.sent += sent
        self._queued_bytes -= sent
        if sending.sent == source.size and self._queue:
            self._queue.popleft()
        return sent

    def _socket(self) -> socket.socket:
        if self._duplicate is None:
            original = self._transport.get_extra_info("socket")
            self._duplicate = socket.socket(
                original.family, original.type, original.proto, fileno=os.dup(original.fileno())
            )
            self._duplicate.setblocking(False)
        return self._duplicate

    def _watch(self) -> None:
        self._busy = True
        self._watching = True
        self._loop.add_writer(self._socket().fileno(), self._on_writable)

    def _unwatch(self) -> None:
        if self._watching and self._duplicate is not None:
            self._watching = False
            self._loop.remove_writer(self._duplicate.fileno())

    def _on_writable(self) -> None:
        self._unwatch()
        self._continue()

    def _read_ahead(self, descriptor: int, position: int, count: int) -> None:
        self._busy = True
        # A duplicate, for the segment may be closed while the thread reads.
        own = os.dup(descriptor)

        def read() -> None:
            try:
                os.pread(own, count, position)
            finally:
                os.close(own)
                self._loop.call_soon_threadsafe(self._continue)

        self._executor.submit(read)


_probe = bytearray(1)
_nowait_is_supported = hasattr(os, "RWF_NOWAIT")


def is_cached(descriptor: int, position: int) -> bool:
    """Whether the byte at `position` can be read without waiting for the disk.

    True as well where the file system cannot tell (EOPNOTSUPP) and at the end of the file.
    """
    global _nowait_is_supported
    if not _nowait_is_supported:
        return True
    try:
        os.preadv(descriptor, (_probe,), position, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
        _nowait_is_supported = False
    return True


def read_cached(source: FileSlice) -> bytes | None:
    """The bytes of a slice up to INLINE_BYTES when no disk has to be waited for, else None."""
    size = source.size
    if size > INLINE_BYTES:
        return None
    try:
        descriptor = source.fileno()
        if not is_cached(descriptor, source.position + size - 1):
            return None
        data = os.pread(descriptor, size, source.position)
    except (OSError, ValueError):
        return None  # the outbox meets the same error and closes the connection with its reason
    return data if len(data) == size else None
