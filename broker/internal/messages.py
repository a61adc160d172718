"""gRPC's messages out of the bytes of an HTTP/2 stream: pure.

Each has a prefix of five bytes (gRPC over HTTP2, "Length-Prefixed-Message"):

    0            1                          5
    +------------+--------------------------+------ ... ------+
    | compressed | length, big-endian       | message         |
    | uint8      | uint32                   |                 |
    +------------+--------------------------+------ ... ------+

Nothing is compressed here: record batches are already, and the rest is small.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, TypeAlias

PREFIX: Final = Struct(">BI")
Message: TypeAlias = bytes | bytearray


class MessageError(Exception):
    """What came is no message that is taken here; the text says why."""


class FlowControlError(MessageError):
    """More bytes than were granted."""


class MessageReader:
    """Puts messages together, however the stream was cut. A length above `bytes_max` is refused
    before memory is taken for it."""

    __slots__ = ("_body", "_bytes_max", "_filled", "_prefix")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._prefix = bytearray()
        self._body: bytearray | None = None
        self._filled = 0

    @property
    def is_between_messages(self) -> bool:
        return self._body is None and not self._prefix

    def feed(self, data: memoryview) -> list[Message]:
        """The messages that `data` completes; MessageError."""
        messages: list[Message] = []
        position, end = 0, len(data)
        while position < end:
            body = self._body
            if body is not None:
                taken = min(len(body) - self._filled, end - position)
                body[self._filled : self._filled + taken] = data[position : position + taken]
                position += taken
                message = self.advance(taken)
                if message is not None:
                    messages.append(message)
                continue
            if self._prefix or end - position < PREFIX.size:
                taken = min(PREFIX.size - len(self._prefix), end - position)
                self._prefix += data[position : position + taken]
                position += taken
                if len(self._prefix) < PREFIX.size:
                    break
                compressed, length = PREFIX.unpack(self._prefix)
                self._prefix.clear()
            else:
                compressed, length = PREFIX.unpack_from(data, position)
                position += PREFIX.size
            if compressed:
                raise MessageError("compressed messages are not taken here")
            if length > self._bytes_max:
                raise MessageError(
                    f"a message of {length} bytes; at most {self._bytes_max} are taken"
                )
            if end - position >= length:
                messages.append(bytes(data[position : position + length]))
                position += length
            else:
                self._body = bytearray(length)
                self._filled = 0
        return messages

    def room(self) -> memoryview | None:
        """Where the next bytes of the message at hand belong, to be read into without a copy."""
        return None if self._body is None else memoryview(self._body)[self._filled :]

    def advance(self, count: int) -> Message | None:
        """So many bytes were put into the room; the message when these were its last."""
        self._filled += count
        body = self._body
        assert body is not None
        if self._filled < len(body):
            return None
        self._body = None
        return body
