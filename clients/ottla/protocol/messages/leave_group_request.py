"""LeaveGroupRequest, versions 0–5 (flexible from 4).

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
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class MemberIdentity:
    member_id: str = ""
    group_instance_id: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class LeaveGroupRequest(Message):
    group_id: str = ""
    member_id: str = ""
    members: list[MemberIdentity] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> LeaveGroupRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[LeaveGroupRequest, int]:
        try:
            if 4 <= version <= 5:
                (message,), end = _read_leave_group_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 3:
                (message,), end = _read_leave_group_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("LeaveGroupRequest", version)
        except MALFORMED as error:
            raise malformed("LeaveGroupRequest", version, error) from error
        if end > len(data):
            raise malformed("LeaveGroupRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 4 <= version <= 5:
            _write_leave_group_request_flexible(out, (self,), version)
        elif 0 <= version <= 3:
            _write_leave_group_request_classic(out, (self,), version)
        else:
            raise ValueError(f"LeaveGroupRequest has no version {version}")


def _read_leave_group_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[LeaveGroupRequest], int]:
    items: list[LeaveGroupRequest] = []
    group_id: str
    members: list[MemberIdentity]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "LeaveGroupRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "LeaveGroupRequest.members")
        members, position = _read_member_identity_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(LeaveGroupRequest(group_id, "", members))
    return items, position


def _write_leave_group_request_flexible(
    out: bytearray, items: Sequence[LeaveGroupRequest], version: int
) -> None:
    for item in items:
        if item.member_id:
            raise absent_fault("LeaveGroupRequest.member_id", version)
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.members) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.members:
            _write_member_identity_flexible(out, item.members, version)
        out.append(0)


def _read_member_identity_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MemberIdentity], int]:
    if position + count * 3 > len(data):
        raise count_fault("MemberIdentity", count)
    items: list[MemberIdentity] = []
    member_id: str
    group_instance_id: str | None
    reason: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MemberIdentity.member_id")
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
        if version >= 5:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                reason = None
            else:
                end = position + n - 1
                reason = str(data[position:end], "utf-8")
                position = end
        else:
            reason = None
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(MemberIdentity(member_id, group_instance_id, reason))
    return items, position


def _write_member_identity_flexible(
    out: bytearray, items: Sequence[MemberIdentity], version: int
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
        if version >= 5:
            values_reason = item.reason
            if values_reason is None:
                out.append(0)
            else:
                raw = values_reason.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        out.append(0)


def _read_leave_group_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[LeaveGroupRequest], int]:
    items: list[LeaveGroupRequest] = []
    group_id: str
    member_id: str
    members: list[MemberIdentity]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("LeaveGroupRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        if version <= 2:
            (n,) = _unpack_h(data, position)
            position += 2
            if n < 0:
                raise null_fault("LeaveGroupRequest.member_id")
            end = position + n
            member_id = str(data[position:end], "utf-8")
            position = end
        else:
            member_id = ""
        if version >= 3:
            (n,) = _unpack_i(data, position)
            position += 4
            if n < 0:
                raise null_fault("LeaveGroupRequest.members")
            members, position = _read_member_identity_classic(data, position, n, version)
        else:
            members = []
        items.append(LeaveGroupRequest(group_id, member_id, members))
    return items, position


def _write_leave_group_request_classic(
    out: bytearray, items: Sequence[LeaveGroupRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        if version <= 2:
            raw = item.member_id.encode()
            out += _pack_h(len(raw))
            out += raw
        elif item.member_id:
            raise absent_fault("LeaveGroupRequest.member_id", version)
        if version >= 3:
            out += _pack_i(len(item.members))
            if item.members:
                _write_member_identity_classic(out, item.members, version)
        elif item.members:
            raise absent_fault("LeaveGroupRequest.members", version)


def _read_member_identity_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MemberIdentity], int]:
    if position + count * 4 > len(data):
        raise count_fault("MemberIdentity", count)
    items: list[MemberIdentity] = []
    member_id: str
    group_instance_id: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("MemberIdentity.member_id")
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
        items.append(MemberIdentity(member_id, group_instance_id, None))
    return items, position


def _write_member_identity_classic(
    out: bytearray, items: Sequence[MemberIdentity], version: int
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
