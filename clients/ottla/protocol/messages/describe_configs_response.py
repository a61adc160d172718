"""DescribeConfigsResponse, versions 1–4 (flexible from 4).

Generated from describe_configs.schema by ottla.protocol.generator; do not edit.
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
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_b = struct.Struct(">b").pack
_pack_bx = struct.Struct(">bx").pack
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_obo = struct.Struct(">?b?").pack
_unpack_b = struct.Struct(">b").unpack_from
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bh = struct.Struct(">bh").unpack_from
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_oboc = struct.Struct(">?b?B").unpack_from
_unpack_oboi = struct.Struct(">?b?i").unpack_from


@dataclass(slots=True)
class DescribeConfigsSynonym:
    name: str = ""
    value: str | None = ""
    source: int = 0


@dataclass(slots=True)
class DescribeConfigsResourceResult:
    name: str = ""
    value: str | None = ""
    read_only: bool = False
    config_source: int = -1
    is_sensitive: bool = False
    synonyms: list[DescribeConfigsSynonym] = field(default_factory=list)
    config_type: int = 0
    documentation: str | None = ""


@dataclass(slots=True)
class DescribeConfigsResult:
    error_code: int = 0
    error_message: str | None = ""
    resource_type: int = 0
    resource_name: str = ""
    configs: list[DescribeConfigsResourceResult] = field(default_factory=list)


@dataclass(slots=True)
class DescribeConfigsResponse(Message):
    throttle_time_ms: int = 0
    results: list[DescribeConfigsResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeConfigsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeConfigsResponse, int]:
        try:
            if version == 4:
                (message,), end = _read_describe_configs_response_flexible(data, offset, 1, version)
            elif 1 <= version <= 3:
                (message,), end = _read_describe_configs_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("DescribeConfigsResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeConfigsResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeConfigsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 4:
            _write_describe_configs_response_flexible(out, (self,), version)
        elif 1 <= version <= 3:
            _write_describe_configs_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeConfigsResponse has no version {version}")


def _read_describe_configs_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsResponse], int]:
    items: list[DescribeConfigsResponse] = []
    results: list[DescribeConfigsResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeConfigsResponse.results")
        results, position = _read_describe_configs_result_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeConfigsResponse(throttle_time_ms, results))
    return items, position


def _write_describe_configs_response_flexible(
    out: bytearray, items: Sequence[DescribeConfigsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.results:
            _write_describe_configs_result_flexible(out, item.results, version)
        out.append(0)


def _read_describe_configs_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsResult], int]:
    if position + count * 7 > len(data):
        raise count_fault("DescribeConfigsResult", count)
    items: list[DescribeConfigsResult] = []
    error_message: str | None
    resource_name: str
    configs: list[DescribeConfigsResourceResult]
    for _ in range(count):
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
        resource_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeConfigsResult.resource_name")
        end = position + n - 1
        resource_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeConfigsResult.configs")
        configs, position = _read_describe_configs_resource_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeConfigsResult(error_code, error_message, resource_type, resource_name, configs)
        )
    return items, position


def _write_describe_configs_result_flexible(
    out: bytearray, items: Sequence[DescribeConfigsResult], version: int
) -> None:
    for item in items:
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
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.configs) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.configs:
            _write_describe_configs_resource_result_flexible(out, item.configs, version)
        out.append(0)


def _read_describe_configs_resource_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsResourceResult], int]:
    if position + count * 9 > len(data):
        raise count_fault("DescribeConfigsResourceResult", count)
    items: list[DescribeConfigsResourceResult] = []
    name: str
    value: str | None
    synonyms: list[DescribeConfigsSynonym]
    documentation: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeConfigsResourceResult.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            value = None
        else:
            end = position + n - 1
            value = str(data[position:end], "utf-8")
            position = end
        read_only, config_source, is_sensitive, n = _unpack_oboc(data, position)
        position += 4
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeConfigsResourceResult.synonyms")
        synonyms, position = _read_describe_configs_synonym_flexible(data, position, n - 1, version)
        config_type, n = _unpack_bc(data, position)
        position += 2
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            documentation = None
        else:
            end = position + n - 1
            documentation = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeConfigsResourceResult(
                name,
                value,
                read_only,
                config_source,
                is_sensitive,
                synonyms,
                config_type,
                documentation,
            )
        )
    return items, position


def _write_describe_configs_resource_result_flexible(
    out: bytearray, items: Sequence[DescribeConfigsResourceResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_value = item.value
        if values_value is None:
            out.append(0)
        else:
            raw = values_value.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_obo(item.read_only, item.config_source, item.is_sensitive)
        n = len(item.synonyms) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.synonyms:
            _write_describe_configs_synonym_flexible(out, item.synonyms, version)
        out += _pack_b(item.config_type)
        values_documentation = item.documentation
        if values_documentation is None:
            out.append(0)
        else:
            raw = values_documentation.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_describe_configs_synonym_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsSynonym], int]:
    if position + count * 4 > len(data):
        raise count_fault("DescribeConfigsSynonym", count)
    items: list[DescribeConfigsSynonym] = []
    name: str
    value: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeConfigsSynonym.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            value = None
        else:
            end = position + n - 1
            value = str(data[position:end], "utf-8")
            position = end
        source, tags = _unpack_bc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeConfigsSynonym(name, value, source))
    return items, position


def _write_describe_configs_synonym_flexible(
    out: bytearray, items: Sequence[DescribeConfigsSynonym], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_value = item.value
        if values_value is None:
            out.append(0)
        else:
            raw = values_value.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_bx(item.source)


def _read_describe_configs_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsResponse], int]:
    items: list[DescribeConfigsResponse] = []
    results: list[DescribeConfigsResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("DescribeConfigsResponse.results")
        results, position = _read_describe_configs_result_classic(data, position, n, version)
        items.append(DescribeConfigsResponse(throttle_time_ms, results))
    return items, position


def _write_describe_configs_response_classic(
    out: bytearray, items: Sequence[DescribeConfigsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.results))
        if item.results:
            _write_describe_configs_result_classic(out, item.results, version)


def _read_describe_configs_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsResult], int]:
    if position + count * 11 > len(data):
        raise count_fault("DescribeConfigsResult", count)
    items: list[DescribeConfigsResult] = []
    error_message: str | None
    resource_name: str
    configs: list[DescribeConfigsResourceResult]
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        resource_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("DescribeConfigsResult.resource_name")
        end = position + n
        resource_name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribeConfigsResult.configs")
        configs, position = _read_describe_configs_resource_result_classic(
            data, position, n, version
        )
        items.append(
            DescribeConfigsResult(error_code, error_message, resource_type, resource_name, configs)
        )
    return items, position


def _write_describe_configs_result_classic(
    out: bytearray, items: Sequence[DescribeConfigsResult], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.configs))
        if item.configs:
            _write_describe_configs_resource_result_classic(out, item.configs, version)


def _read_describe_configs_resource_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsResourceResult], int]:
    if position + count * 11 > len(data):
        raise count_fault("DescribeConfigsResourceResult", count)
    items: list[DescribeConfigsResourceResult] = []
    name: str
    value: str | None
    synonyms: list[DescribeConfigsSynonym]
    documentation: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribeConfigsResourceResult.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            value = None
        else:
            end = position + n
            value = str(data[position:end], "utf-8")
            position = end
        read_only, config_source, is_sensitive, n = _unpack_oboi(data, position)
        position += 7
        if n < 0:
            raise null_fault("DescribeConfigsResourceResult.synonyms")
        synonyms, position = _read_describe_configs_synonym_classic(data, position, n, version)
        if version >= 3:
            config_type, n = _unpack_bh(data, position)
            position += 3
        else:
            config_type = 0
        if version >= 3:
            if n < 0:
                documentation = None
            else:
                end = position + n
                documentation = str(data[position:end], "utf-8")
                position = end
        else:
            documentation = ""
        items.append(
            DescribeConfigsResourceResult(
                name,
                value,
                read_only,
                config_source,
                is_sensitive,
                synonyms,
                config_type,
                documentation,
            )
        )
    return items, position


def _write_describe_configs_resource_result_classic(
    out: bytearray, items: Sequence[DescribeConfigsResourceResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        values_value = item.value
        if values_value is None:
            out += b"\xff\xff"
        else:
            raw = values_value.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_obo(item.read_only, item.config_source, item.is_sensitive)
        out += _pack_i(len(item.synonyms))
        if item.synonyms:
            _write_describe_configs_synonym_classic(out, item.synonyms, version)
        if version >= 3:
            out += _pack_b(item.config_type)
        if version >= 3:
            values_documentation = item.documentation
            if values_documentation is None:
                out += b"\xff\xff"
            else:
                raw = values_documentation.encode()
                out += _pack_h(len(raw))
                out += raw


def _read_describe_configs_synonym_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsSynonym], int]:
    if position + count * 5 > len(data):
        raise count_fault("DescribeConfigsSynonym", count)
    items: list[DescribeConfigsSynonym] = []
    name: str
    value: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribeConfigsSynonym.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            value = None
        else:
            end = position + n
            value = str(data[position:end], "utf-8")
            position = end
        (source,) = _unpack_b(data, position)
        position += 1
        items.append(DescribeConfigsSynonym(name, value, source))
    return items, position


def _write_describe_configs_synonym_classic(
    out: bytearray, items: Sequence[DescribeConfigsSynonym], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        values_value = item.value
        if values_value is None:
            out += b"\xff\xff"
        else:
            raw = values_value.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_b(item.source)
