"""ListPartitionReassignmentsResponse, versions 0 (flexible from 0).

Generated from list_partition_reassignments.schema by ottla.protocol.generator; do not edit.
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
    long_uvarint,
    malformed,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from


@dataclass(slots=True)
class OngoingPartitionReassignment:
    partition_index: int = 0
    replicas: list[int] = field(default_factory=list)
    adding_replicas: list[int] = field(default_factory=list)
    removing_replicas: list[int] = field(default_factory=list)


@dataclass(slots=True)
class OngoingTopicReassignment:
    name: str = ""
    partitions: list[OngoingPartitionReassignment] = field(default_factory=list)


@dataclass(slots=True)
class ListPartitionReassignmentsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = ""
    topics: list[OngoingTopicReassignment] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ListPartitionReassignmentsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ListPartitionReassignmentsResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_list_partition_reassignments_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ListPartitionReassignmentsResponse", version)
        except MALFORMED as error:
            raise malformed("ListPartitionReassignmentsResponse", version, error) from error
        if end > len(data):
            raise malformed("ListPartitionReassignmentsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_list_partition_reassignments_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"ListPartitionReassignmentsResponse has no version {version}")


def _read_list_partition_reassignments_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListPartitionReassignmentsResponse], int]:
    items: list[ListPartitionReassignmentsResponse] = []
    error_message: str | None
    topics: list[OngoingTopicReassignment]
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
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ListPartitionReassignmentsResponse.topics"
            )
        topics, position = _read_ongoing_topic_reassignment_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ListPartitionReassignmentsResponse(throttle_time_ms, error_code, error_message, topics)
        )
    return items, position


def _write_list_partition_reassignments_response_flexible(
    out: bytearray, items: Sequence[ListPartitionReassignmentsResponse], version: int
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
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_ongoing_topic_reassignment_flexible(out, item.topics, version)
        out.append(0)


def _read_ongoing_topic_reassignment_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OngoingTopicReassignment], int]:
    if position + count * 3 > len(data):
        raise count_fault("OngoingTopicReassignment", count)
    items: list[OngoingTopicReassignment] = []
    name: str
    partitions: list[OngoingPartitionReassignment]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OngoingTopicReassignment.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OngoingTopicReassignment.partitions")
        partitions, position = _read_ongoing_partition_reassignment_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OngoingTopicReassignment(name, partitions))
    return items, position


def _write_ongoing_topic_reassignment_flexible(
    out: bytearray, items: Sequence[OngoingTopicReassignment], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
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
            _write_ongoing_partition_reassignment_flexible(out, item.partitions, version)
        out.append(0)


def _read_ongoing_partition_reassignment_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OngoingPartitionReassignment], int]:
    if position + count * 8 > len(data):
        raise count_fault("OngoingPartitionReassignment", count)
    items: list[OngoingPartitionReassignment] = []
    replicas: list[int]
    adding_replicas: list[int]
    removing_replicas: list[int]
    for _ in range(count):
        partition_index, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OngoingPartitionReassignment.replicas")
        replicas, position = read_int32_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "OngoingPartitionReassignment.adding_replicas"
            )
        adding_replicas, position = read_int32_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "OngoingPartitionReassignment.removing_replicas"
            )
        removing_replicas, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            OngoingPartitionReassignment(
                partition_index, replicas, adding_replicas, removing_replicas
            )
        )
    return items, position


def _write_ongoing_partition_reassignment_flexible(
    out: bytearray, items: Sequence[OngoingPartitionReassignment], version: int
) -> None:
    for item in items:
        out += _pack_i(item.partition_index)
        n = len(item.replicas) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.replicas:
            write_int32_array(out, item.replicas)
        n = len(item.adding_replicas) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.adding_replicas:
            write_int32_array(out, item.adding_replicas)
        n = len(item.removing_replicas) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.removing_replicas:
            write_int32_array(out, item.removing_replicas)
        out.append(0)
