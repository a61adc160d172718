"""DeleteAclsRequest, versions 1–3 (flexible from 2).

Generated from delete_acls.schema by ottla.protocol.generator; do not edit.
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
_pack_bb = struct.Struct(">bb").pack
_pack_bbx = struct.Struct(">bbx").pack
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_bb = struct.Struct(">bb").unpack_from
_unpack_bbc = struct.Struct(">bbB").unpack_from
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bh = struct.Struct(">bh").unpack_from
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class DeleteAclsFilter:
    resource_type_filter: int = 0
    resource_name_filter: str | None = ""
    pattern_type_filter: int = 3
    principal_filter: str | None = ""
    host_filter: str | None = ""
    operation: int = 0
    permission_type: int = 0


@dataclass(slots=True)
class DeleteAclsRequest(Message):
    filters: list[DeleteAclsFilter] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteAclsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[DeleteAclsRequest, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_delete_acls_request_flexible(data, offset, 1, version)
            elif version == 1:
                (message,), end = _read_delete_acls_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("DeleteAclsRequest", version)
        except MALFORMED as error:
            raise malformed("DeleteAclsRequest", version, error) from error
        if end > len(data):
            raise malformed("DeleteAclsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_delete_acls_request_flexible(out, (self,), version)
        elif version == 1:
            _write_delete_acls_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DeleteAclsRequest has no version {version}")


def _read_delete_acls_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsRequest], int]:
    items: list[DeleteAclsRequest] = []
    filters: list[DeleteAclsFilter]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteAclsRequest.filters")
        filters, position = _read_delete_acls_filter_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteAclsRequest(filters))
    return items, position


def _write_delete_acls_request_flexible(
    out: bytearray, items: Sequence[DeleteAclsRequest], version: int
) -> None:
    for item in items:
        n = len(item.filters) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.filters:
            _write_delete_acls_filter_flexible(out, item.filters, version)
        out.append(0)


def _read_delete_acls_filter_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsFilter], int]:
    if position + count * 8 > len(data):
        raise count_fault("DeleteAclsFilter", count)
    items: list[DeleteAclsFilter] = []
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
            DeleteAclsFilter(
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


def _write_delete_acls_filter_flexible(
    out: bytearray, items: Sequence[DeleteAclsFilter], version: int
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


def _read_delete_acls_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsRequest], int]:
    items: list[DeleteAclsRequest] = []
    filters: list[DeleteAclsFilter]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DeleteAclsRequest.filters")
        filters, position = _read_delete_acls_filter_classic(data, position, n, version)
        items.append(DeleteAclsRequest(filters))
    return items, position


def _write_delete_acls_request_classic(
    out: bytearray, items: Sequence[DeleteAclsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.filters))
        if item.filters:
            _write_delete_acls_filter_classic(out, item.filters, version)


def _read_delete_acls_filter_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsFilter], int]:
    if position + count * 10 > len(data):
        raise count_fault("DeleteAclsFilter", count)
    items: list[DeleteAclsFilter] = []
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
            DeleteAclsFilter(
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


def _write_delete_acls_filter_classic(
    out: bytearray, items: Sequence[DeleteAclsFilter], version: int
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
