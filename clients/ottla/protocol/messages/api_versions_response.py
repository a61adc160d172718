"""ApiVersionsResponse, versions 0–4 (flexible from 3).

Generated from api_versions.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    read_tag,
    skip_tags,
    tag_fault,
    unknown_version,
    write_tagged,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_hhh = struct.Struct(">hhh").pack
_pack_hhhx = struct.Struct(">hhhx").pack
_pack_hhx = struct.Struct(">hhx").pack
_pack_i = struct.Struct(">i").pack
_pack_o = struct.Struct(">?").pack
_pack_q = struct.Struct(">q").pack
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hhc = struct.Struct(">hhB").unpack_from
_unpack_hhh = struct.Struct(">hhh").unpack_from
_unpack_hhhc = struct.Struct(">hhhB").unpack_from
_unpack_hi = struct.Struct(">hi").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_o = struct.Struct(">?").unpack_from
_unpack_q = struct.Struct(">q").unpack_from


@dataclass(slots=True)
class FinalizedFeatureKey:
    name: str = ""
    max_version_level: int = 0
    min_version_level: int = 0


@dataclass(slots=True)
class SupportedFeatureKey:
    name: str = ""
    min_version: int = 0
    max_version: int = 0


@dataclass(slots=True)
class ApiVersion:
    api_key: int = 0
    min_version: int = 0
    max_version: int = 0


@dataclass(slots=True)
class ApiVersionsResponse(Message):
    error_code: int = 0
    api_keys: list[ApiVersion] = field(default_factory=list)
    throttle_time_ms: int = 0
    supported_features: list[SupportedFeatureKey] = field(default_factory=list)
    finalized_features_epoch: int = -1
    finalized_features: list[FinalizedFeatureKey] = field(default_factory=list)
    zk_migration_ready: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ApiVersionsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ApiVersionsResponse, int]:
        try:
            if 3 <= version <= 4:
                (message,), end = _read_api_versions_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_api_versions_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("ApiVersionsResponse", version)
        except MALFORMED as error:
            raise malformed("ApiVersionsResponse", version, error) from error
        if end > len(data):
            raise malformed("ApiVersionsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 4:
            _write_api_versions_response_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_api_versions_response_classic(out, (self,), version)
        else:
            raise ValueError(f"ApiVersionsResponse has no version {version}")


def _read_api_versions_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ApiVersionsResponse], int]:
    items: list[ApiVersionsResponse] = []
    api_keys: list[ApiVersion]
    supported_features: list[SupportedFeatureKey]
    finalized_features: list[FinalizedFeatureKey]
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ApiVersionsResponse.api_keys")
        api_keys, position = _read_api_version_flexible(data, position, n - 1, version)
        throttle_time_ms, tags = _unpack_ic(data, position)
        position += 5
        supported_features = []
        finalized_features_epoch = -1
        finalized_features = []
        zk_migration_ready = False
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0:
                    n = data[position]
                    position += 1
                    if not 0 < n < 128:
                        n, position = long_length(
                            data, position, n, "ApiVersionsResponse.supported_features"
                        )
                    supported_features, position = _read_supported_feature_key_flexible(
                        data, position, n - 1, version
                    )
                elif tag == 1:
                    (finalized_features_epoch,) = _unpack_q(data, position)
                    position += 8
                elif tag == 2:
                    n = data[position]
                    position += 1
                    if not 0 < n < 128:
                        n, position = long_length(
                            data, position, n, "ApiVersionsResponse.finalized_features"
                        )
                    finalized_features, position = _read_finalized_feature_key_flexible(
                        data, position, n - 1, version
                    )
                elif tag == 3:
                    (zk_migration_ready,) = _unpack_o(data, position)
                    position += 1
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("ApiVersionsResponse", tag)
        items.append(
            ApiVersionsResponse(
                error_code,
                api_keys,
                throttle_time_ms,
                supported_features,
                finalized_features_epoch,
                finalized_features,
                zk_migration_ready,
            )
        )
    return items, position


def _write_api_versions_response_flexible(
    out: bytearray, items: Sequence[ApiVersionsResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        n = len(item.api_keys) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.api_keys:
            _write_api_version_flexible(out, item.api_keys, version)
        out += _pack_i(item.throttle_time_ms)
        tags = 0
        if item.supported_features:
            tags += 1
        if item.finalized_features_epoch != -1:
            tags += 1
        if item.finalized_features:
            tags += 1
        if item.zk_migration_ready:
            tags += 1
        out.append(tags)
        if tags:
            if item.supported_features:
                content = bytearray()
                n = len(item.supported_features) + 1
                if n < 128:
                    content.append(n)
                else:
                    write_uvarint(content, n)
                if item.supported_features:
                    _write_supported_feature_key_flexible(content, item.supported_features, version)
                write_tagged(out, 0, content)
            if item.finalized_features_epoch != -1:
                write_tagged(out, 1, _pack_q(item.finalized_features_epoch))
            if item.finalized_features:
                content = bytearray()
                n = len(item.finalized_features) + 1
                if n < 128:
                    content.append(n)
                else:
                    write_uvarint(content, n)
                if item.finalized_features:
                    _write_finalized_feature_key_flexible(content, item.finalized_features, version)
                write_tagged(out, 2, content)
            if item.zk_migration_ready:
                write_tagged(out, 3, _pack_o(item.zk_migration_ready))


def _read_api_version_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ApiVersion], int]:
    if position + count * 7 > len(data):
        raise count_fault("ApiVersion", count)
    items: list[ApiVersion] = []
    for _ in range(count):
        api_key, min_version, max_version, tags = _unpack_hhhc(data, position)
        position += 7
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ApiVersion(api_key, min_version, max_version))
    return items, position


def _write_api_version_flexible(out: bytearray, items: Sequence[ApiVersion], version: int) -> None:
    for item in items:
        out += _pack_hhhx(item.api_key, item.min_version, item.max_version)


def _read_supported_feature_key_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SupportedFeatureKey], int]:
    if position + count * 6 > len(data):
        raise count_fault("SupportedFeatureKey", count)
    items: list[SupportedFeatureKey] = []
    name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SupportedFeatureKey.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        min_version, max_version, tags = _unpack_hhc(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(SupportedFeatureKey(name, min_version, max_version))
    return items, position


def _write_supported_feature_key_flexible(
    out: bytearray, items: Sequence[SupportedFeatureKey], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_hhx(item.min_version, item.max_version)


def _read_finalized_feature_key_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FinalizedFeatureKey], int]:
    if position + count * 6 > len(data):
        raise count_fault("FinalizedFeatureKey", count)
    items: list[FinalizedFeatureKey] = []
    name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FinalizedFeatureKey.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        max_version_level, min_version_level, tags = _unpack_hhc(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(FinalizedFeatureKey(name, max_version_level, min_version_level))
    return items, position


def _write_finalized_feature_key_flexible(
    out: bytearray, items: Sequence[FinalizedFeatureKey], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_hhx(item.max_version_level, item.min_version_level)


def _read_api_versions_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ApiVersionsResponse], int]:
    items: list[ApiVersionsResponse] = []
    api_keys: list[ApiVersion]
    for _ in range(count):
        error_code, n = _unpack_hi(data, position)
        position += 6
        if n < 0:
            raise null_fault("ApiVersionsResponse.api_keys")
        api_keys, position = _read_api_version_classic(data, position, n, version)
        if version >= 1:
            (throttle_time_ms,) = _unpack_i(data, position)
            position += 4
        else:
            throttle_time_ms = 0
        items.append(ApiVersionsResponse(error_code, api_keys, throttle_time_ms, [], -1, [], False))
    return items, position


def _write_api_versions_response_classic(
    out: bytearray, items: Sequence[ApiVersionsResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        out += _pack_i(len(item.api_keys))
        if item.api_keys:
            _write_api_version_classic(out, item.api_keys, version)
        if version >= 1:
            out += _pack_i(item.throttle_time_ms)


def _read_api_version_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ApiVersion], int]:
    if position + count * 6 > len(data):
        raise count_fault("ApiVersion", count)
    items: list[ApiVersion] = []
    for _ in range(count):
        api_key, min_version, max_version = _unpack_hhh(data, position)
        position += 6
        items.append(ApiVersion(api_key, min_version, max_version))
    return items, position


def _write_api_version_classic(out: bytearray, items: Sequence[ApiVersion], version: int) -> None:
    for item in items:
        out += _pack_hhh(item.api_key, item.min_version, item.max_version)
