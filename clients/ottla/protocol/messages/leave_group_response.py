"""LeaveGroupResponse, versions 0–5 (flexible from 4).

Generated from leave_group.schema by ottla.protocol.generator; do not edit.
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
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_hx = struct.Struct(">hx").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihi = struct.Struct(">ihi").unpack_from


@dataclass(slots=True)
class MemberResponse:
    member_id: str = ""
    group_instance_id: str | None = ""
    error_code: int = 0


@dataclass(slots=True)
class LeaveGroupResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    members: list[MemberResponse] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> LeaveGroupResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[LeaveGroupResponse, int]:
        try:
            if 4 <= version <= 5:
                (message,), end = _read_leave_group_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 3:
                (message,), end = _read_leave_group_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("LeaveGroupResponse", version)
        except MALFORMED as error:
            raise malformed("LeaveGroupResponse", version, error) from error
        if end > len(data):
            raise malformed("LeaveGroupResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 4 <= version <= 5:
            _write_leave_group_response_flexible(out, (self,), version)
        elif 0 <= version <= 3:
            _write_leave_group_response_classic(out, (self,), version)
        else:
            raise ValueError(f"LeaveGroupResponse has no version {version}")


def _read_leave_group_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[LeaveGroupResponse], int]:
    items: list[LeaveGroupResponse] = []
    members: list[MemberResponse]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "LeaveGroupResponse.members")
        members, position = _read_member_response_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(LeaveGroupResponse(throttle_time_ms, error_code, members))
    return items, position


def _write_leave_group_response_flexible(
    out: bytearray, items: Sequence[LeaveGroupResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        n = len(item.members) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.members:
            _write_member_response_flexible(out, item.members, version)
        out.append(0)


def _read_member_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MemberResponse], int]:
    if position + count * 5 > len(data):
        raise count_fault("MemberResponse", count)
    items: list[MemberResponse] = []
    member_id: str
    group_instance_id: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MemberResponse.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            group_instance_id = None
        else:
            end = position + n - 1
            group_instance_id = str(data[position:end], "utf-8")
            position = end
        error_code, tags = _unpack_hc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(MemberResponse(member_id, group_instance_id, error_code))
    return items, position


def _write_member_response_flexible(
    out: bytearray, items: Sequence[MemberResponse], version: int
) -> None:
    for item in items:
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_group_instance_id = item.group_instance_id
        if values_group_instance_id is None:
            out.append(0)
        else:
            raw = values_group_instance_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_hx(item.error_code)


def _read_leave_group_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[LeaveGroupResponse], int]:
    items: list[LeaveGroupResponse] = []
    members: list[MemberResponse]
    for _ in range(count):
        if version >= 3:
            throttle_time_ms, error_code, n = _unpack_ihi(data, position)
            position += 10
        elif version >= 1:
            throttle_time_ms, error_code = _unpack_ih(data, position)
            position += 6
        else:
            (error_code,) = _unpack_h(data, position)
            position += 2
            throttle_time_ms = 0
        if version >= 3:
            if n < 0:
                raise null_fault("LeaveGroupResponse.members")
            members, position = _read_member_response_classic(data, position, n, version)
        else:
            members = []
        items.append(LeaveGroupResponse(throttle_time_ms, error_code, members))
    return items, position


def _write_leave_group_response_classic(
    out: bytearray, items: Sequence[LeaveGroupResponse], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        else:
            out += _pack_h(item.error_code)
        if version >= 3:
            out += _pack_i(len(item.members))
            if item.members:
                _write_member_response_classic(out, item.members, version)
        elif item.members:
            raise absent_fault("LeaveGroupResponse.members", version)


def _read_member_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MemberResponse], int]:
    if position + count * 6 > len(data):
        raise count_fault("MemberResponse", count)
    items: list[MemberResponse] = []
    member_id: str
    group_instance_id: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("MemberResponse.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            group_instance_id = None
        else:
            end = position + n
            group_instance_id = str(data[position:end], "utf-8")
            position = end
        (error_code,) = _unpack_h(data, position)
        position += 2
        items.append(MemberResponse(member_id, group_instance_id, error_code))
    return items, position


def _write_member_response_classic(
    out: bytearray, items: Sequence[MemberResponse], version: int
) -> None:
    for item in items:
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
        values_group_instance_id = item.group_instance_id
        if values_group_instance_id is None:
            out += b"\xff\xff"
        else:
            raw = values_group_instance_id.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_h(item.error_code)
