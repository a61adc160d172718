"""UpdateFeaturesResponse, versions 0–2 (flexible from 0).

Generated from update_features.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from


@dataclass(slots=True)
class UpdatableFeatureResult:
    feature: str = ""
    error_code: int = 0
    error_message: str | None = ""


@dataclass(slots=True)
class UpdateFeaturesResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = ""
    results: list[UpdatableFeatureResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> UpdateFeaturesResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[UpdateFeaturesResponse, int]:
        try:
            if 0 <= version <= 2:
                (message,), end = _read_update_features_response_flexible(data, offset, 1, version)
            else:
                raise unknown_version("UpdateFeaturesResponse", version)
        except MALFORMED as error:
            raise malformed("UpdateFeaturesResponse", version, error) from error
        if end > len(data):
            raise malformed("UpdateFeaturesResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 2:
            _write_update_features_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"UpdateFeaturesResponse has no version {version}")


def _read_update_features_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[UpdateFeaturesResponse], int]:
    items: list[UpdateFeaturesResponse] = []
    error_message: str | None
    results: list[UpdatableFeatureResult]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        if version <= 1:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "UpdateFeaturesResponse.results")
            results, position = _read_updatable_feature_result_flexible(
                data, position, n - 1, version
            )
        else:
            results = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(UpdateFeaturesResponse(throttle_time_ms, error_code, error_message, results))
    return items, position


def _write_update_features_response_flexible(
    out: bytearray, items: Sequence[UpdateFeaturesResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
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
        if version <= 1:
            n = len(item.results) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.results:
                _write_updatable_feature_result_flexible(out, item.results, version)
        out.append(0)


def _read_updatable_feature_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[UpdatableFeatureResult], int]:
    if position + count * 5 > len(data):
        raise count_fault("UpdatableFeatureResult", count)
    items: list[UpdatableFeatureResult] = []
    feature: str
    error_message: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "UpdatableFeatureResult.feature")
        end = position + n - 1
        feature = str(data[position:end], "utf-8")
        position = end
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
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(UpdatableFeatureResult(feature, error_code, error_message))
    return items, position


def _write_updatable_feature_result_flexible(
    out: bytearray, items: Sequence[UpdatableFeatureResult], version: int
) -> None:
    for item in items:
        raw = item.feature.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
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
        out.append(0)
