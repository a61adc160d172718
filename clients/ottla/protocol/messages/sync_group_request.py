"""SyncGroupRequest, versions 0–5 (flexible from 4).

Generated from sync_group.schema by ottla.protocol.generator; do not edit.
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
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from


@dataclass(slots=True)
class SyncGroupRequestAssignment:
    member_id: str = ""
    assignment: bytes = b""


@dataclass(slots=True)
class SyncGroupRequest(Message):
    group_id: str = ""
    generation_id: int = 0
    member_id: str = ""
    group_instance_id: str | None = None
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignments: list[SyncGroupRequestAssignment] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> SyncGroupRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[SyncGroupRequest, int]:
        try:
            if 4 <= version <= 5:
                (message,), end = _read_sync_group_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 3:
                (message,), end = _read_sync_group_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("SyncGroupRequest", version)
        except MALFORMED as error:
            raise malformed("SyncGroupRequest", version, error) from error
        if end > len(data):
            raise malformed("SyncGroupRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 4 <= version <= 5:
            _write_sync_group_request_flexible(out, (self,), version)
        elif 0 <= version <= 3:
            _write_sync_group_request_classic(out, (self,), version)
        else:
            raise ValueError(f"SyncGroupRequest has no version {version}")


def _read_sync_group_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SyncGroupRequest], int]:
    items: list[SyncGroupRequest] = []
    group_id: str
    member_id: str
    group_instance_id: str | None
    protocol_type: str | None
    protocol_name: str | None
    assignments: list[SyncGroupRequestAssignment]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SyncGroupRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        generation_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SyncGroupRequest.member_id")
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
                protocol_type = None
            else:
                end = position + n - 1
                protocol_type = str(data[position:end], "utf-8")
                position = end
        else:
            protocol_type = None
        if version >= 5:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                protocol_name = None
            else:
                end = position + n - 1
                protocol_name = str(data[position:end], "utf-8")
                position = end
        else:
            protocol_name = None
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SyncGroupRequest.assignments")
        assignments, position = _read_sync_group_request_assignment_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            SyncGroupRequest(
                group_id,
                generation_id,
                member_id,
                group_instance_id,
                protocol_type,
                protocol_name,
                assignments,
            )
        )
    return items, position


def _write_sync_group_request_flexible(
    out: bytearray, items: Sequence[SyncGroupRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.generation_id)
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
        if version >= 5:
            values_protocol_name = item.protocol_name
            if values_protocol_name is None:
                out.append(0)
            else:
                raw = values_protocol_name.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        n = len(item.assignments) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.assignments:
            _write_sync_group_request_assignment_flexible(out, item.assignments, version)
        out.append(0)


def _read_sync_group_request_assignment_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SyncGroupRequestAssignment], int]:
    if position + count * 3 > len(data):
        raise count_fault("SyncGroupRequestAssignment", count)
    items: list[SyncGroupRequestAssignment] = []
    member_id: str
    assignment: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SyncGroupRequestAssignment.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "SyncGroupRequestAssignment.assignment")
        end = position + n - 1
        assignment = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(SyncGroupRequestAssignment(member_id, assignment))
    return items, position


def _write_sync_group_request_assignment_flexible(
    out: bytearray, items: Sequence[SyncGroupRequestAssignment], version: int
) -> None:
    for item in items:
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.assignment) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.assignment
        out.append(0)


def _read_sync_group_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SyncGroupRequest], int]:
    items: list[SyncGroupRequest] = []
    group_id: str
    member_id: str
    group_instance_id: str | None
    assignments: list[SyncGroupRequestAssignment]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("SyncGroupRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        generation_id, n = _unpack_ih(data, position)
        position += 6
        if n < 0:
            raise null_fault("SyncGroupRequest.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        if version >= 3:
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
            raise null_fault("SyncGroupRequest.assignments")
        assignments, position = _read_sync_group_request_assignment_classic(
            data, position, n, version
        )
        items.append(
            SyncGroupRequest(
                group_id, generation_id, member_id, group_instance_id, None, None, assignments
            )
        )
    return items, position


def _write_sync_group_request_classic(
    out: bytearray, items: Sequence[SyncGroupRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(item.generation_id)
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 3:
            values_group_instance_id = item.group_instance_id
            if values_group_instance_id is None:
                out += b"\xff\xff"
            else:
                raw = values_group_instance_id.encode()
                out += _pack_h(len(raw))
                out += raw
        elif item.group_instance_id is not None:
            raise absent_fault("SyncGroupRequest.group_instance_id", version)
        out += _pack_i(len(item.assignments))
        if item.assignments:
            _write_sync_group_request_assignment_classic(out, item.assignments, version)


def _read_sync_group_request_assignment_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SyncGroupRequestAssignment], int]:
    if position + count * 6 > len(data):
        raise count_fault("SyncGroupRequestAssignment", count)
    items: list[SyncGroupRequestAssignment] = []
    member_id: str
    assignment: bytes
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("SyncGroupRequestAssignment.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("SyncGroupRequestAssignment.assignment")
        end = position + n
        assignment = bytes(data[position:end])
        position = end
        items.append(SyncGroupRequestAssignment(member_id, assignment))
    return items, position


def _write_sync_group_request_assignment_classic(
    out: bytearray, items: Sequence[SyncGroupRequestAssignment], version: int
) -> None:
    for item in items:
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.assignment))
        out += item.assignment
