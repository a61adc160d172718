"""CreateAclsRequest, versions 1–3 (flexible from 2).

Generated from create_acls.schema by ottla.protocol.generator; do not edit.
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
class AclCreation:
    resource_type: int = 0
    resource_name: str = ""
    resource_pattern_type: int = 3
    principal: str = ""
    host: str = ""
    operation: int = 0
    permission_type: int = 0


@dataclass(slots=True)
class CreateAclsRequest(Message):
    creations: list[AclCreation] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> CreateAclsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[CreateAclsRequest, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_create_acls_request_flexible(data, offset, 1, version)
            elif version == 1:
                (message,), end = _read_create_acls_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("CreateAclsRequest", version)
        except MALFORMED as error:
            raise malformed("CreateAclsRequest", version, error) from error
        if end > len(data):
            raise malformed("CreateAclsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_create_acls_request_flexible(out, (self,), version)
        elif version == 1:
            _write_create_acls_request_classic(out, (self,), version)
        else:
            raise ValueError(f"CreateAclsRequest has no version {version}")


def _read_create_acls_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateAclsRequest], int]:
    items: list[CreateAclsRequest] = []
    creations: list[AclCreation]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreateAclsRequest.creations")
        creations, position = _read_acl_creation_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreateAclsRequest(creations))
    return items, position


def _write_create_acls_request_flexible(
    out: bytearray, items: Sequence[CreateAclsRequest], version: int
) -> None:
    for item in items:
        n = len(item.creations) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.creations:
            _write_acl_creation_flexible(out, item.creations, version)
        out.append(0)


def _read_acl_creation_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AclCreation], int]:
    if position + count * 8 > len(data):
        raise count_fault("AclCreation", count)
    items: list[AclCreation] = []
    resource_name: str
    principal: str
    host: str
    for _ in range(count):
        resource_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AclCreation.resource_name")
        end = position + n - 1
        resource_name = str(data[position:end], "utf-8")
        position = end
        resource_pattern_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AclCreation.principal")
        end = position + n - 1
        principal = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AclCreation.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        operation, permission_type, tags = _unpack_bbc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AclCreation(
                resource_type,
                resource_name,
                resource_pattern_type,
                principal,
                host,
                operation,
                permission_type,
            )
        )
    return items, position


def _write_acl_creation_flexible(
    out: bytearray, items: Sequence[AclCreation], version: int
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
        out += _pack_b(item.resource_pattern_type)
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


def _read_create_acls_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateAclsRequest], int]:
    items: list[CreateAclsRequest] = []
    creations: list[AclCreation]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("CreateAclsRequest.creations")
        creations, position = _read_acl_creation_classic(data, position, n, version)
        items.append(CreateAclsRequest(creations))
    return items, position


def _write_create_acls_request_classic(
    out: bytearray, items: Sequence[CreateAclsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.creations))
        if item.creations:
            _write_acl_creation_classic(out, item.creations, version)


def _read_acl_creation_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AclCreation], int]:
    if position + count * 10 > len(data):
        raise count_fault("AclCreation", count)
    items: list[AclCreation] = []
    resource_name: str
    principal: str
    host: str
    for _ in range(count):
        resource_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("AclCreation.resource_name")
        end = position + n
        resource_name = str(data[position:end], "utf-8")
        position = end
        resource_pattern_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("AclCreation.principal")
        end = position + n
        principal = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AclCreation.host")
        end = position + n
        host = str(data[position:end], "utf-8")
        position = end
        operation, permission_type = _unpack_bb(data, position)
        position += 2
        items.append(
            AclCreation(
                resource_type,
                resource_name,
                resource_pattern_type,
                principal,
                host,
                operation,
                permission_type,
            )
        )
    return items, position


def _write_acl_creation_classic(out: bytearray, items: Sequence[AclCreation], version: int) -> None:
    for item in items:
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_b(item.resource_pattern_type)
        raw = item.principal.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.host.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_bb(item.operation, item.permission_type)
