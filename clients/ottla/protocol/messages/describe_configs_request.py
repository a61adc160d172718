"""DescribeConfigsRequest, versions 1–4 (flexible from 4).

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
    absent_fault,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    read_compact_string_array,
    read_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_string_array,
    write_uvarint,
)

_pack_b = struct.Struct(">b").pack
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_o = struct.Struct(">?").pack
_pack_oo = struct.Struct(">??").pack
_pack_oox = struct.Struct(">??x").pack
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bh = struct.Struct(">bh").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_o = struct.Struct(">?").unpack_from
_unpack_oo = struct.Struct(">??").unpack_from
_unpack_ooc = struct.Struct(">??B").unpack_from


@dataclass(slots=True)
class DescribeConfigsResource:
    resource_type: int = 0
    resource_name: str = ""
    configuration_keys: list[str] | None = field(default_factory=list)


@dataclass(slots=True)
class DescribeConfigsRequest(Message):
    resources: list[DescribeConfigsResource] = field(default_factory=list)
    include_synonyms: bool = False
    include_documentation: bool = False

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeConfigsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeConfigsRequest, int]:
        try:
            if version == 4:
                (message,), end = _read_describe_configs_request_flexible(data, offset, 1, version)
            elif 1 <= version <= 3:
                (message,), end = _read_describe_configs_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("DescribeConfigsRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeConfigsRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeConfigsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 4:
            _write_describe_configs_request_flexible(out, (self,), version)
        elif 1 <= version <= 3:
            _write_describe_configs_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeConfigsRequest has no version {version}")


def _read_describe_configs_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsRequest], int]:
    items: list[DescribeConfigsRequest] = []
    resources: list[DescribeConfigsResource]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeConfigsRequest.resources")
        resources, position = _read_describe_configs_resource_flexible(
            data, position, n - 1, version
        )
        include_synonyms, include_documentation, tags = _unpack_ooc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeConfigsRequest(resources, include_synonyms, include_documentation))
    return items, position


def _write_describe_configs_request_flexible(
    out: bytearray, items: Sequence[DescribeConfigsRequest], version: int
) -> None:
    for item in items:
        n = len(item.resources) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.resources:
            _write_describe_configs_resource_flexible(out, item.resources, version)
        out += _pack_oox(item.include_synonyms, item.include_documentation)


def _read_describe_configs_resource_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsResource], int]:
    if position + count * 4 > len(data):
        raise count_fault("DescribeConfigsResource", count)
    items: list[DescribeConfigsResource] = []
    resource_name: str
    configuration_keys: list[str] | None
    for _ in range(count):
        resource_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeConfigsResource.resource_name")
        end = position + n - 1
        resource_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            configuration_keys = None
        else:
            configuration_keys, position = read_compact_string_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeConfigsResource(resource_type, resource_name, configuration_keys))
    return items, position


def _write_describe_configs_resource_flexible(
    out: bytearray, items: Sequence[DescribeConfigsResource], version: int
) -> None:
    for item in items:
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_configuration_keys = item.configuration_keys
        if values_configuration_keys is None:
            out.append(0)
        else:
            n = len(values_configuration_keys) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_configuration_keys:
                write_compact_string_array(out, values_configuration_keys)
        out.append(0)


def _read_describe_configs_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsRequest], int]:
    items: list[DescribeConfigsRequest] = []
    resources: list[DescribeConfigsResource]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribeConfigsRequest.resources")
        resources, position = _read_describe_configs_resource_classic(data, position, n, version)
        if version >= 3:
            include_synonyms, include_documentation = _unpack_oo(data, position)
            position += 2
        else:
            (include_synonyms,) = _unpack_o(data, position)
            position += 1
            include_documentation = False
        items.append(DescribeConfigsRequest(resources, include_synonyms, include_documentation))
    return items, position


def _write_describe_configs_request_classic(
    out: bytearray, items: Sequence[DescribeConfigsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.resources))
        if item.resources:
            _write_describe_configs_resource_classic(out, item.resources, version)
        if version >= 3:
            out += _pack_oo(item.include_synonyms, item.include_documentation)
        else:
            if item.include_documentation:
                raise absent_fault("DescribeConfigsRequest.include_documentation", version)
            out += _pack_o(item.include_synonyms)


def _read_describe_configs_resource_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeConfigsResource], int]:
    if position + count * 7 > len(data):
        raise count_fault("DescribeConfigsResource", count)
    items: list[DescribeConfigsResource] = []
    resource_name: str
    configuration_keys: list[str] | None
    for _ in range(count):
        resource_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("DescribeConfigsResource.resource_name")
        end = position + n
        resource_name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            configuration_keys = None
        else:
            configuration_keys, position = read_string_array(data, position, n)
        items.append(DescribeConfigsResource(resource_type, resource_name, configuration_keys))
    return items, position


def _write_describe_configs_resource_classic(
    out: bytearray, items: Sequence[DescribeConfigsResource], version: int
) -> None:
    for item in items:
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        out += _pack_h(len(raw))
        out += raw
        values_configuration_keys = item.configuration_keys
        if values_configuration_keys is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_configuration_keys))
            if values_configuration_keys:
                write_string_array(out, values_configuration_keys)
