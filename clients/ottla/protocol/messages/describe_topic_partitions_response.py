"""DescribeTopicPartitionsResponse, versions 0 (flexible from 0).

Generated from describe_topic_partitions.schema by ottla.protocol.generator; do not edit.
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

_pack_h = struct.Struct(">h").pack
_pack_hiii = struct.Struct(">hiii").pack
_pack_i = struct.Struct(">i").pack
_pack_ix = struct.Struct(">ix").pack
_pack_uo = struct.Struct(">16s?").pack
_unpack_b = struct.Struct(">b").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hiiic = struct.Struct(">hiiiB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_uoc = struct.Struct(">16s?B").unpack_from


@dataclass(slots=True)
class Cursor:
    topic_name: str = ""
    partition_index: int = 0


@dataclass(slots=True)
class DescribeTopicPartitionsResponsePartition:
    error_code: int = 0
    partition_index: int = 0
    leader_id: int = 0
    leader_epoch: int = -1
    replica_nodes: list[int] = field(default_factory=list)
    isr_nodes: list[int] = field(default_factory=list)
    eligible_leader_replicas: list[int] | None = None
    last_known_elr: list[int] | None = None
    offline_replicas: list[int] = field(default_factory=list)


@dataclass(slots=True)
class DescribeTopicPartitionsResponseTopic:
    error_code: int = 0
    name: str | None = ""
    topic_id: bytes = NIL_UUID
    is_internal: bool = False
    partitions: list[DescribeTopicPartitionsResponsePartition] = field(default_factory=list)
    topic_authorized_operations: int = -2147483648


@dataclass(slots=True)
class DescribeTopicPartitionsResponse(Message):
    throttle_time_ms: int = 0
    topics: list[DescribeTopicPartitionsResponseTopic] = field(default_factory=list)
    next_cursor: Cursor | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeTopicPartitionsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeTopicPartitionsResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_describe_topic_partitions_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeTopicPartitionsResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeTopicPartitionsResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeTopicPartitionsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_describe_topic_partitions_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeTopicPartitionsResponse has no version {version}")


def _read_describe_topic_partitions_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeTopicPartitionsResponse], int]:
    items: list[DescribeTopicPartitionsResponse] = []
    topics: list[DescribeTopicPartitionsResponseTopic]
    next_cursor: Cursor | None
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeTopicPartitionsResponse.topics")
        topics, position = _read_describe_topic_partitions_response_topic_flexible(
            data, position, n - 1, version
        )
        (n,) = _unpack_b(data, position)
        position += 1
        if n < 0:
            next_cursor = None
        else:
            (next_cursor,), position = _read_cursor_flexible(data, position, 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeTopicPartitionsResponse(throttle_time_ms, topics, next_cursor))
    return items, position


def _write_describe_topic_partitions_response_flexible(
    out: bytearray, items: Sequence[DescribeTopicPartitionsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_describe_topic_partitions_response_topic_flexible(out, item.topics, version)
        if item.next_cursor is None:
            out.append(255)
        else:
            out.append(1)
            _write_cursor_flexible(out, (item.next_cursor,), version)
        out.append(0)


def _read_describe_topic_partitions_response_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeTopicPartitionsResponseTopic], int]:
    if position + count * 26 > len(data):
        raise count_fault("DescribeTopicPartitionsResponseTopic", count)
    items: list[DescribeTopicPartitionsResponseTopic] = []
    name: str | None
    partitions: list[DescribeTopicPartitionsResponsePartition]
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            name = None
        else:
            end = position + n - 1
            name = str(data[position:end], "utf-8")
            position = end
        topic_id, is_internal, n = _unpack_uoc(data, position)
        position += 18
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeTopicPartitionsResponseTopic.partitions"
            )
        partitions, position = _read_describe_topic_partitions_response_partition_flexible(
            data, position, n - 1, version
        )
        topic_authorized_operations, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeTopicPartitionsResponseTopic(
                error_code, name, topic_id, is_internal, partitions, topic_authorized_operations
            )
        )
    return items, position


def _write_describe_topic_partitions_response_topic_flexible(
    out: bytearray, items: Sequence[DescribeTopicPartitionsResponseTopic], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_name = item.name
        if values_name is None:
            out.append(0)
        else:
            raw = values_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_uo(item.topic_id, item.is_internal)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_describe_topic_partitions_response_partition_flexible(
                out, item.partitions, version
            )
        out += _pack_ix(item.topic_authorized_operations)


def _read_describe_topic_partitions_response_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeTopicPartitionsResponsePartition], int]:
    if position + count * 20 > len(data):
        raise count_fault("DescribeTopicPartitionsResponsePartition", count)
    items: list[DescribeTopicPartitionsResponsePartition] = []
    replica_nodes: list[int]
    isr_nodes: list[int]
    eligible_leader_replicas: list[int] | None
    last_known_elr: list[int] | None
    offline_replicas: list[int]
    for _ in range(count):
        error_code, partition_index, leader_id, leader_epoch, n = _unpack_hiiic(data, position)
        position += 15
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeTopicPartitionsResponsePartition.replica_nodes"
            )
        replica_nodes, position = read_int32_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeTopicPartitionsResponsePartition.isr_nodes"
            )
        isr_nodes, position = read_int32_array(data, position, n - 1)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            eligible_leader_replicas = None
        else:
            eligible_leader_replicas, position = read_int32_array(data, position, n - 1)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            last_known_elr = None
        else:
            last_known_elr, position = read_int32_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeTopicPartitionsResponsePartition.offline_replicas"
            )
        offline_replicas, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeTopicPartitionsResponsePartition(
                error_code,
                partition_index,
                leader_id,
                leader_epoch,
                replica_nodes,
                isr_nodes,
                eligible_leader_replicas,
                last_known_elr,
                offline_replicas,
            )
        )
    return items, position


def _write_describe_topic_partitions_response_partition_flexible(
    out: bytearray, items: Sequence[DescribeTopicPartitionsResponsePartition], version: int
) -> None:
    for item in items:
        out += _pack_hiii(item.error_code, item.partition_index, item.leader_id, item.leader_epoch)
        n = len(item.replica_nodes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.replica_nodes:
            write_int32_array(out, item.replica_nodes)
        n = len(item.isr_nodes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.isr_nodes:
            write_int32_array(out, item.isr_nodes)
        values_eligible_leader_replicas = item.eligible_leader_replicas
        if values_eligible_leader_replicas is None:
            out.append(0)
        else:
            n = len(values_eligible_leader_replicas) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_eligible_leader_replicas:
                write_int32_array(out, values_eligible_leader_replicas)
        values_last_known_elr = item.last_known_elr
        if values_last_known_elr is None:
            out.append(0)
        else:
            n = len(values_last_known_elr) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_last_known_elr:
                write_int32_array(out, values_last_known_elr)
        n = len(item.offline_replicas) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.offline_replicas:
            write_int32_array(out, item.offline_replicas)
        out.append(0)


def _read_cursor_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Cursor], int]:
    if position + count * 6 > len(data):
        raise count_fault("Cursor", count)
    items: list[Cursor] = []
    topic_name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Cursor.topic_name")
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        partition_index, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Cursor(topic_name, partition_index))
    return items, position


def _write_cursor_flexible(out: bytearray, items: Sequence[Cursor], version: int) -> None:
    for item in items:
        raw = item.topic_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_ix(item.partition_index)
