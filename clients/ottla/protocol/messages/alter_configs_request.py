"""AlterConfigsRequest, versions 0–2 (flexible from 2).

Generated from alter_configs.schema by ottla.protocol.generator; do not edit.
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
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_o = struct.Struct(">?").pack
_pack_ox = struct.Struct(">?x").pack
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bh = struct.Struct(">bh").unpack_from
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_o = struct.Struct(">?").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from


@dataclass(slots=True)
class AlterableConfig:
    name: str = ""
    value: str | None = ""


@dataclass(slots=True)
class AlterConfigsResource:
    resource_type: int = 0
    resource_name: str = ""
    configs: list[AlterableConfig] = field(default_factory=list)


@dataclass(slots=True)
class AlterConfigsRequest(Message):
    resources: list[AlterConfigsResource] = field(default_factory=list)
    validate_only: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AlterConfigsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterConfigsRequest, int]:
        try:
            if version == 2:
                (message,), end = _read_alter_configs_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_alter_configs_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("AlterConfigsRequest", version)
        except MALFORMED as error:
            raise malformed("AlterConfigsRequest", version, error) from error
        if end > len(data):
            raise malformed("AlterConfigsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_alter_configs_request_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_alter_configs_request_classic(out, (self,), version)
        else:
            raise ValueError(f"AlterConfigsRequest has no version {version}")


def _read_alter_configs_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterConfigsRequest], int]:
    items: list[AlterConfigsRequest] = []
    resources: list[AlterConfigsResource]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterConfigsRequest.resources")
        resources, position = _read_alter_configs_resource_flexible(data, position, n - 1, version)
        validate_only, tags = _unpack_oc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterConfigsRequest(resources, validate_only))
    return items, position


def _write_alter_configs_request_flexible(
    out: bytearray, items: Sequence[AlterConfigsRequest], version: int
) -> None:
    for item in items:
        n = len(item.resources) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.resources:
            _write_alter_configs_resource_flexible(out, item.resources, version)
        out += _pack_ox(item.validate_only)


def _read_alter_configs_resource_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterConfigsResource], int]:
    if position + count * 4 > len(data):
        raise count_fault("AlterConfigsResource", count)
    items: list[AlterConfigsResource] = []
    resource_name: str
    configs: list[AlterableConfig]
    for _ in range(count):
        resource_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterConfigsResource.resource_name")
        end = position + n - 1
        resource_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterConfigsResource.configs")
        configs, position = _read_alterable_config_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterConfigsResource(resource_type, resource_name, configs))
    return items, position


def _write_alter_configs_resource_flexible(
    out: bytearray, items: Sequence[AlterConfigsResource], version: int
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
        n = len(item.configs) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.configs:
            _write_alterable_config_flexible(out, item.configs, version)
        out.append(0)


def _read_alterable_config_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterableConfig], int]:
    if position + count * 3 > len(data):
        raise count_fault("AlterableConfig", count)
    items: list[AlterableConfig] = []
    name: str
    value: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterableConfig.name")
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
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterableConfig(name, value))
    return items, position


def _write_alterable_config_flexible(
    out: bytearray, items: Sequence[AlterableConfig], version: int
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
        out.append(0)


def _read_alter_configs_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterConfigsRequest], int]:
    items: list[AlterConfigsRequest] = []
    resources: list[AlterConfigsResource]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AlterConfigsRequest.resources")
        resources, position = _read_alter_configs_resource_classic(data, position, n, version)
        (validate_only,) = _unpack_o(data, position)
        position += 1
        items.append(AlterConfigsRequest(resources, validate_only))
    return items, position


def _write_alter_configs_request_classic(
    out: bytearray, items: Sequence[AlterConfigsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.resources))
        if item.resources:
            _write_alter_configs_resource_classic(out, item.resources, version)
        out += _pack_o(item.validate_only)


def _read_alter_configs_resource_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterConfigsResource], int]:
    if position + count * 7 > len(data):
        raise count_fault("AlterConfigsResource", count)
    items: list[AlterConfigsResource] = []
    resource_name: str
    configs: list[AlterableConfig]
    for _ in range(count):
        resource_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("AlterConfigsResource.resource_name")
        end = position + n
        resource_name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AlterConfigsResource.configs")
        configs, position = _read_alterable_config_classic(data, position, n, version)
        items.append(AlterConfigsResource(resource_type, resource_name, configs))
    return items, position


def _write_alter_configs_resource_classic(
    out: bytearray, items: Sequence[AlterConfigsResource], version: int
) -> None:
    for item in items:
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.configs))
        if item.configs:
            _write_alterable_config_classic(out, item.configs, version)


def _read_alterable_config_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterableConfig], int]:
    if position + count * 4 > len(data):
        raise count_fault("AlterableConfig", count)
    items: list[AlterableConfig] = []
    name: str
    value: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AlterableConfig.name")
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
        items.append(AlterableConfig(name, value))
    return items, position


def _write_alterable_config_classic(
    out: bytearray, items: Sequence[AlterableConfig], version: int
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
