"""GetTelemetrySubscriptionsResponse, versions 0 (flexible from 0).

Generated from get_telemetry_subscriptions.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.core.identifiers import NIL_UUID
from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    malformed,
    read_compact_string_array,
    read_int8_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_int8_array,
    write_uvarint,
)

_pack_ihui = struct.Struct(">ih16si").pack
_pack_iio = struct.Struct(">ii?").pack
_unpack_ihuic = struct.Struct(">ih16siB").unpack_from
_unpack_iioc = struct.Struct(">ii?B").unpack_from


@dataclass(slots=True)
class GetTelemetrySubscriptionsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    client_instance_id: bytes = NIL_UUID
    subscription_id: int = 0
    accepted_compression_types: list[int] = field(default_factory=list)
    push_interval_ms: int = 0
    telemetry_max_bytes: int = 0
    delta_temporality: bool = False
    requested_metrics: list[str] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> GetTelemetrySubscriptionsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[GetTelemetrySubscriptionsResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_get_telemetry_subscriptions_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("GetTelemetrySubscriptionsResponse", version)
        except MALFORMED as error:
            raise malformed("GetTelemetrySubscriptionsResponse", version, error) from error
        if end > len(data):
            raise malformed("GetTelemetrySubscriptionsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_get_telemetry_subscriptions_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"GetTelemetrySubscriptionsResponse has no version {version}")


def _read_get_telemetry_subscriptions_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[GetTelemetrySubscriptionsResponse], int]:
    items: list[GetTelemetrySubscriptionsResponse] = []
    accepted_compression_types: list[int]
    requested_metrics: list[str]
    for _ in range(count):
        throttle_time_ms, error_code, client_instance_id, subscription_id, n = _unpack_ihuic(
            data, position
        )
        position += 27
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "GetTelemetrySubscriptionsResponse.accepted_compression_types"
            )
        accepted_compression_types, position = read_int8_array(data, position, n - 1)
        push_interval_ms, telemetry_max_bytes, delta_temporality, n = _unpack_iioc(data, position)
        position += 10
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "GetTelemetrySubscriptionsResponse.requested_metrics"
            )
        requested_metrics, position = read_compact_string_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            GetTelemetrySubscriptionsResponse(
                throttle_time_ms,
                error_code,
                client_instance_id,
                subscription_id,
                accepted_compression_types,
                push_interval_ms,
                telemetry_max_bytes,
                delta_temporality,
                requested_metrics,
            )
        )
    return items, position


def _write_get_telemetry_subscriptions_response_flexible(
    out: bytearray, items: Sequence[GetTelemetrySubscriptionsResponse], version: int
) -> None:
    for item in items:
        out += _pack_ihui(
            item.throttle_time_ms, item.error_code, item.client_instance_id, item.subscription_id
        )
        n = len(item.accepted_compression_types) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.accepted_compression_types:
            write_int8_array(out, item.accepted_compression_types)
        out += _pack_iio(item.push_interval_ms, item.telemetry_max_bytes, item.delta_temporality)
        n = len(item.requested_metrics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.requested_metrics:
            write_compact_string_array(out, item.requested_metrics)
        out.append(0)
