"""DescribeLogDirsRequest, versions 1–5 (flexible from 2).

Generated from describe_log_dirs.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class DescribableLogDirTopic:
    topic: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class DescribeLogDirsRequest(Message):
    topics: list[DescribableLogDirTopic] | None = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeLogDirsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeLogDirsRequest, int]:
        try:
            if 2 <= version <= 5:
                (message,), end = _read_describe_log_dirs_request_flexible(data, offset, 1, version)
            elif version == 1:
                (message,), end = _read_describe_log_dirs_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("DescribeLogDirsRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeLogDirsRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeLogDirsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 5:
            _write_describe_log_dirs_request_flexible(out, (self,), version)
        elif version == 1:
            _write_describe_log_dirs_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeLogDirsRequest has no version {version}")


def _read_describe_log_dirs_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsRequest], int]:
    items: list[DescribeLogDirsRequest] = []
    topics: list[DescribableLogDirTopic] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            topics = None
        else:
            topics, position = _read_describable_log_dir_topic_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeLogDirsRequest(topics))
    return items, position


def _write_describe_log_dirs_request_flexible(
    out: bytearray, items: Sequence[DescribeLogDirsRequest], version: int
) -> None:
    for item in items:
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
                _write_describable_log_dir_topic_flexible(out, values_topics, version)
        out.append(0)


def _read_describable_log_dir_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribableLogDirTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("DescribableLogDirTopic", count)
    items: list[DescribableLogDirTopic] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribableLogDirTopic.topic")
        end = position + n - 1
        topic = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribableLogDirTopic.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribableLogDirTopic(topic, partitions))
    return items, position


def _write_describable_log_dir_topic_flexible(
    out: bytearray, items: Sequence[DescribableLogDirTopic], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
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
            write_int32_array(out, item.partitions)
        out.append(0)


def _read_describe_log_dirs_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsRequest], int]:
    items: list[DescribeLogDirsRequest] = []
    topics: list[DescribableLogDirTopic] | None
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            topics = None
        else:
            topics, position = _read_describable_log_dir_topic_classic(data, position, n, version)
        items.append(DescribeLogDirsRequest(topics))
    return items, position


def _write_describe_log_dirs_request_classic(
    out: bytearray, items: Sequence[DescribeLogDirsRequest], version: int
) -> None:
    for item in items:
        values_topics = item.topics
        if values_topics is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_topics))
            if values_topics:
                _write_describable_log_dir_topic_classic(out, values_topics, version)


def _read_describable_log_dir_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribableLogDirTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("DescribableLogDirTopic", count)
    items: list[DescribableLogDirTopic] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribableLogDirTopic.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribableLogDirTopic.partitions")
        partitions, position = read_int32_array(data, position, n)
        items.append(DescribableLogDirTopic(topic, partitions))
    return items, position


def _write_describable_log_dir_topic_classic(
    out: bytearray, items: Sequence[DescribableLogDirTopic], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            write_int32_array(out, item.partitions)
