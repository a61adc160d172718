"""PushTelemetryRequest, versions 0 (flexible from 0).

Generated from push_telemetry.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.core.identifiers import NIL_UUID
from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_uiob = struct.Struct(">16si?b").pack
_unpack_uiobc = struct.Struct(">16si?bB").unpack_from


@dataclass(slots=True)
class PushTelemetryRequest(Message):
    client_instance_id: bytes = NIL_UUID
    subscription_id: int = 0
    terminating: bool = False
    compression_type: int = 0
    metrics: bytes = b""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> PushTelemetryRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[PushTelemetryRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_push_telemetry_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("PushTelemetryRequest", version)
        except MALFORMED as error:
            raise malformed("PushTelemetryRequest", version, error) from error
        if end > len(data):
            raise malformed("PushTelemetryRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_push_telemetry_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"PushTelemetryRequest has no version {version}")


def _read_push_telemetry_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PushTelemetryRequest], int]:
    items: list[PushTelemetryRequest] = []
    metrics: bytes
    for _ in range(count):
        client_instance_id, subscription_id, terminating, compression_type, n = _unpack_uiobc(
            data, position
        )
        position += 23
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PushTelemetryRequest.metrics")
        end = position + n - 1
        metrics = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            PushTelemetryRequest(
                client_instance_id, subscription_id, terminating, compression_type, metrics
            )
        )
    return items, position


def _write_push_telemetry_request_flexible(
    out: bytearray, items: Sequence[PushTelemetryRequest], version: int
) -> None:
    for item in items:
        out += _pack_uiob(
            item.client_instance_id, item.subscription_id, item.terminating, item.compression_type
        )
        n = len(item.metrics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.metrics
        out.append(0)
