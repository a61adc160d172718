"""ListGroupsResponse, versions 0–5 (flexible from 3).

Generated from list_groups.schema by ottla.protocol.generator; do not edit.
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

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hi = struct.Struct(">hi").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihi = struct.Struct(">ihi").unpack_from


@dataclass(slots=True)
class ListedGroup:
    group_id: str = ""
    protocol_type: str = ""
    group_state: str = ""
    group_type: str = ""


@dataclass(slots=True)
class ListGroupsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    groups: list[ListedGroup] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ListGroupsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ListGroupsResponse, int]:
        try:
            if 3 <= version <= 5:
                (message,), end = _read_list_groups_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_list_groups_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("ListGroupsResponse", version)
        except MALFORMED as error:
            raise malformed("ListGroupsResponse", version, error) from error
        if end > len(data):
            raise malformed("ListGroupsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 5:
            _write_list_groups_response_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_list_groups_response_classic(out, (self,), version)
        else:
            raise ValueError(f"ListGroupsResponse has no version {version}")


def _read_list_groups_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListGroupsResponse], int]:
    items: list[ListGroupsResponse] = []
    groups: list[ListedGroup]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListGroupsResponse.groups")
        groups, position = _read_listed_group_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListGroupsResponse(throttle_time_ms, error_code, groups))
    return items, position


def _write_list_groups_response_flexible(
    out: bytearray, items: Sequence[ListGroupsResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        n = len(item.groups) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.groups:
            _write_listed_group_flexible(out, item.groups, version)
        out.append(0)


def _read_listed_group_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListedGroup], int]:
    if position + count * 3 > len(data):
        raise count_fault("ListedGroup", count)
    items: list[ListedGroup] = []
    group_id: str
    protocol_type: str
    group_state: str
    group_type: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListedGroup.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListedGroup.protocol_type")
        end = position + n - 1
        protocol_type = str(data[position:end], "utf-8")
        position = end
        if version >= 4:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "ListedGroup.group_state")
            end = position + n - 1
            group_state = str(data[position:end], "utf-8")
            position = end
        else:
            group_state = ""
        if version >= 5:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "ListedGroup.group_type")
            end = position + n - 1
            group_type = str(data[position:end], "utf-8")
            position = end
        else:
            group_type = ""
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListedGroup(group_id, protocol_type, group_state, group_type))
    return items, position


def _write_listed_group_flexible(
    out: bytearray, items: Sequence[ListedGroup], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.protocol_type.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        if version >= 4:
            raw = item.group_state.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 5:
            raw = item.group_type.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_list_groups_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListGroupsResponse], int]:
    items: list[ListGroupsResponse] = []
    groups: list[ListedGroup]
    for _ in range(count):
        if version >= 1:
            throttle_time_ms, error_code, n = _unpack_ihi(data, position)
            position += 10
        else:
            error_code, n = _unpack_hi(data, position)
            position += 6
            throttle_time_ms = 0
        if n < 0:
            raise null_fault("ListGroupsResponse.groups")
        groups, position = _read_listed_group_classic(data, position, n, version)
        items.append(ListGroupsResponse(throttle_time_ms, error_code, groups))
    return items, position


def _write_list_groups_response_classic(
    out: bytearray, items: Sequence[ListGroupsResponse], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        else:
            out += _pack_h(item.error_code)
        out += _pack_i(len(item.groups))
        if item.groups:
            _write_listed_group_classic(out, item.groups, version)


def _read_listed_group_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListedGroup], int]:
    if position + count * 4 > len(data):
        raise count_fault("ListedGroup", count)
    items: list[ListedGroup] = []
    group_id: str
    protocol_type: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ListedGroup.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ListedGroup.protocol_type")
        end = position + n
        protocol_type = str(data[position:end], "utf-8")
        position = end
        items.append(ListedGroup(group_id, protocol_type, "", ""))
    return items, position


def _write_listed_group_classic(out: bytearray, items: Sequence[ListedGroup], version: int) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.protocol_type.encode()
        out += _pack_h(len(raw))
        out += raw
