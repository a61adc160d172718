"""ExpireDelegationTokenRequest, versions 1–2 (flexible from 2).

Generated from expire_delegation_token.schema by ottla.protocol.generator; do not edit.
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
_pack_q = struct.Struct(">q").pack
_pack_qx = struct.Struct(">qx").pack
_unpack_i = struct.Struct(">i").unpack_from
_unpack_q = struct.Struct(">q").unpack_from
_unpack_qc = struct.Struct(">qB").unpack_from


@dataclass(slots=True)
class ExpireDelegationTokenRequest(Message):
    hmac: bytes = b""
    expiry_time_period_ms: int = 0

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ExpireDelegationTokenRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ExpireDelegationTokenRequest, int]:
        try:
            if version == 2:
                (message,), end = _read_expire_delegation_token_request_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_expire_delegation_token_request_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ExpireDelegationTokenRequest", version)
        except MALFORMED as error:
            raise malformed("ExpireDelegationTokenRequest", version, error) from error
        if end > len(data):
            raise malformed("ExpireDelegationTokenRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_expire_delegation_token_request_flexible(out, (self,), version)
        elif version == 1:
            _write_expire_delegation_token_request_classic(out, (self,), version)
        else:
            raise ValueError(f"ExpireDelegationTokenRequest has no version {version}")


def _read_expire_delegation_token_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ExpireDelegationTokenRequest], int]:
    items: list[ExpireDelegationTokenRequest] = []
    hmac: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ExpireDelegationTokenRequest.hmac")
        end = position + n - 1
        hmac = bytes(data[position:end])
        position = end
        expiry_time_period_ms, tags = _unpack_qc(data, position)
        position += 9
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ExpireDelegationTokenRequest(hmac, expiry_time_period_ms))
    return items, position


def _write_expire_delegation_token_request_flexible(
    out: bytearray, items: Sequence[ExpireDelegationTokenRequest], version: int
) -> None:
    for item in items:
        n = len(item.hmac) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.hmac
        out += _pack_qx(item.expiry_time_period_ms)


def _read_expire_delegation_token_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ExpireDelegationTokenRequest], int]:
    items: list[ExpireDelegationTokenRequest] = []
    hmac: bytes
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("ExpireDelegationTokenRequest.hmac")
        end = position + n
        hmac = bytes(data[position:end])
        position = end
        (expiry_time_period_ms,) = _unpack_q(data, position)
        position += 8
        items.append(ExpireDelegationTokenRequest(hmac, expiry_time_period_ms))
    return items, position


def _write_expire_delegation_token_request_classic(
    out: bytearray, items: Sequence[ExpireDelegationTokenRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.hmac))
        out += item.hmac
        out += _pack_q(item.expiry_time_period_ms)
