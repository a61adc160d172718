"""DescribeShareGroupOffsetsResponse, versions 0–1 (flexible from 0).

Generated from describe_share_group_offsets.schema by ottla.protocol.generator; do not edit.
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
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_iqih = struct.Struct(">iqih").pack
_pack_iqiqh = struct.Struct(">iqiqh").pack
_pack_u = struct.Struct(">16s").pack
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_iqihc = struct.Struct(">iqihB").unpack_from
_unpack_iqiqhc = struct.Struct(">iqiqhB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class DescribeShareGroupOffsetsResponsePartition:
    partition_index: int = 0
    start_offset: int = 0
    leader_epoch: int = 0
    lag: int = -1
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class DescribeShareGroupOffsetsResponseTopic:
    topic_name: str = ""
    topic_id: bytes = NIL_UUID
    partitions: list[DescribeShareGroupOffsetsResponsePartition] = field(default_factory=list)


@dataclass(slots=True)
class DescribeShareGroupOffsetsResponseGroup:
    group_id: str = ""
    topics: list[DescribeShareGroupOffsetsResponseTopic] = field(default_factory=list)
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class DescribeShareGroupOffsetsResponse(Message):
    throttle_time_ms: int = 0
    groups: list[DescribeShareGroupOffsetsResponseGroup] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> DescribeShareGroupOffsetsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeShareGroupOffsetsResponse, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_describe_share_group_offsets_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeShareGroupOffsetsResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeShareGroupOffsetsResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeShareGroupOffsetsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_describe_share_group_offsets_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeShareGroupOffsetsResponse has no version {version}")


def _read_describe_share_group_offsets_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeShareGroupOffsetsResponse], int]:
    items: list[DescribeShareGroupOffsetsResponse] = []
    groups: list[DescribeShareGroupOffsetsResponseGroup]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeShareGroupOffsetsResponse.groups")
        groups, position = _read_describe_share_group_offsets_response_group_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeShareGroupOffsetsResponse(throttle_time_ms, groups))
    return items, position


def _write_describe_share_group_offsets_response_flexible(
    out: bytearray, items: Sequence[DescribeShareGroupOffsetsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.groups) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.groups:
            _write_describe_share_group_offsets_response_group_flexible(out, item.groups, version)
        out.append(0)


def _read_describe_share_group_offsets_response_group_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeShareGroupOffsetsResponseGroup], int]:
    if position + count * 6 > len(data):
        raise count_fault("DescribeShareGroupOffsetsResponseGroup", count)
    items: list[DescribeShareGroupOffsetsResponseGroup] = []
    group_id: str
    topics: list[DescribeShareGroupOffsetsResponseTopic]
    error_message: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeShareGroupOffsetsResponseGroup.group_id"
            )
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeShareGroupOffsetsResponseGroup.topics"
            )
        topics, position = _read_describe_share_group_offsets_response_topic_flexible(
            data, position, n - 1, version
        )
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
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeShareGroupOffsetsResponseGroup(group_id, topics, error_code, error_message)
        )
    return items, position


def _write_describe_share_group_offsets_response_group_flexible(
    out: bytearray, items: Sequence[DescribeShareGroupOffsetsResponseGroup], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
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
            _write_describe_share_group_offsets_response_topic_flexible(out, item.topics, version)
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
        out.append(0)


def _read_describe_share_group_offsets_response_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeShareGroupOffsetsResponseTopic], int]:
    if position + count * 19 > len(data):
        raise count_fault("DescribeShareGroupOffsetsResponseTopic", count)
    items: list[DescribeShareGroupOffsetsResponseTopic] = []
    topic_name: str
    partitions: list[DescribeShareGroupOffsetsResponsePartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeShareGroupOffsetsResponseTopic.topic_name"
            )
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeShareGroupOffsetsResponseTopic.partitions"
            )
        partitions, position = _read_describe_share_group_offsets_response_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeShareGroupOffsetsResponseTopic(topic_name, topic_id, partitions))
    return items, position


def _write_describe_share_group_offsets_response_topic_flexible(
    out: bytearray, items: Sequence[DescribeShareGroupOffsetsResponseTopic], version: int
) -> None:
    for item in items:
        raw = item.topic_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_describe_share_group_offsets_response_partition_flexible(
                out, item.partitions, version
            )
        out.append(0)


def _read_describe_share_group_offsets_response_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeShareGroupOffsetsResponsePartition], int]:
    if position + count * 20 > len(data):
        raise count_fault("DescribeShareGroupOffsetsResponsePartition", count)
    items: list[DescribeShareGroupOffsetsResponsePartition] = []
    error_message: str | None
    for _ in range(count):
        if version >= 1:
            partition_index, start_offset, leader_epoch, lag, error_code, n = _unpack_iqiqhc(
                data, position
            )
            position += 27
        else:
            partition_index, start_offset, leader_epoch, error_code, n = _unpack_iqihc(
                data, position
            )
            position += 19
            lag = -1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeShareGroupOffsetsResponsePartition(
                partition_index, start_offset, leader_epoch, lag, error_code, error_message
            )
        )
    return items, position


def _write_describe_share_group_offsets_response_partition_flexible(
    out: bytearray, items: Sequence[DescribeShareGroupOffsetsResponsePartition], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_iqiqh(
                item.partition_index,
                item.start_offset,
                item.leader_epoch,
                item.lag,
                item.error_code,
            )
        else:
            out += _pack_iqih(
                item.partition_index, item.start_offset, item.leader_epoch, item.error_code
            )
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
        out.append(0)
