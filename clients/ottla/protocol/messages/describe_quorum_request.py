"""DescribeQuorumRequest, versions 0–2 (flexible from 0).

Generated from describe_quorum.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_ix = struct.Struct(">ix").pack
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class PartitionData:
    partition_index: int = 0


@dataclass(slots=True)
class TopicData:
    topic_name: str = ""
    partitions: list[PartitionData] = field(default_factory=list)


@dataclass(slots=True)
class DescribeQuorumRequest(Message):
    topics: list[TopicData] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeQuorumRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeQuorumRequest, int]:
        try:
            if 0 <= version <= 2:
                (message,), end = _read_describe_quorum_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("DescribeQuorumRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeQuorumRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeQuorumRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 2:
            _write_describe_quorum_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeQuorumRequest has no version {version}")


def _read_describe_quorum_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeQuorumRequest], int]:
    items: list[DescribeQuorumRequest] = []
    topics: list[TopicData]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeQuorumRequest.topics")
        topics, position = _read_topic_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeQuorumRequest(topics))
    return items, position


def _write_describe_quorum_request_flexible(
    out: bytearray, items: Sequence[DescribeQuorumRequest], version: int
) -> None:
    for item in items:
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_topic_data_flexible(out, item.topics, version)
        out.append(0)


def _read_topic_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicData], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicData", count)
    items: list[TopicData] = []
    topic_name: str
    partitions: list[PartitionData]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicData.topic_name")
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicData.partitions")
        partitions, position = _read_partition_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicData(topic_name, partitions))
    return items, position


def _write_topic_data_flexible(out: bytearray, items: Sequence[TopicData], version: int) -> None:
    for item in items:
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
            _write_partition_data_flexible(out, item.partitions, version)
        out.append(0)


def _read_partition_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionData], int]:
    if position + count * 5 > len(data):
        raise count_fault("PartitionData", count)
    items: list[PartitionData] = []
    for _ in range(count):
        partition_index, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(PartitionData(partition_index))
    return items, position


def _write_partition_data_flexible(
    out: bytearray, items: Sequence[PartitionData], version: int
) -> None:
    for item in items:
        out += _pack_ix(item.partition_index)
