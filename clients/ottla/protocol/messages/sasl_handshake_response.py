"""SaslHandshakeResponse, versions 0–1 (none is flexible).

Generated from sasl_handshake.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    malformed,
    null_fault,
    read_string_array,
    unknown_version,
    write_string_array,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_hi = struct.Struct(">hi").unpack_from


@dataclass(slots=True)
class SaslHandshakeResponse(Message):
    error_code: int = 0
    mechanisms: list[str] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> SaslHandshakeResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[SaslHandshakeResponse, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_sasl_handshake_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("SaslHandshakeResponse", version)
        except MALFORMED as error:
            raise malformed("SaslHandshakeResponse", version, error) from error
        if end > len(data):
            raise malformed("SaslHandshakeResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_sasl_handshake_response_classic(out, (self,), version)
        else:
            raise ValueError(f"SaslHandshakeResponse has no version {version}")


def _read_sasl_handshake_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SaslHandshakeResponse], int]:
    items: list[SaslHandshakeResponse] = []
    mechanisms: list[str]
    for _ in range(count):
        error_code, n = _unpack_hi(data, position)
        position += 6
        if n < 0:
            raise null_fault("SaslHandshakeResponse.mechanisms")
        mechanisms, position = read_string_array(data, position, n)
        items.append(SaslHandshakeResponse(error_code, mechanisms))
    return items, position


def _write_sasl_handshake_response_classic(
    out: bytearray, items: Sequence[SaslHandshakeResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        out += _pack_i(len(item.mechanisms))
        if item.mechanisms:
            write_string_array(out, item.mechanisms)
