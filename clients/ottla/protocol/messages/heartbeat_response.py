"""HeartbeatResponse, versions 0–4 (flexible from 4).

Generated from heartbeat.schema by ottla.protocol.generator; do not edit.
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

_pack_h = struct.Struct(">h").pack
_pack_ih = struct.Struct(">ih").pack
_pack_ihx = struct.Struct(">ihx").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from


@dataclass(slots=True)
class HeartbeatResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> HeartbeatResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[HeartbeatResponse, int]:
        try:
            if version == 4:
                (message,), end = _read_heartbeat_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 3:
                (message,), end = _read_heartbeat_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("HeartbeatResponse", version)
        except MALFORMED as error:
            raise malformed("HeartbeatResponse", version, error) from error
        if end > len(data):
            raise malformed("HeartbeatResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 4:
            _write_heartbeat_response_flexible(out, (self,), version)
        elif 0 <= version <= 3:
            _write_heartbeat_response_classic(out, (self,), version)
        else:
            raise ValueError(f"HeartbeatResponse has no version {version}")


def _read_heartbeat_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[HeartbeatResponse], int]:
    items: list[HeartbeatResponse] = []
    for _ in range(count):
        throttle_time_ms, error_code, tags = _unpack_ihc(data, position)
        position += 7
        if tags:
            position = skip_tags(data, position, tags)
        items.append(HeartbeatResponse(throttle_time_ms, error_code))
    return items, position


def _write_heartbeat_response_flexible(
    out: bytearray, items: Sequence[HeartbeatResponse], version: int
) -> None:
    for item in items:
        out += _pack_ihx(item.throttle_time_ms, item.error_code)


def _read_heartbeat_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[HeartbeatResponse], int]:
    items: list[HeartbeatResponse] = []
    for _ in range(count):
        if version >= 1:
            throttle_time_ms, error_code = _unpack_ih(data, position)
            position += 6
        else:
            (error_code,) = _unpack_h(data, position)
            position += 2
            throttle_time_ms = 0
        items.append(HeartbeatResponse(throttle_time_ms, error_code))
    return items, position


def _write_heartbeat_response_classic(
    out: bytearray, items: Sequence[HeartbeatResponse], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        else:
            out += _pack_h(item.error_code)
