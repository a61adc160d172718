"""DescribeAclsRequest, versions 1–3 (flexible from 2).

Generated from describe_acls.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_b = struct.Struct(">b").pack
_pack_bb = struct.Struct(">bb").pack
_pack_bbx = struct.Struct(">bbx").pack
_pack_h = struct.Struct(">h").pack
_unpack_bb = struct.Struct(">bb").unpack_from
_unpack_bbc = struct.Struct(">bbB").unpack_from
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bh = struct.Struct(">bh").unpack_from
_unpack_h = struct.Struct(">h").unpack_from


@dataclass(slots=True)
class DescribeAclsRequest(Message):
    resource_type_filter: int = 0
    resource_name_filter: str | None = ""
    pattern_type_filter: int = 3
    principal_filter: str | None = ""
    host_filter: str | None = ""
    operation: int = 0
    permission_type: int = 0

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeAclsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeAclsRequest, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_describe_acls_request_flexible(data, offset, 1, version)
            elif version == 1:
                (message,), end = _read_describe_acls_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("DescribeAclsRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeAclsRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeAclsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_describe_acls_request_flexible(out, (self,), version)
        elif version == 1:
            _write_describe_acls_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeAclsRequest has no version {version}")


def _read_describe_acls_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeAclsRequest], int]:
    items: list[DescribeAclsRequest] = []
    resource_name_filter: str | None
    principal_filter: str | None
    host_filter: str | None
    for _ in range(count):
        resource_type_filter, n = _unpack_bc(data, position)
        position += 2
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            resource_name_filter = None
        else:
            end = position + n - 1
            resource_name_filter = str(data[position:end], "utf-8")
            position = end
        pattern_type_filter, n = _unpack_bc(data, position)
        position += 2
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            principal_filter = None
        else:
            end = position + n - 1
            principal_filter = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            host_filter = None
        else:
            end = position + n - 1
            host_filter = str(data[position:end], "utf-8")
            position = end
        operation, permission_type, tags = _unpack_bbc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeAclsRequest(
                resource_type_filter,
                resource_name_filter,
                pattern_type_filter,
                principal_filter,
                host_filter,
                operation,
                permission_type,
            )
        )
    return items, position


def _write_describe_acls_request_flexible(
    out: bytearray, items: Sequence[DescribeAclsRequest], version: int
) -> None:
    for item in items:
        out += _pack_b(item.resource_type_filter)
        values_resource_name_filter = item.resource_name_filter
        if values_resource_name_filter is None:
            out.append(0)
        else:
            raw = values_resource_name_filter.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_b(item.pattern_type_filter)
        values_principal_filter = item.principal_filter
        if values_principal_filter is None:
            out.append(0)
        else:
            raw = values_principal_filter.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        values_host_filter = item.host_filter
        if values_host_filter is None:
            out.append(0)
        else:
            raw = values_host_filter.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_bbx(item.operation, item.permission_type)


def _read_describe_acls_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeAclsRequest], int]:
    items: list[DescribeAclsRequest] = []
    resource_name_filter: str | None
    principal_filter: str | None
    host_filter: str | None
    for _ in range(count):
        resource_type_filter, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            resource_name_filter = None
        else:
            end = position + n
            resource_name_filter = str(data[position:end], "utf-8")
            position = end
        pattern_type_filter, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            principal_filter = None
        else:
            end = position + n
            principal_filter = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            host_filter = None
        else:
            end = position + n
            host_filter = str(data[position:end], "utf-8")
            position = end
        operation, permission_type = _unpack_bb(data, position)
        position += 2
        items.append(
            DescribeAclsRequest(
                resource_type_filter,
                resource_name_filter,
                pattern_type_filter,
                principal_filter,
                host_filter,
                operation,
                permission_type,
            )
        )
    return items, position


def _write_describe_acls_request_classic(
    out: bytearray, items: Sequence[DescribeAclsRequest], version: int
) -> None:
    for item in items:
        out += _pack_b(item.resource_type_filter)
        values_resource_name_filter = item.resource_name_filter
        if values_resource_name_filter is None:
            out += b"\xff\xff"
        else:
            raw = values_resource_name_filter.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_b(item.pattern_type_filter)
        values_principal_filter = item.principal_filter
        if values_principal_filter is None:
            out += b"\xff\xff"
        else:
            raw = values_principal_filter.encode()
            out += _pack_h(len(raw))
            out += raw
        values_host_filter = item.host_filter
        if values_host_filter is None:
            out += b"\xff\xff"
        else:
            raw = values_host_filter.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_bb(item.operation, item.permission_type)
