"""PushTelemetryResponse, versions 0 (flexible from 0).

Generated from push_telemetry.schema by ottla.protocol.generator; do not edit.
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

_pack_ihx = struct.Struct(">ihx").pack
_unpack_ihc = struct.Struct(">ihB").unpack_from


@dataclass(slots=True)
class PushTelemetryResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> PushTelemetryResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[PushTelemetryResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_push_telemetry_response_flexible(data, offset, 1, version)
            else:
                raise unknown_version("PushTelemetryResponse", version)
        except MALFORMED as error:
            raise malformed("PushTelemetryResponse", version, error) from error
        if end > len(data):
            raise malformed("PushTelemetryResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_push_telemetry_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"PushTelemetryResponse has no version {version}")


def _read_push_telemetry_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PushTelemetryResponse], int]:
    items: list[PushTelemetryResponse] = []
    for _ in range(count):
        throttle_time_ms, error_code, tags = _unpack_ihc(data, position)
        position += 7
        if tags:
            position = skip_tags(data, position, tags)
        items.append(PushTelemetryResponse(throttle_time_ms, error_code))
    return items, position


def _write_push_telemetry_response_flexible(
    out: bytearray, items: Sequence[PushTelemetryResponse], version: int
) -> None:
    for item in items:
        out += _pack_ihx(item.throttle_time_ms, item.error_code)
