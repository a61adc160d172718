"""DescribeGroupsRequest, versions 0–6 (flexible from 5).

Generated from describe_groups.schema by ottla.protocol.generator; do not edit.
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
    long_length,
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

_pack_i = struct.Struct(">i").pack
_pack_o = struct.Struct(">?").pack
_pack_ox = struct.Struct(">?x").pack
_unpack_i = struct.Struct(">i").unpack_from
_unpack_o = struct.Struct(">?").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from


@dataclass(slots=True)
class DescribeGroupsRequest(Message):
    groups: list[str] = field(default_factory=list)
    include_authorized_operations: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 6
    FLEXIBLE_VERSION: ClassVar[int | None] = 5

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeGroupsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeGroupsRequest, int]:
        try:
            if 5 <= version <= 6:
                (message,), end = _read_describe_groups_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 4:
                (message,), end = _read_describe_groups_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("DescribeGroupsRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeGroupsRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeGroupsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 5 <= version <= 6:
            _write_describe_groups_request_flexible(out, (self,), version)
        elif 0 <= version <= 4:
            _write_describe_groups_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeGroupsRequest has no version {version}")


def _read_describe_groups_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeGroupsRequest], int]:
    items: list[DescribeGroupsRequest] = []
    groups: list[str]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeGroupsRequest.groups")
        groups, position = read_compact_string_array(data, position, n - 1)
        include_authorized_operations, tags = _unpack_oc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeGroupsRequest(groups, include_authorized_operations))
    return items, position


def _write_describe_groups_request_flexible(
    out: bytearray, items: Sequence[DescribeGroupsRequest], version: int
) -> None:
    for item in items:
        n = len(item.groups) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.groups:
            write_compact_string_array(out, item.groups)
        out += _pack_ox(item.include_authorized_operations)


def _read_describe_groups_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeGroupsRequest], int]:
    items: list[DescribeGroupsRequest] = []
    groups: list[str]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribeGroupsRequest.groups")
        groups, position = read_string_array(data, position, n)
        if version >= 3:
            (include_authorized_operations,) = _unpack_o(data, position)
            position += 1
        else:
            include_authorized_operations = False
        items.append(DescribeGroupsRequest(groups, include_authorized_operations))
    return items, position


def _write_describe_groups_request_classic(
    out: bytearray, items: Sequence[DescribeGroupsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.groups))
        if item.groups:
            write_string_array(out, item.groups)
        if version >= 3:
            out += _pack_o(item.include_authorized_operations)
        else:
            if item.include_authorized_operations:
                raise absent_fault("DescribeGroupsRequest.include_authorized_operations", version)
