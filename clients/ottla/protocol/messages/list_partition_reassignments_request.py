"""ListPartitionReassignmentsRequest, versions 0 (flexible from 0).

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
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class ListPartitionReassignmentsTopics:
    name: str = ""
    partition_indexes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ListPartitionReassignmentsRequest(Message):
    timeout_ms: int = 60000
    topics: list[ListPartitionReassignmentsTopics] | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ListPartitionReassignmentsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ListPartitionReassignmentsRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_list_partition_reassignments_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ListPartitionReassignmentsRequest", version)
        except MALFORMED as error:
            raise malformed("ListPartitionReassignmentsRequest", version, error) from error
        if end > len(data):
            raise malformed("ListPartitionReassignmentsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_list_partition_reassignments_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"ListPartitionReassignmentsRequest has no version {version}")


def _read_list_partition_reassignments_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListPartitionReassignmentsRequest], int]:
    items: list[ListPartitionReassignmentsRequest] = []
    topics: list[ListPartitionReassignmentsTopics] | None
    for _ in range(count):
        timeout_ms, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            topics = None
        else:
            topics, position = _read_list_partition_reassignments_topics_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListPartitionReassignmentsRequest(timeout_ms, topics))
    return items, position


def _write_list_partition_reassignments_request_flexible(
    out: bytearray, items: Sequence[ListPartitionReassignmentsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(item.timeout_ms)
        values_topics = item.topics
        if values_topics is None:
            out.append(0)
        else:
            n = len(values_topics) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_topics:
                _write_list_partition_reassignments_topics_flexible(out, values_topics, version)
        out.append(0)


def _read_list_partition_reassignments_topics_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListPartitionReassignmentsTopics], int]:
    if position + count * 3 > len(data):
        raise count_fault("ListPartitionReassignmentsTopics", count)
    items: list[ListPartitionReassignmentsTopics] = []
    name: str
    partition_indexes: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListPartitionReassignmentsTopics.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ListPartitionReassignmentsTopics.partition_indexes"
            )
        partition_indexes, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListPartitionReassignmentsTopics(name, partition_indexes))
    return items, position


def _write_list_partition_reassignments_topics_flexible(
    out: bytearray, items: Sequence[ListPartitionReassignmentsTopics], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.partition_indexes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partition_indexes:
            write_int32_array(out, item.partition_indexes)
        out.append(0)
