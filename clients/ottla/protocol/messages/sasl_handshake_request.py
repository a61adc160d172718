"""SaslHandshakeRequest, versions 0–1 (none is flexible).

Generated from sasl_handshake.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    malformed,
    null_fault,
    unknown_version,
)

_pack_h = struct.Struct(">h").pack
_unpack_h = struct.Struct(">h").unpack_from


@dataclass(slots=True)
class SaslHandshakeRequest(Message):
    mechanism: str = ""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> SaslHandshakeRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[SaslHandshakeRequest, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_sasl_handshake_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("SaslHandshakeRequest", version)
        except MALFORMED as error:
            raise malformed("SaslHandshakeRequest", version, error) from error
        if end > len(data):
            raise malformed("SaslHandshakeRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_sasl_handshake_request_classic(out, (self,), version)
        else:
            raise ValueError(f"SaslHandshakeRequest has no version {version}")


def _read_sasl_handshake_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SaslHandshakeRequest], int]:
    items: list[SaslHandshakeRequest] = []
    mechanism: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("SaslHandshakeRequest.mechanism")
        end = position + n
        mechanism = str(data[position:end], "utf-8")
        position = end
        items.append(SaslHandshakeRequest(mechanism))
    return items, position


def _write_sasl_handshake_request_classic(
    out: bytearray, items: Sequence[SaslHandshakeRequest], version: int
) -> None:
    for item in items:
        raw = item.mechanism.encode()
        out += _pack_h(len(raw))
        out += raw
