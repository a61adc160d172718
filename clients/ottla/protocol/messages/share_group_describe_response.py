"""ShareGroupDescribeResponse, versions 1 (flexible from 1).

Generated from share_group_describe.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.core.identifiers import NIL_UUID
from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    read_compact_string_array,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ii = struct.Struct(">ii").pack
_pack_ix = struct.Struct(">ix").pack
_pack_u = struct.Struct(">16s").pack
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_iic = struct.Struct(">iiB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class TopicPartitions:
    topic_id: bytes = NIL_UUID
    topic_name: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Assignment:
    topic_partitions: list[TopicPartitions] = field(default_factory=list)


@dataclass(slots=True)
class Member:
    member_id: str = ""
    rack_id: str | None = None
    member_epoch: int = 0
    client_id: str = ""
    client_host: str = ""
    subscribed_topic_names: list[str] = field(default_factory=list)
    assignment: Assignment = field(default_factory=Assignment)


@dataclass(slots=True)
class DescribedGroup:
    error_code: int = 0
    error_message: str | None = None
    group_id: str = ""
    group_state: str = ""
    group_epoch: int = 0
    assignment_epoch: int = 0
    assignor_name: str = ""
    members: list[Member] = field(default_factory=list)
    authorized_operations: int = -2147483648


@dataclass(slots=True)
class ShareGroupDescribeResponse(Message):
    throttle_time_ms: int = 0
    groups: list[DescribedGroup] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ShareGroupDescribeResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ShareGroupDescribeResponse, int]:
        try:
            if version == 1:
                (message,), end = _read_share_group_describe_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ShareGroupDescribeResponse", version)
        except MALFORMED as error:
            raise malformed("ShareGroupDescribeResponse", version, error) from error
        if end > len(data):
            raise malformed("ShareGroupDescribeResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_share_group_describe_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"ShareGroupDescribeResponse has no version {version}")


def _read_share_group_describe_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ShareGroupDescribeResponse], int]:
    items: list[ShareGroupDescribeResponse] = []
    groups: list[DescribedGroup]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareGroupDescribeResponse.groups")
        groups, position = _read_described_group_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ShareGroupDescribeResponse(throttle_time_ms, groups))
    return items, position


def _write_share_group_describe_response_flexible(
    out: bytearray, items: Sequence[ShareGroupDescribeResponse], version: int
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
    if position + count * 20 > len(data):
        raise count_fault("DescribedGroup", count)
    items: list[DescribedGroup] = []
    error_message: str | None
    group_id: str
    group_state: str
    assignor_name: str
    members: list[Member]
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
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
        group_epoch, assignment_epoch, n = _unpack_iic(data, position)
        position += 9
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.assignor_name")
        end = position + n - 1
        assignor_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.members")
        members, position = _read_member_flexible(data, position, n - 1, version)
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
                group_epoch,
                assignment_epoch,
                assignor_name,
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
        out += _pack_ii(item.group_epoch, item.assignment_epoch)
        raw = item.assignor_name.encode()
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
            _write_member_flexible(out, item.members, version)
        out += _pack_ix(item.authorized_operations)


def _read_member_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Member], int]:
    if position + count * 12 > len(data):
        raise count_fault("Member", count)
    items: list[Member] = []
    member_id: str
    rack_id: str | None
    client_id: str
    client_host: str
    subscribed_topic_names: list[str]
    assignment: Assignment
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            rack_id = None
        else:
            end = position + n - 1
            rack_id = str(data[position:end], "utf-8")
            position = end
        member_epoch, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.client_id")
        end = position + n - 1
        client_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.client_host")
        end = position + n - 1
        client_host = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.subscribed_topic_names")
        subscribed_topic_names, position = read_compact_string_array(data, position, n - 1)
        (assignment,), position = _read_assignment_flexible(data, position, 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            Member(
                member_id,
                rack_id,
                member_epoch,
                client_id,
                client_host,
                subscribed_topic_names,
                assignment,
            )
        )
    return items, position


def _write_member_flexible(out: bytearray, items: Sequence[Member], version: int) -> None:
    for item in items:
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_rack_id = item.rack_id
        if values_rack_id is None:
            out.append(0)
        else:
            raw = values_rack_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_i(item.member_epoch)
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
        n = len(item.subscribed_topic_names) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.subscribed_topic_names:
            write_compact_string_array(out, item.subscribed_topic_names)
        _write_assignment_flexible(out, (item.assignment,), version)
        out.append(0)


def _read_assignment_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Assignment], int]:
    if position + count * 2 > len(data):
        raise count_fault("Assignment", count)
    items: list[Assignment] = []
    topic_partitions: list[TopicPartitions]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Assignment.topic_partitions")
        topic_partitions, position = _read_topic_partitions_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Assignment(topic_partitions))
    return items, position


def _write_assignment_flexible(out: bytearray, items: Sequence[Assignment], version: int) -> None:
    for item in items:
        n = len(item.topic_partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topic_partitions:
            _write_topic_partitions_flexible(out, item.topic_partitions, version)
        out.append(0)


def _read_topic_partitions_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicPartitions], int]:
    if position + count * 19 > len(data):
        raise count_fault("TopicPartitions", count)
    items: list[TopicPartitions] = []
    topic_name: str
    partitions: list[int]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicPartitions.topic_name")
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicPartitions.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicPartitions(topic_id, topic_name, partitions))
    return items, position


def _write_topic_partitions_flexible(
    out: bytearray, items: Sequence[TopicPartitions], version: int
) -> None:
    for item in items:
        out += _pack_u(item.topic_id)
        raw = item.topic_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            write_int32_array(out, item.partitions)
        out.append(0)
