"""ExpireDelegationTokenResponse, versions 1–2 (flexible from 2).

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
    malformed,
    skip_tags,
    unknown_version,
)

_pack_hqi = struct.Struct(">hqi").pack
_pack_hqix = struct.Struct(">hqix").pack
_unpack_hqi = struct.Struct(">hqi").unpack_from
_unpack_hqic = struct.Struct(">hqiB").unpack_from


@dataclass(slots=True)
class ExpireDelegationTokenResponse(Message):
    error_code: int = 0
    expiry_timestamp_ms: int = 0
    throttle_time_ms: int = 0

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ExpireDelegationTokenResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ExpireDelegationTokenResponse, int]:
        try:
            if version == 2:
                (message,), end = _read_expire_delegation_token_response_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_expire_delegation_token_response_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ExpireDelegationTokenResponse", version)
        except MALFORMED as error:
            raise malformed("ExpireDelegationTokenResponse", version, error) from error
        if end > len(data):
            raise malformed("ExpireDelegationTokenResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_expire_delegation_token_response_flexible(out, (self,), version)
        elif version == 1:
            _write_expire_delegation_token_response_classic(out, (self,), version)
        else:
            raise ValueError(f"ExpireDelegationTokenResponse has no version {version}")


def _read_expire_delegation_token_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ExpireDelegationTokenResponse], int]:
    items: list[ExpireDelegationTokenResponse] = []
    for _ in range(count):
        error_code, expiry_timestamp_ms, throttle_time_ms, tags = _unpack_hqic(data, position)
        position += 15
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ExpireDelegationTokenResponse(error_code, expiry_timestamp_ms, throttle_time_ms)
        )
    return items, position


def _write_expire_delegation_token_response_flexible(
    out: bytearray, items: Sequence[ExpireDelegationTokenResponse], version: int
) -> None:
    for item in items:
        out += _pack_hqix(item.error_code, item.expiry_timestamp_ms, item.throttle_time_ms)


def _read_expire_delegation_token_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ExpireDelegationTokenResponse], int]:
    items: list[ExpireDelegationTokenResponse] = []
    for _ in range(count):
        error_code, expiry_timestamp_ms, throttle_time_ms = _unpack_hqi(data, position)
        position += 14
        items.append(
            ExpireDelegationTokenResponse(error_code, expiry_timestamp_ms, throttle_time_ms)
        )
    return items, position


def _write_expire_delegation_token_response_classic(
    out: bytearray, items: Sequence[ExpireDelegationTokenResponse], version: int
) -> None:
    for item in items:
        out += _pack_hqi(item.error_code, item.expiry_timestamp_ms, item.throttle_time_ms)
