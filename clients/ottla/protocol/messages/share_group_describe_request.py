"""ShareGroupDescribeRequest, versions 1 (flexible from 1).

Generated from share_group_describe.schema by ottla.protocol.generator; do not edit.
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
    read_compact_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_uvarint,
)

_pack_ox = struct.Struct(">?x").pack
_unpack_oc = struct.Struct(">?B").unpack_from


@dataclass(slots=True)
class ShareGroupDescribeRequest(Message):
    group_ids: list[str] = field(default_factory=list)
    include_authorized_operations: bool = False

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ShareGroupDescribeRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ShareGroupDescribeRequest, int]:
        try:
            if version == 1:
                (message,), end = _read_share_group_describe_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ShareGroupDescribeRequest", version)
        except MALFORMED as error:
            raise malformed("ShareGroupDescribeRequest", version, error) from error
        if end > len(data):
            raise malformed("ShareGroupDescribeRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_share_group_describe_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"ShareGroupDescribeRequest has no version {version}")


def _read_share_group_describe_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ShareGroupDescribeRequest], int]:
    items: list[ShareGroupDescribeRequest] = []
    group_ids: list[str]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareGroupDescribeRequest.group_ids")
        group_ids, position = read_compact_string_array(data, position, n - 1)
        include_authorized_operations, tags = _unpack_oc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ShareGroupDescribeRequest(group_ids, include_authorized_operations))
    return items, position


def _write_share_group_describe_request_flexible(
    out: bytearray, items: Sequence[ShareGroupDescribeRequest], version: int
) -> None:
    for item in items:
        n = len(item.group_ids) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.group_ids:
            write_compact_string_array(out, item.group_ids)
        out += _pack_ox(item.include_authorized_operations)
