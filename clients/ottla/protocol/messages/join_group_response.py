"""JoinGroupResponse, versions 0–9 (flexible from 6).

Generated from join_group.schema by ottla.protocol.generator; do not edit.
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
    null_value_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_hi = struct.Struct(">hi").pack
_pack_i = struct.Struct(">i").pack
_pack_ihi = struct.Struct(">ihi").pack
_pack_o = struct.Struct(">?").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hih = struct.Struct(">hih").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ihi = struct.Struct(">ihi").unpack_from
_unpack_ihic = struct.Struct(">ihiB").unpack_from
_unpack_ihih = struct.Struct(">ihih").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from


@dataclass(slots=True)
class JoinGroupResponseMember:
    member_id: str = ""
    group_instance_id: str | None = None
    metadata: bytes = b""


@dataclass(slots=True)
class JoinGroupResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    generation_id: int = -1
    protocol_type: str | None = None
    protocol_name: str | None = ""
    leader: str = ""
    skip_assignment: bool = False
    member_id: str = ""
    members: list[JoinGroupResponseMember] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 9
    FLEXIBLE_VERSION: ClassVar[int | None] = 6

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> JoinGroupResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[JoinGroupResponse, int]:
        try:
            if 6 <= version <= 9:
                (message,), end = _read_join_group_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 5:
                (message,), end = _read_join_group_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("JoinGroupResponse", version)
        except MALFORMED as error:
            raise malformed("JoinGroupResponse", version, error) from error
        if end > len(data):
            raise malformed("JoinGroupResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 6 <= version <= 9:
            _write_join_group_response_flexible(out, (self,), version)
        elif 0 <= version <= 5:
            _write_join_group_response_classic(out, (self,), version)
        else:
            raise ValueError(f"JoinGroupResponse has no version {version}")


def _read_join_group_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[JoinGroupResponse], int]:
    items: list[JoinGroupResponse] = []
    protocol_type: str | None
    protocol_name: str | None
    leader: str
    member_id: str
    members: list[JoinGroupResponseMember]
    for _ in range(count):
        if version >= 7:
            throttle_time_ms, error_code, generation_id, n = _unpack_ihic(data, position)
            position += 11
        else:
            throttle_time_ms, error_code, generation_id = _unpack_ihi(data, position)
            position += 10
        if version >= 7:
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                protocol_type = None
            else:
                end = position + n - 1
                protocol_type = str(data[position:end], "utf-8")
                position = end
        else:
            protocol_type = None
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            if not (version >= 7):
                raise null_fault("JoinGroupResponse.protocol_name")
            protocol_name = None
        else:
            end = position + n - 1
            protocol_name = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupResponse.leader")
        end = position + n - 1
        leader = str(data[position:end], "utf-8")
        position = end
        if version >= 9:
            skip_assignment, n = _unpack_oc(data, position)
            position += 2
        else:
            n = data[position]
            position += 1
            skip_assignment = False
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupResponse.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupResponse.members")
        members, position = _read_join_group_response_member_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            JoinGroupResponse(
                throttle_time_ms,
                error_code,
                generation_id,
                protocol_type,
                protocol_name,
                leader,
                skip_assignment,
                member_id,
                members,
            )
        )
    return items, position


def _write_join_group_response_flexible(
    out: bytearray, items: Sequence[JoinGroupResponse], version: int
) -> None:
    for item in items:
        out += _pack_ihi(item.throttle_time_ms, item.error_code, item.generation_id)
        if version >= 7:
            values_protocol_type = item.protocol_type
            if values_protocol_type is None:
                out.append(0)
            else:
                raw = values_protocol_type.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        values_protocol_name = item.protocol_name
        if values_protocol_name is None:
            if not (version >= 7):
                raise null_value_fault("JoinGroupResponse.protocol_name", version)
            out.append(0)
        else:
            raw = values_protocol_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        raw = item.leader.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        if version >= 9:
            out += _pack_o(item.skip_assignment)
        else:
            if item.skip_assignment:
                raise absent_fault("JoinGroupResponse.skip_assignment", version)
        raw = item.member_id.encode()
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
            _write_join_group_response_member_flexible(out, item.members, version)
        out.append(0)


def _read_join_group_response_member_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[JoinGroupResponseMember], int]:
    if position + count * 4 > len(data):
        raise count_fault("JoinGroupResponseMember", count)
    items: list[JoinGroupResponseMember] = []
    member_id: str
    group_instance_id: str | None
    metadata: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupResponseMember.member_id")
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
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupResponseMember.metadata")
        end = position + n - 1
        metadata = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(JoinGroupResponseMember(member_id, group_instance_id, metadata))
    return items, position


def _write_join_group_response_member_flexible(
    out: bytearray, items: Sequence[JoinGroupResponseMember], version: int
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
        n = len(item.metadata) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.metadata
        out.append(0)


def _read_join_group_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[JoinGroupResponse], int]:
    items: list[JoinGroupResponse] = []
    protocol_name: str | None
    leader: str
    member_id: str
    members: list[JoinGroupResponseMember]
    for _ in range(count):
        if version >= 2:
            throttle_time_ms, error_code, generation_id, n = _unpack_ihih(data, position)
            position += 12
        else:
            error_code, generation_id, n = _unpack_hih(data, position)
            position += 8
            throttle_time_ms = 0
        if n < 0:
            if not (version >= 7):
                raise null_fault("JoinGroupResponse.protocol_name")
            protocol_name = None
        else:
            end = position + n
            protocol_name = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("JoinGroupResponse.leader")
        end = position + n
        leader = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("JoinGroupResponse.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("JoinGroupResponse.members")
        members, position = _read_join_group_response_member_classic(data, position, n, version)
        items.append(
            JoinGroupResponse(
                throttle_time_ms,
                error_code,
                generation_id,
                None,
                protocol_name,
                leader,
                False,
                member_id,
                members,
            )
        )
    return items, position


def _write_join_group_response_classic(
    out: bytearray, items: Sequence[JoinGroupResponse], version: int
) -> None:
    for item in items:
        if item.skip_assignment:
            raise absent_fault("JoinGroupResponse.skip_assignment", version)
        if version >= 2:
            out += _pack_ihi(item.throttle_time_ms, item.error_code, item.generation_id)
        else:
            out += _pack_hi(item.error_code, item.generation_id)
        values_protocol_name = item.protocol_name
        if values_protocol_name is None:
            if not (version >= 7):
                raise null_value_fault("JoinGroupResponse.protocol_name", version)
            out += b"\xff\xff"
        else:
            raw = values_protocol_name.encode()
            out += _pack_h(len(raw))
            out += raw
        raw = item.leader.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.members))
        if item.members:
            _write_join_group_response_member_classic(out, item.members, version)


def _read_join_group_response_member_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[JoinGroupResponseMember], int]:
    if position + count * 6 > len(data):
        raise count_fault("JoinGroupResponseMember", count)
    items: list[JoinGroupResponseMember] = []
    member_id: str
    group_instance_id: str | None
    metadata: bytes
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("JoinGroupResponseMember.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        if version >= 5:
            (n,) = _unpack_h(data, position)
            position += 2
            if n < 0:
                group_instance_id = None
            else:
                end = position + n
                group_instance_id = str(data[position:end], "utf-8")
                position = end
        else:
            group_instance_id = None
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("JoinGroupResponseMember.metadata")
        end = position + n
        metadata = bytes(data[position:end])
        position = end
        items.append(JoinGroupResponseMember(member_id, group_instance_id, metadata))
    return items, position


def _write_join_group_response_member_classic(
    out: bytearray, items: Sequence[JoinGroupResponseMember], version: int
) -> None:
    for item in items:
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 5:
            values_group_instance_id = item.group_instance_id
            if values_group_instance_id is None:
                out += b"\xff\xff"
            else:
                raw = values_group_instance_id.encode()
                out += _pack_h(len(raw))
                out += raw
        out += _pack_i(len(item.metadata))
        out += item.metadata
