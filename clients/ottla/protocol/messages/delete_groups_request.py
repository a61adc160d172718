"""DeleteGroupsRequest, versions 0–2 (flexible from 2).

Generated from delete_groups.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
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
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class DeleteGroupsRequest(Message):
    groups_names: list[str] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteGroupsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DeleteGroupsRequest, int]:
        try:
            if version == 2:
                (message,), end = _read_delete_groups_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_delete_groups_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("DeleteGroupsRequest", version)
        except MALFORMED as error:
            raise malformed("DeleteGroupsRequest", version, error) from error
        if end > len(data):
            raise malformed("DeleteGroupsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_delete_groups_request_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_delete_groups_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DeleteGroupsRequest has no version {version}")


def _read_delete_groups_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteGroupsRequest], int]:
    items: list[DeleteGroupsRequest] = []
    groups_names: list[str]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteGroupsRequest.groups_names")
        groups_names, position = read_compact_string_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteGroupsRequest(groups_names))
    return items, position


def _write_delete_groups_request_flexible(
    out: bytearray, items: Sequence[DeleteGroupsRequest], version: int
) -> None:
    for item in items:
        n = len(item.groups_names) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.groups_names:
            write_compact_string_array(out, item.groups_names)
        out.append(0)


def _read_delete_groups_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteGroupsRequest], int]:
    items: list[DeleteGroupsRequest] = []
    groups_names: list[str]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DeleteGroupsRequest.groups_names")
        groups_names, position = read_string_array(data, position, n)
        items.append(DeleteGroupsRequest(groups_names))
    return items, position


def _write_delete_groups_request_classic(
    out: bytearray, items: Sequence[DeleteGroupsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.groups_names))
        if item.groups_names:
            write_string_array(out, item.groups_names)
