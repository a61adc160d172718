"""SaslAuthenticateResponse, versions 0–2 (flexible from 2).

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
    long_uvarint,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_q = struct.Struct(">q").pack
_pack_qx = struct.Struct(">qx").pack
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_q = struct.Struct(">q").unpack_from
_unpack_qc = struct.Struct(">qB").unpack_from


@dataclass(slots=True)
class SaslAuthenticateResponse(Message):
    error_code: int = 0
    error_message: str | None = ""
    auth_bytes: bytes = b""
    session_lifetime_ms: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> SaslAuthenticateResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[SaslAuthenticateResponse, int]:
        try:
            if version == 2:
                (message,), end = _read_sasl_authenticate_response_flexible(
                    data, offset, 1, version
                )
            elif 0 <= version <= 1:
                (message,), end = _read_sasl_authenticate_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("SaslAuthenticateResponse", version)
        except MALFORMED as error:
            raise malformed("SaslAuthenticateResponse", version, error) from error
        if end > len(data):
            raise malformed("SaslAuthenticateResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_sasl_authenticate_response_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_sasl_authenticate_response_classic(out, (self,), version)
        else:
            raise ValueError(f"SaslAuthenticateResponse has no version {version}")


def _read_sasl_authenticate_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SaslAuthenticateResponse], int]:
    items: list[SaslAuthenticateResponse] = []
    error_message: str | None
    auth_bytes: bytes
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SaslAuthenticateResponse.auth_bytes")
        end = position + n - 1
        auth_bytes = bytes(data[position:end])
        position = end
        session_lifetime_ms, tags = _unpack_qc(data, position)
        position += 9
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            SaslAuthenticateResponse(error_code, error_message, auth_bytes, session_lifetime_ms)
        )
    return items, position


def _write_sasl_authenticate_response_flexible(
    out: bytearray, items: Sequence[SaslAuthenticateResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out.append(0)
        else:
            raw = values_error_message.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        n = len(item.auth_bytes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.auth_bytes
        out += _pack_qx(item.session_lifetime_ms)


def _read_sasl_authenticate_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SaslAuthenticateResponse], int]:
    items: list[SaslAuthenticateResponse] = []
    error_message: str | None
    auth_bytes: bytes
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("SaslAuthenticateResponse.auth_bytes")
        end = position + n
        auth_bytes = bytes(data[position:end])
        position = end
        if version >= 1:
            (session_lifetime_ms,) = _unpack_q(data, position)
            position += 8
        else:
            session_lifetime_ms = 0
        items.append(
            SaslAuthenticateResponse(error_code, error_message, auth_bytes, session_lifetime_ms)
        )
    return items, position


def _write_sasl_authenticate_response_classic(
    out: bytearray, items: Sequence[SaslAuthenticateResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_i(len(item.auth_bytes))
        out += item.auth_bytes
        if version >= 1:
            out += _pack_q(item.session_lifetime_ms)
