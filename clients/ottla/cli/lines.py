"""Lines of a stream that may be a file, a pipe that fills slowly, or a person."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from typing import Protocol

from ottla.core.errors import OttlaError

CHUNK_BYTES = 64 * 1024
LINE_BYTES_MAX = 64 * 1024 * 1024


class ByteStream(Protocol):
    def read1(self, size: int, /) -> bytes: ...

    def fileno(self) -> int: ...


def read_lines(
    stream: ByteStream,
    on_idle: Callable[[], None],
    on_read: Callable[[int], None] = lambda count: None,
) -> Iterator[bytes]:
    """Lines without their newline; the last one may lack it.

    `on_idle` is called when nothing more can be read at once; `on_read` with the bytes read.
    """
    pieces: list[bytes] = []
    pending = 0
    while chunk := stream.read1(CHUNK_BYTES):
        on_read(len(chunk))
        first, newline, rest = chunk.partition(b"\n")
        pieces.append(first)
        pending += len(first)
        if pending > LINE_BYTES_MAX:
            raise OttlaError(f"a line has more than {LINE_BYTES_MAX} bytes; no broker takes that")
        if newline:
            yield b"".join(pieces)
            *lines, last = rest.split(b"\n")
            yield from lines
            pieces, pending = [last], len(last)
        if not _more_waits(stream):
            on_idle()
    if pending:
        yield b"".join(pieces)


def _more_waits(stream: ByteStream) -> bool:
    """Whether a read would return at once."""
    try:
        return bool(select.select([stream.fileno()], [], [], 0)[0])
    except (OSError, ValueError):  # no descriptor behind it, or none that can be waited for
        return True
