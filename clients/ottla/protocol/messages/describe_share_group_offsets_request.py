"""DescribeShareGroupOffsetsRequest, versions 0–1 (flexible from 0).

Generated from describe_share_group_offsets.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

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


@dataclass(slots=True)
class DescribeShareGroupOffsetsRequestTopic:
    topic_name: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class DescribeShareGroupOffsetsRequestGroup:
    group_id: str = ""
    topics: list[DescribeShareGroupOffsetsRequestTopic] | None = field(default_factory=list)


@dataclass(slots=True)
class DescribeShareGroupOffsetsRequest(Message):
    groups: list[DescribeShareGroupOffsetsRequestGroup] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> DescribeShareGroupOffsetsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeShareGroupOffsetsRequest, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_describe_share_group_offsets_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeShareGroupOffsetsRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeShareGroupOffsetsRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeShareGroupOffsetsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_describe_share_group_offsets_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeShareGroupOffsetsRequest has no version {version}")


def _read_describe_share_group_offsets_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeShareGroupOffsetsRequest], int]:
    items: list[DescribeShareGroupOffsetsRequest] = []
    groups: list[DescribeShareGroupOffsetsRequestGroup]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeShareGroupOffsetsRequest.groups")
        groups, position = _read_describe_share_group_offsets_request_group_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeShareGroupOffsetsRequest(groups))
    return items, position


def _write_describe_share_group_offsets_request_flexible(
    out: bytearray, items: Sequence[DescribeShareGroupOffsetsRequest], version: int
) -> None:
    for item in items:
        n = len(item.groups) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.groups:
            _write_describe_share_group_offsets_request_group_flexible(out, item.groups, version)
        out.append(0)


def _read_describe_share_group_offsets_request_group_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeShareGroupOffsetsRequestGroup], int]:
    if position + count * 3 > len(data):
        raise count_fault("DescribeShareGroupOffsetsRequestGroup", count)
    items: list[DescribeShareGroupOffsetsRequestGroup] = []
    group_id: str
    topics: list[DescribeShareGroupOffsetsRequestTopic] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeShareGroupOffsetsRequestGroup.group_id"
            )
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            topics = None
        else:
            topics, position = _read_describe_share_group_offsets_request_topic_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeShareGroupOffsetsRequestGroup(group_id, topics))
    return items, position


def _write_describe_share_group_offsets_request_group_flexible(
    out: bytearray, items: Sequence[DescribeShareGroupOffsetsRequestGroup], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
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
                _write_describe_share_group_offsets_request_topic_flexible(
                    out, values_topics, version
                )
        out.append(0)


def _read_describe_share_group_offsets_request_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeShareGroupOffsetsRequestTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("DescribeShareGroupOffsetsRequestTopic", count)
    items: list[DescribeShareGroupOffsetsRequestTopic] = []
    topic_name: str
    partitions: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeShareGroupOffsetsRequestTopic.topic_name"
            )
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeShareGroupOffsetsRequestTopic.partitions"
            )
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeShareGroupOffsetsRequestTopic(topic_name, partitions))
    return items, position


def _write_describe_share_group_offsets_request_topic_flexible(
    out: bytearray, items: Sequence[DescribeShareGroupOffsetsRequestTopic], version: int
) -> None:
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
            write_int32_array(out, item.partitions)
        out.append(0)
