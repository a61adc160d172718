"""AlterPartitionReassignmentsRequest, versions 0–1 (flexible from 0).

Generated from alter_partition_reassignments.schema by ottla.protocol.generator; do not edit.
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
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_pack_io = struct.Struct(">i?").pack
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ioc = struct.Struct(">i?B").unpack_from


@dataclass(slots=True)
class ReassignablePartition:
    partition_index: int = 0
    replicas: list[int] | None = None


@dataclass(slots=True)
class ReassignableTopic:
    name: str = ""
    partitions: list[ReassignablePartition] = field(default_factory=list)


@dataclass(slots=True)
class AlterPartitionReassignmentsRequest(Message):
    timeout_ms: int = 60000
    allow_replication_factor_change: bool = True
    topics: list[ReassignableTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> AlterPartitionReassignmentsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterPartitionReassignmentsRequest, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_alter_partition_reassignments_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterPartitionReassignmentsRequest", version)
        except MALFORMED as error:
            raise malformed("AlterPartitionReassignmentsRequest", version, error) from error
        if end > len(data):
            raise malformed("AlterPartitionReassignmentsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_alter_partition_reassignments_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"AlterPartitionReassignmentsRequest has no version {version}")


def _read_alter_partition_reassignments_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterPartitionReassignmentsRequest], int]:
    items: list[AlterPartitionReassignmentsRequest] = []
    topics: list[ReassignableTopic]
    for _ in range(count):
        if version >= 1:
            timeout_ms, allow_replication_factor_change, n = _unpack_ioc(data, position)
            position += 6
        else:
            timeout_ms, n = _unpack_ic(data, position)
            position += 5
            allow_replication_factor_change = True
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterPartitionReassignmentsRequest.topics"
            )
        topics, position = _read_reassignable_topic_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AlterPartitionReassignmentsRequest(timeout_ms, allow_replication_factor_change, topics)
        )
    return items, position


def _write_alter_partition_reassignments_request_flexible(
    out: bytearray, items: Sequence[AlterPartitionReassignmentsRequest], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_io(item.timeout_ms, item.allow_replication_factor_change)
        else:
            if not item.allow_replication_factor_change:
                raise absent_fault(
                    "AlterPartitionReassignmentsRequest.allow_replication_factor_change", version
                )
            out += _pack_i(item.timeout_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_reassignable_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_reassignable_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ReassignableTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("ReassignableTopic", count)
    items: list[ReassignableTopic] = []
    name: str
    partitions: list[ReassignablePartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ReassignableTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ReassignableTopic.partitions")
        partitions, position = _read_reassignable_partition_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ReassignableTopic(name, partitions))
    return items, position


def _write_reassignable_topic_flexible(
    out: bytearray, items: Sequence[ReassignableTopic], version: int
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
            _write_reassignable_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_reassignable_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ReassignablePartition], int]:
    if position + count * 6 > len(data):
        raise count_fault("ReassignablePartition", count)
    items: list[ReassignablePartition] = []
    replicas: list[int] | None
    for _ in range(count):
        partition_index, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            replicas = None
        else:
            replicas, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ReassignablePartition(partition_index, replicas))
    return items, position


def _write_reassignable_partition_flexible(
    out: bytearray, items: Sequence[ReassignablePartition], version: int
) -> None:
    for item in items:
        out += _pack_i(item.partition_index)
        values_replicas = item.replicas
        if values_replicas is None:
            out.append(0)
        else:
            n = len(values_replicas) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_replicas:
                write_int32_array(out, values_replicas)
        out.append(0)
