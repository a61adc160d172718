"""ShareGroupHeartbeatResponse, versions 1 (flexible from 1).

Generated from share_group_heartbeat.schema by ottla.protocol.generator; do not edit.
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
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_ih = struct.Struct(">ih").pack
_pack_ii = struct.Struct(">ii").pack
_pack_u = struct.Struct(">16s").pack
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_iib = struct.Struct(">iib").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class TopicPartitions:
    topic_id: bytes = NIL_UUID
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Assignment:
    topic_partitions: list[TopicPartitions] = field(default_factory=list)


@dataclass(slots=True)
class ShareGroupHeartbeatResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = None
    member_id: str | None = None
    member_epoch: int = 0
    heartbeat_interval_ms: int = 0
    assignment: Assignment | None = None

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ShareGroupHeartbeatResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ShareGroupHeartbeatResponse, int]:
        try:
            if version == 1:
                (message,), end = _read_share_group_heartbeat_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ShareGroupHeartbeatResponse", version)
        except MALFORMED as error:
            raise malformed("ShareGroupHeartbeatResponse", version, error) from error
        if end > len(data):
            raise malformed("ShareGroupHeartbeatResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_share_group_heartbeat_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"ShareGroupHeartbeatResponse has no version {version}")


def _read_share_group_heartbeat_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ShareGroupHeartbeatResponse], int]:
    items: list[ShareGroupHeartbeatResponse] = []
    error_message: str | None
    member_id: str | None
    assignment: Assignment | None
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
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
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            member_id = None
        else:
            end = position + n - 1
            member_id = str(data[position:end], "utf-8")
            position = end
        member_epoch, heartbeat_interval_ms, n = _unpack_iib(data, position)
        position += 9
        if n < 0:
            assignment = None
        else:
            (assignment,), position = _read_assignment_flexible(data, position, 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ShareGroupHeartbeatResponse(
                throttle_time_ms,
                error_code,
                error_message,
                member_id,
                member_epoch,
                heartbeat_interval_ms,
                assignment,
            )
        )
    return items, position


def _write_share_group_heartbeat_response_flexible(
    out: bytearray, items: Sequence[ShareGroupHeartbeatResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
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
        values_member_id = item.member_id
        if values_member_id is None:
            out.append(0)
        else:
            raw = values_member_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_ii(item.member_epoch, item.heartbeat_interval_ms)
        if item.assignment is None:
            out.append(255)
        else:
            out.append(1)
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
    if position + count * 18 > len(data):
        raise count_fault("TopicPartitions", count)
    items: list[TopicPartitions] = []
    partitions: list[int]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicPartitions.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicPartitions(topic_id, partitions))
    return items, position


def _write_topic_partitions_flexible(
    out: bytearray, items: Sequence[TopicPartitions], version: int
) -> None:
    for item in items:
        out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            write_int32_array(out, item.partitions)
        out.append(0)
