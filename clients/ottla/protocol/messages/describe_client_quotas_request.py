"""DescribeClientQuotasRequest, versions 0–1 (flexible from 1).

Generated from describe_client_quotas.schema by ottla.protocol.generator; do not edit.
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
class ComponentData:
    entity_type: str = ""
    match_type: int = 0
    match: str | None = ""


@dataclass(slots=True)
class DescribeClientQuotasRequest(Message):
    components: list[ComponentData] = field(default_factory=list)
    strict: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeClientQuotasRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeClientQuotasRequest, int]:
        try:
            if version == 1:
                (message,), end = _read_describe_client_quotas_request_flexible(
                    data, offset, 1, version
                )
            elif version == 0:
                (message,), end = _read_describe_client_quotas_request_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeClientQuotasRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeClientQuotasRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeClientQuotasRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_describe_client_quotas_request_flexible(out, (self,), version)
        elif version == 0:
            _write_describe_client_quotas_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeClientQuotasRequest has no version {version}")


def _read_describe_client_quotas_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeClientQuotasRequest], int]:
    items: list[DescribeClientQuotasRequest] = []
    components: list[ComponentData]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeClientQuotasRequest.components")
        components, position = _read_component_data_flexible(data, position, n - 1, version)
        strict, tags = _unpack_oc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeClientQuotasRequest(components, strict))
    return items, position


def _write_describe_client_quotas_request_flexible(
    out: bytearray, items: Sequence[DescribeClientQuotasRequest], version: int
) -> None:
    for item in items:
        n = len(item.components) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.components:
            _write_component_data_flexible(out, item.components, version)
        out += _pack_ox(item.strict)


def _read_component_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ComponentData], int]:
    if position + count * 4 > len(data):
        raise count_fault("ComponentData", count)
    items: list[ComponentData] = []
    entity_type: str
    match: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ComponentData.entity_type")
        end = position + n - 1
        entity_type = str(data[position:end], "utf-8")
        position = end
        match_type, n = _unpack_bc(data, position)
        position += 2
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            match = None
        else:
            end = position + n - 1
            match = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ComponentData(entity_type, match_type, match))
    return items, position


def _write_component_data_flexible(
    out: bytearray, items: Sequence[ComponentData], version: int
) -> None:
    for item in items:
        raw = item.entity_type.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_b(item.match_type)
        values_match = item.match
        if values_match is None:
            out.append(0)
        else:
            raw = values_match.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_describe_client_quotas_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeClientQuotasRequest], int]:
    items: list[DescribeClientQuotasRequest] = []
    components: list[ComponentData]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribeClientQuotasRequest.components")
        components, position = _read_component_data_classic(data, position, n, version)
        (strict,) = _unpack_o(data, position)
        position += 1
        items.append(DescribeClientQuotasRequest(components, strict))
    return items, position


def _write_describe_client_quotas_request_classic(
    out: bytearray, items: Sequence[DescribeClientQuotasRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.components))
        if item.components:
            _write_component_data_classic(out, item.components, version)
        out += _pack_o(item.strict)


def _read_component_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ComponentData], int]:
    if position + count * 5 > len(data):
        raise count_fault("ComponentData", count)
    items: list[ComponentData] = []
    entity_type: str
    match: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ComponentData.entity_type")
        end = position + n
        entity_type = str(data[position:end], "utf-8")
        position = end
        match_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            match = None
        else:
            end = position + n
            match = str(data[position:end], "utf-8")
            position = end
        items.append(ComponentData(entity_type, match_type, match))
    return items, position


def _write_component_data_classic(
    out: bytearray, items: Sequence[ComponentData], version: int
) -> None:
    for item in items:
        raw = item.entity_type.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_b(item.match_type)
        values_match = item.match
        if values_match is None:
            out += b"\xff\xff"
        else:
            raw = values_match.encode()
            out += _pack_h(len(raw))
            out += raw
