"""SyncGroupResponse, versions 0–5 (flexible from 4).

Generated from sync_group.schema by ottla.protocol.generator; do not edit.
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
_pack_ih = struct.Struct(">ih").pack
_unpack_hi = struct.Struct(">hi").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihi = struct.Struct(">ihi").unpack_from


@dataclass(slots=True)
class SyncGroupResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignment: bytes = b""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> SyncGroupResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[SyncGroupResponse, int]:
        try:
            if 4 <= version <= 5:
                (message,), end = _read_sync_group_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 3:
                (message,), end = _read_sync_group_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("SyncGroupResponse", version)
        except MALFORMED as error:
            raise malformed("SyncGroupResponse", version, error) from error
        if end > len(data):
            raise malformed("SyncGroupResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 4 <= version <= 5:
            _write_sync_group_response_flexible(out, (self,), version)
        elif 0 <= version <= 3:
            _write_sync_group_response_classic(out, (self,), version)
        else:
            raise ValueError(f"SyncGroupResponse has no version {version}")


def _read_sync_group_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SyncGroupResponse], int]:
    items: list[SyncGroupResponse] = []
    protocol_type: str | None
    protocol_name: str | None
    assignment: bytes
    for _ in range(count):
        if version >= 5:
            throttle_time_ms, error_code, n = _unpack_ihc(data, position)
            position += 7
        else:
            throttle_time_ms, error_code = _unpack_ih(data, position)
            position += 6
        if version >= 5:
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                protocol_type = None
            else:
                end = position + n - 1
                protocol_type = str(data[position:end], "utf-8")
                position = end
        else:
            protocol_type = None
        if version >= 5:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                protocol_name = None
            else:
                end = position + n - 1
                protocol_name = str(data[position:end], "utf-8")
                position = end
        else:
            protocol_name = None
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SyncGroupResponse.assignment")
        end = position + n - 1
        assignment = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            SyncGroupResponse(
                throttle_time_ms, error_code, protocol_type, protocol_name, assignment
            )
        )
    return items, position


def _write_sync_group_response_flexible(
    out: bytearray, items: Sequence[SyncGroupResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        if version >= 5:
            values_protocol_type = item.protocol_type
            if values_protocol_type is None:
                out.append(0)
            else:
                raw = values_protocol_type.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        if version >= 5:
            values_protocol_name = item.protocol_name
            if values_protocol_name is None:
                out.append(0)
            else:
                raw = values_protocol_name.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        n = len(item.assignment) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.assignment
        out.append(0)


def _read_sync_group_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SyncGroupResponse], int]:
    items: list[SyncGroupResponse] = []
    assignment: bytes
    for _ in range(count):
        if version >= 1:
            throttle_time_ms, error_code, n = _unpack_ihi(data, position)
            position += 10
        else:
            error_code, n = _unpack_hi(data, position)
            position += 6
            throttle_time_ms = 0
        if n < 0:
            raise null_fault("SyncGroupResponse.assignment")
        end = position + n
        assignment = bytes(data[position:end])
        position = end
        items.append(SyncGroupResponse(throttle_time_ms, error_code, None, None, assignment))
    return items, position


def _write_sync_group_response_classic(
    out: bytearray, items: Sequence[SyncGroupResponse], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        else:
            out += _pack_h(item.error_code)
        out += _pack_i(len(item.assignment))
        out += item.assignment
