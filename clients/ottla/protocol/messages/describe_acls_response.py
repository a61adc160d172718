"""DescribeAclsResponse, versions 1–3 (flexible from 2).

Generated from describe_acls.schema by ottla.protocol.generator; do not edit.
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
_pack_ih = struct.Struct(">ih").pack
_unpack_bb = struct.Struct(">bb").unpack_from
_unpack_bbc = struct.Struct(">bbB").unpack_from
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bh = struct.Struct(">bh").unpack_from
_unpack_bi = struct.Struct(">bi").unpack_from
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihh = struct.Struct(">ihh").unpack_from


@dataclass(slots=True)
class AclDescription:
    principal: str = ""
    host: str = ""
    operation: int = 0
    permission_type: int = 0


@dataclass(slots=True)
class DescribeAclsResource:
    resource_type: int = 0
    resource_name: str = ""
    pattern_type: int = 3
    acls: list[AclDescription] = field(default_factory=list)


@dataclass(slots=True)
class DescribeAclsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = ""
    resources: list[DescribeAclsResource] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeAclsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeAclsResponse, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_describe_acls_response_flexible(data, offset, 1, version)
            elif version == 1:
                (message,), end = _read_describe_acls_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("DescribeAclsResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeAclsResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeAclsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_describe_acls_response_flexible(out, (self,), version)
        elif version == 1:
            _write_describe_acls_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeAclsResponse has no version {version}")


def _read_describe_acls_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeAclsResponse], int]:
    items: list[DescribeAclsResponse] = []
    error_message: str | None
    resources: list[DescribeAclsResource]
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
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeAclsResponse.resources")
        resources, position = _read_describe_acls_resource_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeAclsResponse(throttle_time_ms, error_code, error_message, resources))
    return items, position


def _write_describe_acls_response_flexible(
    out: bytearray, items: Sequence[DescribeAclsResponse], version: int
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
        n = len(item.resources) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.resources:
            _write_describe_acls_resource_flexible(out, item.resources, version)
        out.append(0)


def _read_describe_acls_resource_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeAclsResource], int]:
    if position + count * 5 > len(data):
        raise count_fault("DescribeAclsResource", count)
    items: list[DescribeAclsResource] = []
    resource_name: str
    acls: list[AclDescription]
    for _ in range(count):
        resource_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeAclsResource.resource_name")
        end = position + n - 1
        resource_name = str(data[position:end], "utf-8")
        position = end
        pattern_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeAclsResource.acls")
        acls, position = _read_acl_description_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeAclsResource(resource_type, resource_name, pattern_type, acls))
    return items, position


def _write_describe_acls_resource_flexible(
    out: bytearray, items: Sequence[DescribeAclsResource], version: int
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
        out += _pack_b(item.pattern_type)
        n = len(item.acls) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.acls:
            _write_acl_description_flexible(out, item.acls, version)
        out.append(0)


def _read_acl_description_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AclDescription], int]:
    if position + count * 5 > len(data):
        raise count_fault("AclDescription", count)
    items: list[AclDescription] = []
    principal: str
    host: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AclDescription.principal")
        end = position + n - 1
        principal = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AclDescription.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        operation, permission_type, tags = _unpack_bbc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AclDescription(principal, host, operation, permission_type))
    return items, position


def _write_acl_description_flexible(
    out: bytearray, items: Sequence[AclDescription], version: int
) -> None:
    for item in items:
        raw = item.principal.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_bbx(item.operation, item.permission_type)


def _read_describe_acls_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeAclsResponse], int]:
    items: list[DescribeAclsResponse] = []
    error_message: str | None
    resources: list[DescribeAclsResource]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihh(data, position)
        position += 8
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribeAclsResponse.resources")
        resources, position = _read_describe_acls_resource_classic(data, position, n, version)
        items.append(DescribeAclsResponse(throttle_time_ms, error_code, error_message, resources))
    return items, position


def _write_describe_acls_response_classic(
    out: bytearray, items: Sequence[DescribeAclsResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_i(len(item.resources))
        if item.resources:
            _write_describe_acls_resource_classic(out, item.resources, version)


def _read_describe_acls_resource_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeAclsResource], int]:
    if position + count * 8 > len(data):
        raise count_fault("DescribeAclsResource", count)
    items: list[DescribeAclsResource] = []
    resource_name: str
    acls: list[AclDescription]
    for _ in range(count):
        resource_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("DescribeAclsResource.resource_name")
        end = position + n
        resource_name = str(data[position:end], "utf-8")
        position = end
        pattern_type, n = _unpack_bi(data, position)
        position += 5
        if n < 0:
            raise null_fault("DescribeAclsResource.acls")
        acls, position = _read_acl_description_classic(data, position, n, version)
        items.append(DescribeAclsResource(resource_type, resource_name, pattern_type, acls))
    return items, position


def _write_describe_acls_resource_classic(
    out: bytearray, items: Sequence[DescribeAclsResource], version: int
) -> None:
    for item in items:
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_b(item.pattern_type)
        out += _pack_i(len(item.acls))
        if item.acls:
            _write_acl_description_classic(out, item.acls, version)


def _read_acl_description_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AclDescription], int]:
    if position + count * 6 > len(data):
        raise count_fault("AclDescription", count)
    items: list[AclDescription] = []
    principal: str
    host: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AclDescription.principal")
        end = position + n
        principal = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AclDescription.host")
        end = position + n
        host = str(data[position:end], "utf-8")
        position = end
        operation, permission_type = _unpack_bb(data, position)
        position += 2
        items.append(AclDescription(principal, host, operation, permission_type))
    return items, position


def _write_acl_description_classic(
    out: bytearray, items: Sequence[AclDescription], version: int
) -> None:
    for item in items:
        raw = item.principal.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.host.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_bb(item.operation, item.permission_type)
