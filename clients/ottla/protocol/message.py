"""What every generated message has in common.

A message is a plain dataclass whose fields are named as in Kafka's schemas, in snake case, and all
have defaults. One class serves all versions: a field that a version does not carry keeps its
default on decoding and is left out on encoding.

- Decoding never raises anything but DecodeError, whatever the bytes are. Unknown tagged fields are
  skipped; bytes behind the message are not looked at (`decode_from` tells where it ended).
- Encoding raises ValueError for what a version cannot carry: null where it allows none, a number
  or a text too long for its field, a field that the version lacks, holds something else than its
  default and must not be dropped silently ("ignorable" in the schema table).
"""

from __future__ import annotations

import struct
from typing import ClassVar, TypeAlias

from ottla.protocol.parts import Part

Buffer: TypeAlias = bytes | bytearray | memoryview


class Message:
    """The base of generated messages."""

    __slots__ = ()

    MIN_VERSION: ClassVar[int]
    MAX_VERSION: ClassVar[int]
    """Inclusive."""
    FLEXIBLE_VERSION: ClassVar[int | None]
    """First version with compact lengths and tagged fields (KIP-482); None: there is none."""

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> Message:
        """The message that starts at `offset`; DecodeError when `data` holds no such message.

        A ``records`` field is a memoryview of `data` itself: it lives as long as that buffer is
        left alone. Everything else is copied.
        """
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[Message, int]:
        """As `decode`, with the position of the first byte behind the message."""
        raise TypeError(f"{cls.__name__} is not a generated message")

    def encode(self, version: int) -> bytes:
        """The message's bytes in `version`; ValueError when that version cannot carry it."""
        out = bytearray()
        self.encode_into(out, version)
        return bytes(out)

    def encode_into(self, out: bytearray, version: int) -> None:
        """Append the message to `out`. After a ValueError `out` ends in a torn message."""
        try:
            self._write(out, version)
        except struct.error as error:
            raise ValueError(f"{type(self).__name__} version {version}: {error}") from error

    def encode_parts(self, version: int) -> list[Part]:
        """The message as a list of parts: bytes, and the sources that its records fields hold."""
        return [self.encode(version)]

    def _write(self, out: bytearray, version: int) -> None:
        raise TypeError(f"{type(self).__name__} is not a generated message")
