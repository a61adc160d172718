"""DescribeTopicPartitionsRequest, versions 0 (flexible from 0).

Generated from describe_topic_partitions.schema by ottla.protocol.generator; do not edit.
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

_pack_i = struct.Struct(">i").pack
_pack_ix = struct.Struct(">ix").pack
_unpack_ib = struct.Struct(">ib").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class Cursor:
    topic_name: str = ""
    partition_index: int = 0


@dataclass(slots=True)
class TopicRequest:
    name: str = ""


@dataclass(slots=True)
class DescribeTopicPartitionsRequest(Message):
    topics: list[TopicRequest] = field(default_factory=list)
    response_partition_limit: int = 2000
    cursor: Cursor | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeTopicPartitionsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeTopicPartitionsRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_describe_topic_partitions_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeTopicPartitionsRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeTopicPartitionsRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeTopicPartitionsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_describe_topic_partitions_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeTopicPartitionsRequest has no version {version}")


def _read_describe_topic_partitions_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeTopicPartitionsRequest], int]:
    items: list[DescribeTopicPartitionsRequest] = []
    topics: list[TopicRequest]
    cursor: Cursor | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeTopicPartitionsRequest.topics")
        topics, position = _read_topic_request_flexible(data, position, n - 1, version)
        response_partition_limit, n = _unpack_ib(data, position)
        position += 5
        if n < 0:
            cursor = None
        else:
            (cursor,), position = _read_cursor_flexible(data, position, 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeTopicPartitionsRequest(topics, response_partition_limit, cursor))
    return items, position


def _write_describe_topic_partitions_request_flexible(
    out: bytearray, items: Sequence[DescribeTopicPartitionsRequest], version: int
) -> None:
    for item in items:
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_topic_request_flexible(out, item.topics, version)
        out += _pack_i(item.response_partition_limit)
        if item.cursor is None:
            out.append(255)
        else:
            out.append(1)
            _write_cursor_flexible(out, (item.cursor,), version)
        out.append(0)


def _read_topic_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicRequest], int]:
    if position + count * 2 > len(data):
        raise count_fault("TopicRequest", count)
    items: list[TopicRequest] = []
    name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicRequest.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicRequest(name))
    return items, position


def _write_topic_request_flexible(
    out: bytearray, items: Sequence[TopicRequest], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
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
