"""ListOffsetsRequest, versions 0–11 (flexible from 6).

Generated from list_offsets.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ib = struct.Struct(">ib").pack
_pack_iiq = struct.Struct(">iiq").pack
_pack_iiqx = struct.Struct(">iiqx").pack
_pack_iq = struct.Struct(">iq").pack
_pack_iqi = struct.Struct(">iqi").pack
_pack_ix = struct.Struct(">ix").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ibc = struct.Struct(">ibB").unpack_from
_unpack_ibi = struct.Struct(">ibi").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_iiq = struct.Struct(">iiq").unpack_from
_unpack_iiqc = struct.Struct(">iiqB").unpack_from
_unpack_iq = struct.Struct(">iq").unpack_from
_unpack_iqi = struct.Struct(">iqi").unpack_from


@dataclass(slots=True)
class ListOffsetsPartition:
    partition_index: int = 0
    current_leader_epoch: int = -1
    timestamp: int = 0
    max_num_offsets: int = 1


@dataclass(slots=True)
class ListOffsetsTopic:
    name: str = ""
    partitions: list[ListOffsetsPartition] = field(default_factory=list)


@dataclass(slots=True)
class ListOffsetsRequest(Message):
    replica_id: int = 0
    isolation_level: int = 0
    topics: list[ListOffsetsTopic] = field(default_factory=list)
    timeout_ms: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 11
    FLEXIBLE_VERSION: ClassVar[int | None] = 6

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ListOffsetsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ListOffsetsRequest, int]:
        try:
            if 6 <= version <= 11:
                (message,), end = _read_list_offsets_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 5:
                (message,), end = _read_list_offsets_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("ListOffsetsRequest", version)
        except MALFORMED as error:
            raise malformed("ListOffsetsRequest", version, error) from error
        if end > len(data):
            raise malformed("ListOffsetsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 6 <= version <= 11:
            _write_list_offsets_request_flexible(out, (self,), version)
        elif 0 <= version <= 5:
            _write_list_offsets_request_classic(out, (self,), version)
        else:
            raise ValueError(f"ListOffsetsRequest has no version {version}")


def _read_list_offsets_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsRequest], int]:
    items: list[ListOffsetsRequest] = []
    topics: list[ListOffsetsTopic]
    for _ in range(count):
        replica_id, isolation_level, n = _unpack_ibc(data, position)
        position += 6
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListOffsetsRequest.topics")
        topics, position = _read_list_offsets_topic_flexible(data, position, n - 1, version)
        if version >= 10:
            timeout_ms, tags = _unpack_ic(data, position)
            position += 5
        else:
            tags = data[position]
            position += 1
            timeout_ms = 0
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListOffsetsRequest(replica_id, isolation_level, topics, timeout_ms))
    return items, position


def _write_list_offsets_request_flexible(
    out: bytearray, items: Sequence[ListOffsetsRequest], version: int
) -> None:
    for item in items:
        out += _pack_ib(item.replica_id, item.isolation_level)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_list_offsets_topic_flexible(out, item.topics, version)
        if version >= 10:
            out += _pack_ix(item.timeout_ms)
        else:
            out.append(0)


def _read_list_offsets_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("ListOffsetsTopic", count)
    items: list[ListOffsetsTopic] = []
    name: str
    partitions: list[ListOffsetsPartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListOffsetsTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListOffsetsTopic.partitions")
        partitions, position = _read_list_offsets_partition_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListOffsetsTopic(name, partitions))
    return items, position


def _write_list_offsets_topic_flexible(
    out: bytearray, items: Sequence[ListOffsetsTopic], version: int
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
            _write_list_offsets_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_list_offsets_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsPartition], int]:
    if position + count * 17 > len(data):
        raise count_fault("ListOffsetsPartition", count)
    items: list[ListOffsetsPartition] = []
    for _ in range(count):
        partition_index, current_leader_epoch, timestamp, tags = _unpack_iiqc(data, position)
        position += 17
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListOffsetsPartition(partition_index, current_leader_epoch, timestamp, 1))
    return items, position


def _write_list_offsets_partition_flexible(
    out: bytearray, items: Sequence[ListOffsetsPartition], version: int
) -> None:
    for item in items:
        if item.max_num_offsets != 1:
            raise absent_fault("ListOffsetsPartition.max_num_offsets", version)
        out += _pack_iiqx(item.partition_index, item.current_leader_epoch, item.timestamp)


def _read_list_offsets_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsRequest], int]:
    items: list[ListOffsetsRequest] = []
    topics: list[ListOffsetsTopic]
    for _ in range(count):
        if version >= 2:
            replica_id, isolation_level, n = _unpack_ibi(data, position)
            position += 9
        else:
            replica_id, n = _unpack_ii(data, position)
            position += 8
            isolation_level = 0
        if n < 0:
            raise null_fault("ListOffsetsRequest.topics")
        topics, position = _read_list_offsets_topic_classic(data, position, n, version)
        items.append(ListOffsetsRequest(replica_id, isolation_level, topics, 0))
    return items, position


def _write_list_offsets_request_classic(
    out: bytearray, items: Sequence[ListOffsetsRequest], version: int
) -> None:
    for item in items:
        if version >= 2:
            out += _pack_ib(item.replica_id, item.isolation_level)
        else:
            if item.isolation_level != 0:
                raise absent_fault("ListOffsetsRequest.isolation_level", version)
            out += _pack_i(item.replica_id)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_list_offsets_topic_classic(out, item.topics, version)


def _read_list_offsets_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("ListOffsetsTopic", count)
    items: list[ListOffsetsTopic] = []
    name: str
    partitions: list[ListOffsetsPartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ListOffsetsTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("ListOffsetsTopic.partitions")
        partitions, position = _read_list_offsets_partition_classic(data, position, n, version)
        items.append(ListOffsetsTopic(name, partitions))
    return items, position


def _write_list_offsets_topic_classic(
    out: bytearray, items: Sequence[ListOffsetsTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_list_offsets_partition_classic(out, item.partitions, version)


def _read_list_offsets_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsPartition], int]:
    if position + count * 12 > len(data):
        raise count_fault("ListOffsetsPartition", count)
    items: list[ListOffsetsPartition] = []
    for _ in range(count):
        if version >= 4:
            partition_index, current_leader_epoch, timestamp = _unpack_iiq(data, position)
            position += 16
            max_num_offsets = 1
        elif version >= 1:
            partition_index, timestamp = _unpack_iq(data, position)
            position += 12
            current_leader_epoch = -1
            max_num_offsets = 1
        else:
            partition_index, timestamp, max_num_offsets = _unpack_iqi(data, position)
            position += 16
            current_leader_epoch = -1
        items.append(
            ListOffsetsPartition(partition_index, current_leader_epoch, timestamp, max_num_offsets)
        )
    return items, position


def _write_list_offsets_partition_classic(
    out: bytearray, items: Sequence[ListOffsetsPartition], version: int
) -> None:
    for item in items:
        if version >= 4:
            if item.max_num_offsets != 1:
                raise absent_fault("ListOffsetsPartition.max_num_offsets", version)
            out += _pack_iiq(item.partition_index, item.current_leader_epoch, item.timestamp)
        elif version >= 1:
            if item.max_num_offsets != 1:
                raise absent_fault("ListOffsetsPartition.max_num_offsets", version)
            out += _pack_iq(item.partition_index, item.timestamp)
        else:
            out += _pack_iqi(item.partition_index, item.timestamp, item.max_num_offsets)
