"""ListOffsetsResponse, versions 0–11 (flexible from 6).

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
    read_int64_array,
    skip_tags,
    unknown_version,
    write_int64_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_ihqqix = struct.Struct(">ihqqix").pack
_pack_qq = struct.Struct(">qq").pack
_pack_qqi = struct.Struct(">qqi").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihi = struct.Struct(">ihi").unpack_from
_unpack_ihqqic = struct.Struct(">ihqqiB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_qq = struct.Struct(">qq").unpack_from
_unpack_qqi = struct.Struct(">qqi").unpack_from


@dataclass(slots=True)
class ListOffsetsPartitionResponse:
    partition_index: int = 0
    error_code: int = 0
    old_style_offsets: list[int] = field(default_factory=list)
    timestamp: int = -1
    offset: int = -1
    leader_epoch: int = -1


@dataclass(slots=True)
class ListOffsetsTopicResponse:
    name: str = ""
    partitions: list[ListOffsetsPartitionResponse] = field(default_factory=list)


@dataclass(slots=True)
class ListOffsetsResponse(Message):
    throttle_time_ms: int = 0
    topics: list[ListOffsetsTopicResponse] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 11
    FLEXIBLE_VERSION: ClassVar[int | None] = 6

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ListOffsetsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ListOffsetsResponse, int]:
        try:
            if 6 <= version <= 11:
                (message,), end = _read_list_offsets_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 5:
                (message,), end = _read_list_offsets_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("ListOffsetsResponse", version)
        except MALFORMED as error:
            raise malformed("ListOffsetsResponse", version, error) from error
        if end > len(data):
            raise malformed("ListOffsetsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 6 <= version <= 11:
            _write_list_offsets_response_flexible(out, (self,), version)
        elif 0 <= version <= 5:
            _write_list_offsets_response_classic(out, (self,), version)
        else:
            raise ValueError(f"ListOffsetsResponse has no version {version}")


def _read_list_offsets_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsResponse], int]:
    items: list[ListOffsetsResponse] = []
    topics: list[ListOffsetsTopicResponse]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListOffsetsResponse.topics")
        topics, position = _read_list_offsets_topic_response_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListOffsetsResponse(throttle_time_ms, topics))
    return items, position


def _write_list_offsets_response_flexible(
    out: bytearray, items: Sequence[ListOffsetsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_list_offsets_topic_response_flexible(out, item.topics, version)
        out.append(0)


def _read_list_offsets_topic_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsTopicResponse], int]:
    if position + count * 3 > len(data):
        raise count_fault("ListOffsetsTopicResponse", count)
    items: list[ListOffsetsTopicResponse] = []
    name: str
    partitions: list[ListOffsetsPartitionResponse]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListOffsetsTopicResponse.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListOffsetsTopicResponse.partitions")
        partitions, position = _read_list_offsets_partition_response_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListOffsetsTopicResponse(name, partitions))
    return items, position


def _write_list_offsets_topic_response_flexible(
    out: bytearray, items: Sequence[ListOffsetsTopicResponse], version: int
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
            _write_list_offsets_partition_response_flexible(out, item.partitions, version)
        out.append(0)


def _read_list_offsets_partition_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsPartitionResponse], int]:
    if position + count * 27 > len(data):
        raise count_fault("ListOffsetsPartitionResponse", count)
    items: list[ListOffsetsPartitionResponse] = []
    for _ in range(count):
        partition_index, error_code, timestamp, offset, leader_epoch, tags = _unpack_ihqqic(
            data, position
        )
        position += 27
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ListOffsetsPartitionResponse(
                partition_index, error_code, [], timestamp, offset, leader_epoch
            )
        )
    return items, position


def _write_list_offsets_partition_response_flexible(
    out: bytearray, items: Sequence[ListOffsetsPartitionResponse], version: int
) -> None:
    for item in items:
        if item.old_style_offsets:
            raise absent_fault("ListOffsetsPartitionResponse.old_style_offsets", version)
        out += _pack_ihqqix(
            item.partition_index, item.error_code, item.timestamp, item.offset, item.leader_epoch
        )


def _read_list_offsets_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsResponse], int]:
    items: list[ListOffsetsResponse] = []
    topics: list[ListOffsetsTopicResponse]
    for _ in range(count):
        if version >= 2:
            throttle_time_ms, n = _unpack_ii(data, position)
            position += 8
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            throttle_time_ms = 0
        if n < 0:
            raise null_fault("ListOffsetsResponse.topics")
        topics, position = _read_list_offsets_topic_response_classic(data, position, n, version)
        items.append(ListOffsetsResponse(throttle_time_ms, topics))
    return items, position


def _write_list_offsets_response_classic(
    out: bytearray, items: Sequence[ListOffsetsResponse], version: int
) -> None:
    for item in items:
        if version >= 2:
            out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_list_offsets_topic_response_classic(out, item.topics, version)


def _read_list_offsets_topic_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsTopicResponse], int]:
    if position + count * 6 > len(data):
        raise count_fault("ListOffsetsTopicResponse", count)
    items: list[ListOffsetsTopicResponse] = []
    name: str
    partitions: list[ListOffsetsPartitionResponse]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ListOffsetsTopicResponse.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("ListOffsetsTopicResponse.partitions")
        partitions, position = _read_list_offsets_partition_response_classic(
            data, position, n, version
        )
        items.append(ListOffsetsTopicResponse(name, partitions))
    return items, position


def _write_list_offsets_topic_response_classic(
    out: bytearray, items: Sequence[ListOffsetsTopicResponse], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_list_offsets_partition_response_classic(out, item.partitions, version)


def _read_list_offsets_partition_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListOffsetsPartitionResponse], int]:
    if position + count * 10 > len(data):
        raise count_fault("ListOffsetsPartitionResponse", count)
    items: list[ListOffsetsPartitionResponse] = []
    old_style_offsets: list[int]
    for _ in range(count):
        if version >= 1:
            partition_index, error_code = _unpack_ih(data, position)
            position += 6
        else:
            partition_index, error_code, n = _unpack_ihi(data, position)
            position += 10
        if version <= 0:
            if n < 0:
                raise null_fault("ListOffsetsPartitionResponse.old_style_offsets")
            old_style_offsets, position = read_int64_array(data, position, n)
        else:
            old_style_offsets = []
        if version >= 4:
            timestamp, offset, leader_epoch = _unpack_qqi(data, position)
            position += 20
        elif version >= 1:
            timestamp, offset = _unpack_qq(data, position)
            position += 16
            leader_epoch = -1
        else:
            timestamp = -1
            offset = -1
            leader_epoch = -1
        items.append(
            ListOffsetsPartitionResponse(
                partition_index, error_code, old_style_offsets, timestamp, offset, leader_epoch
            )
        )
    return items, position


def _write_list_offsets_partition_response_classic(
    out: bytearray, items: Sequence[ListOffsetsPartitionResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.error_code)
        if version <= 0:
            out += _pack_i(len(item.old_style_offsets))
            if item.old_style_offsets:
                write_int64_array(out, item.old_style_offsets)
        elif item.old_style_offsets:
            raise absent_fault("ListOffsetsPartitionResponse.old_style_offsets", version)
        if version >= 4:
            out += _pack_qqi(item.timestamp, item.offset, item.leader_epoch)
        elif version >= 1:
            if item.leader_epoch != -1:
                raise absent_fault("ListOffsetsPartitionResponse.leader_epoch", version)
            out += _pack_qq(item.timestamp, item.offset)
        else:
            if item.timestamp != -1:
                raise absent_fault("ListOffsetsPartitionResponse.timestamp", version)
            if item.offset != -1:
                raise absent_fault("ListOffsetsPartitionResponse.offset", version)
            if item.leader_epoch != -1:
                raise absent_fault("ListOffsetsPartitionResponse.leader_epoch", version)
