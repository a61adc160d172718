"""DescribeGroupsResponse, versions 0–6 (flexible from 5).

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
_pack_ix = struct.Struct(">ix").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class DescribedGroupMember:
    member_id: str = ""
    group_instance_id: str | None = None
    client_id: str = ""
    client_host: str = ""
    member_metadata: bytes = b""
    member_assignment: bytes = b""


@dataclass(slots=True)
class DescribedGroup:
    error_code: int = 0
    error_message: str | None = None
    group_id: str = ""
    group_state: str = ""
    protocol_type: str = ""
    protocol_data: str = ""
    members: list[DescribedGroupMember] = field(default_factory=list)
    authorized_operations: int = -2147483648


@dataclass(slots=True)
class DescribeGroupsResponse(Message):
    throttle_time_ms: int = 0
    groups: list[DescribedGroup] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 6
    FLEXIBLE_VERSION: ClassVar[int | None] = 5

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeGroupsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeGroupsResponse, int]:
        try:
            if 5 <= version <= 6:
                (message,), end = _read_describe_groups_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 4:
                (message,), end = _read_describe_groups_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("DescribeGroupsResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeGroupsResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeGroupsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 5 <= version <= 6:
            _write_describe_groups_response_flexible(out, (self,), version)
        elif 0 <= version <= 4:
            _write_describe_groups_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeGroupsResponse has no version {version}")


def _read_describe_groups_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeGroupsResponse], int]:
    items: list[DescribeGroupsResponse] = []
    groups: list[DescribedGroup]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeGroupsResponse.groups")
        groups, position = _read_described_group_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeGroupsResponse(throttle_time_ms, groups))
    return items, position


def _write_describe_groups_response_flexible(
    out: bytearray, items: Sequence[DescribeGroupsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.groups) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.groups:
            _write_described_group_flexible(out, item.groups, version)
        out.append(0)


def _read_described_group_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedGroup], int]:
    if position + count * 12 > len(data):
        raise count_fault("DescribedGroup", count)
    items: list[DescribedGroup] = []
    error_message: str | None
    group_id: str
    group_state: str
    protocol_type: str
    protocol_data: str
    members: list[DescribedGroupMember]
    for _ in range(count):
        if version >= 6:
            error_code, n = _unpack_hc(data, position)
            position += 3
        else:
            (error_code,) = _unpack_h(data, position)
            position += 2
        if version >= 6:
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                error_message = None
            else:
                end = position + n - 1
                error_message = str(data[position:end], "utf-8")
                position = end
        else:
            error_message = None
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.group_state")
        end = position + n - 1
        group_state = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.protocol_type")
        end = position + n - 1
        protocol_type = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.protocol_data")
        end = position + n - 1
        protocol_data = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.members")
        members, position = _read_described_group_member_flexible(data, position, n - 1, version)
        authorized_operations, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribedGroup(
                error_code,
                error_message,
                group_id,
                group_state,
                protocol_type,
                protocol_data,
                members,
                authorized_operations,
            )
        )
    return items, position


def _write_described_group_flexible(
    out: bytearray, items: Sequence[DescribedGroup], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        if version >= 6:
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
        elif item.error_message is not None:
            raise absent_fault("DescribedGroup.error_message", version)
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.group_state.encode()
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
        raw = item.protocol_data.encode()
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
            _write_described_group_member_flexible(out, item.members, version)
        out += _pack_ix(item.authorized_operations)


def _read_described_group_member_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedGroupMember], int]:
    if position + count * 7 > len(data):
        raise count_fault("DescribedGroupMember", count)
    items: list[DescribedGroupMember] = []
    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    member_metadata: bytes
    member_assignment: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroupMember.member_id")
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
            n, position = long_length(data, position, n, "DescribedGroupMember.client_id")
        end = position + n - 1
        client_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroupMember.client_host")
        end = position + n - 1
        client_host = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroupMember.member_metadata")
        end = position + n - 1
        member_metadata = bytes(data[position:end])
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroupMember.member_assignment")
        end = position + n - 1
        member_assignment = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribedGroupMember(
                member_id,
                group_instance_id,
                client_id,
                client_host,
                member_metadata,
                member_assignment,
            )
        )
    return items, position


def _write_described_group_member_flexible(
    out: bytearray, items: Sequence[DescribedGroupMember], version: int
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
        raw = item.client_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.client_host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.member_metadata) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.member_metadata
        n = len(item.member_assignment) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.member_assignment
        out.append(0)


def _read_describe_groups_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeGroupsResponse], int]:
    items: list[DescribeGroupsResponse] = []
    groups: list[DescribedGroup]
    for _ in range(count):
        if version >= 1:
            throttle_time_ms, n = _unpack_ii(data, position)
            position += 8
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            throttle_time_ms = 0
        if n < 0:
            raise null_fault("DescribeGroupsResponse.groups")
        groups, position = _read_described_group_classic(data, position, n, version)
        items.append(DescribeGroupsResponse(throttle_time_ms, groups))
    return items, position


def _write_describe_groups_response_classic(
    out: bytearray, items: Sequence[DescribeGroupsResponse], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.groups))
        if item.groups:
            _write_described_group_classic(out, item.groups, version)


def _read_described_group_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedGroup], int]:
    if position + count * 14 > len(data):
        raise count_fault("DescribedGroup", count)
    items: list[DescribedGroup] = []
    group_id: str
    group_state: str
    protocol_type: str
    protocol_data: str
    members: list[DescribedGroupMember]
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribedGroup.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedGroup.group_state")
        end = position + n
        group_state = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedGroup.protocol_type")
        end = position + n
        protocol_type = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedGroup.protocol_data")
        end = position + n
        protocol_data = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribedGroup.members")
        members, position = _read_described_group_member_classic(data, position, n, version)
        if version >= 3:
            (authorized_operations,) = _unpack_i(data, position)
            position += 4
        else:
            authorized_operations = -2147483648
        items.append(
            DescribedGroup(
                error_code,
                None,
                group_id,
                group_state,
                protocol_type,
                protocol_data,
                members,
                authorized_operations,
            )
        )
    return items, position


def _write_described_group_classic(
    out: bytearray, items: Sequence[DescribedGroup], version: int
) -> None:
    for item in items:
        if item.error_message is not None:
            raise absent_fault("DescribedGroup.error_message", version)
        out += _pack_h(item.error_code)
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.group_state.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.protocol_type.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.protocol_data.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.members))
        if item.members:
            _write_described_group_member_classic(out, item.members, version)
        if version >= 3:
            out += _pack_i(item.authorized_operations)
        else:
            if item.authorized_operations != -2147483648:
                raise absent_fault("DescribedGroup.authorized_operations", version)


def _read_described_group_member_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedGroupMember], int]:
    if position + count * 14 > len(data):
        raise count_fault("DescribedGroupMember", count)
    items: list[DescribedGroupMember] = []
    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    member_metadata: bytes
    member_assignment: bytes
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedGroupMember.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        if version >= 4:
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
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedGroupMember.client_id")
        end = position + n
        client_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedGroupMember.client_host")
        end = position + n
        client_host = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribedGroupMember.member_metadata")
        end = position + n
        member_metadata = bytes(data[position:end])
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribedGroupMember.member_assignment")
        end = position + n
        member_assignment = bytes(data[position:end])
        position = end
        items.append(
            DescribedGroupMember(
                member_id,
                group_instance_id,
                client_id,
                client_host,
                member_metadata,
                member_assignment,
            )
        )
    return items, position


def _write_described_group_member_classic(
    out: bytearray, items: Sequence[DescribedGroupMember], version: int
) -> None:
    for item in items:
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 4:
            values_group_instance_id = item.group_instance_id
            if values_group_instance_id is None:
                out += b"\xff\xff"
            else:
                raw = values_group_instance_id.encode()
                out += _pack_h(len(raw))
                out += raw
        raw = item.client_id.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.client_host.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.member_metadata))
        out += item.member_metadata
        out += _pack_i(len(item.member_assignment))
        out += item.member_assignment
