"""SaslAuthenticateRequest, versions 0–2 (flexible from 2).

Generated from sasl_authenticate.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class SaslAuthenticateRequest(Message):
    auth_bytes: bytes = b""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> SaslAuthenticateRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[SaslAuthenticateRequest, int]:
        try:
            if version == 2:
                (message,), end = _read_sasl_authenticate_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_sasl_authenticate_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("SaslAuthenticateRequest", version)
        except MALFORMED as error:
            raise malformed("SaslAuthenticateRequest", version, error) from error
        if end > len(data):
            raise malformed("SaslAuthenticateRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_sasl_authenticate_request_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_sasl_authenticate_request_classic(out, (self,), version)
        else:
            raise ValueError(f"SaslAuthenticateRequest has no version {version}")


def _read_sasl_authenticate_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SaslAuthenticateRequest], int]:
    items: list[SaslAuthenticateRequest] = []
    auth_bytes: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SaslAuthenticateRequest.auth_bytes")
        end = position + n - 1
        auth_bytes = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(SaslAuthenticateRequest(auth_bytes))
    return items, position


def _write_sasl_authenticate_request_flexible(
    out: bytearray, items: Sequence[SaslAuthenticateRequest], version: int
) -> None:
    for item in items:
        n = len(item.auth_bytes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.auth_bytes
        out.append(0)


def _read_sasl_authenticate_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SaslAuthenticateRequest], int]:
    items: list[SaslAuthenticateRequest] = []
    auth_bytes: bytes
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("SaslAuthenticateRequest.auth_bytes")
        end = position + n
        auth_bytes = bytes(data[position:end])
        position = end
        items.append(SaslAuthenticateRequest(auth_bytes))
    return items, position


def _write_sasl_authenticate_request_classic(
    out: bytearray, items: Sequence[SaslAuthenticateRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.auth_bytes))
        out += item.auth_bytes
