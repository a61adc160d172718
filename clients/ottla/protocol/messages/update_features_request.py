"""UpdateFeaturesRequest, versions 0–2 (flexible from 0).

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
    absent_fault,
    count_fault,
    long_length,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_hbx = struct.Struct(">hbx").pack
_pack_hox = struct.Struct(">h?x").pack
_pack_i = struct.Struct(">i").pack
_pack_ox = struct.Struct(">?x").pack
_unpack_hbc = struct.Struct(">hbB").unpack_from
_unpack_hoc = struct.Struct(">h?B").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from


@dataclass(slots=True)
class FeatureUpdateKey:
    feature: str = ""
    max_version_level: int = 0
    allow_downgrade: bool = False
    upgrade_type: int = 1


@dataclass(slots=True)
class UpdateFeaturesRequest(Message):
    timeout_ms: int = 60000
    feature_updates: list[FeatureUpdateKey] = field(default_factory=list)
    validate_only: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> UpdateFeaturesRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[UpdateFeaturesRequest, int]:
        try:
            if 0 <= version <= 2:
                (message,), end = _read_update_features_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("UpdateFeaturesRequest", version)
        except MALFORMED as error:
            raise malformed("UpdateFeaturesRequest", version, error) from error
        if end > len(data):
            raise malformed("UpdateFeaturesRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 2:
            _write_update_features_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"UpdateFeaturesRequest has no version {version}")


def _read_update_features_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[UpdateFeaturesRequest], int]:
    items: list[UpdateFeaturesRequest] = []
    feature_updates: list[FeatureUpdateKey]
    for _ in range(count):
        timeout_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "UpdateFeaturesRequest.feature_updates")
        feature_updates, position = _read_feature_update_key_flexible(
            data, position, n - 1, version
        )
        if version >= 1:
            validate_only, tags = _unpack_oc(data, position)
            position += 2
        else:
            tags = data[position]
            position += 1
            validate_only = False
        if tags:
            position = skip_tags(data, position, tags)
        items.append(UpdateFeaturesRequest(timeout_ms, feature_updates, validate_only))
    return items, position


def _write_update_features_request_flexible(
    out: bytearray, items: Sequence[UpdateFeaturesRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(item.timeout_ms)
        n = len(item.feature_updates) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.feature_updates:
            _write_feature_update_key_flexible(out, item.feature_updates, version)
        if version >= 1:
            out += _pack_ox(item.validate_only)
        else:
            if item.validate_only:
                raise absent_fault("UpdateFeaturesRequest.validate_only", version)
            out.append(0)


def _read_feature_update_key_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FeatureUpdateKey], int]:
    if position + count * 5 > len(data):
        raise count_fault("FeatureUpdateKey", count)
    items: list[FeatureUpdateKey] = []
    feature: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FeatureUpdateKey.feature")
        end = position + n - 1
        feature = str(data[position:end], "utf-8")
        position = end
        if version >= 1:
            max_version_level, upgrade_type, tags = _unpack_hbc(data, position)
            position += 4
            allow_downgrade = False
        else:
            max_version_level, allow_downgrade, tags = _unpack_hoc(data, position)
            position += 4
            upgrade_type = 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(FeatureUpdateKey(feature, max_version_level, allow_downgrade, upgrade_type))
    return items, position


def _write_feature_update_key_flexible(
    out: bytearray, items: Sequence[FeatureUpdateKey], version: int
) -> None:
    for item in items:
        raw = item.feature.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        if version >= 1:
            if item.allow_downgrade:
                raise absent_fault("FeatureUpdateKey.allow_downgrade", version)
            out += _pack_hbx(item.max_version_level, item.upgrade_type)
        else:
            if item.upgrade_type != 1:
                raise absent_fault("FeatureUpdateKey.upgrade_type", version)
            out += _pack_hox(item.max_version_level, item.allow_downgrade)
