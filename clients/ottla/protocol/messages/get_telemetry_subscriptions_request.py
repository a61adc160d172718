"""GetTelemetrySubscriptionsRequest, versions 0 (flexible from 0).

Generated from get_telemetry_subscriptions.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    skip_tags,
    unknown_version,
)

_pack_ux = struct.Struct(">16sx").pack
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class GetTelemetrySubscriptionsRequest(Message):
    client_instance_id: bytes = NIL_UUID

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> GetTelemetrySubscriptionsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[GetTelemetrySubscriptionsRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_get_telemetry_subscriptions_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("GetTelemetrySubscriptionsRequest", version)
        except MALFORMED as error:
            raise malformed("GetTelemetrySubscriptionsRequest", version, error) from error
        if end > len(data):
            raise malformed("GetTelemetrySubscriptionsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_get_telemetry_subscriptions_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"GetTelemetrySubscriptionsRequest has no version {version}")


def _read_get_telemetry_subscriptions_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[GetTelemetrySubscriptionsRequest], int]:
    items: list[GetTelemetrySubscriptionsRequest] = []
    for _ in range(count):
        client_instance_id, tags = _unpack_uc(data, position)
        position += 17
        if tags:
            position = skip_tags(data, position, tags)
        items.append(GetTelemetrySubscriptionsRequest(client_instance_id))
    return items, position


def _write_get_telemetry_subscriptions_request_flexible(
    out: bytearray, items: Sequence[GetTelemetrySubscriptionsRequest], version: int
) -> None:
    for item in items:
        out += _pack_ux(item.client_instance_id)
