"""DescribeProducersRequest, versions 0 (flexible from 0).

Generated from describe_producers.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)


@dataclass(slots=True)
class TopicRequest:
    name: str = ""
    partition_indexes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class DescribeProducersRequest(Message):
    topics: list[TopicRequest] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeProducersRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeProducersRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_describe_producers_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeProducersRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeProducersRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeProducersRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_describe_producers_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeProducersRequest has no version {version}")


def _read_describe_producers_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeProducersRequest], int]:
    items: list[DescribeProducersRequest] = []
    topics: list[TopicRequest]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeProducersRequest.topics")
        topics, position = _read_topic_request_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeProducersRequest(topics))
    return items, position


def _write_describe_producers_request_flexible(
    out: bytearray, items: Sequence[DescribeProducersRequest], version: int
) -> None:
    for item in items:
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_topic_request_flexible(out, item.topics, version)
        out.append(0)


def _read_topic_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicRequest], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicRequest", count)
    items: list[TopicRequest] = []
    name: str
    partition_indexes: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicRequest.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicRequest.partition_indexes")
        partition_indexes, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicRequest(name, partition_indexes))
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
        n = len(item.partition_indexes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partition_indexes:
            write_int32_array(out, item.partition_indexes)
        out.append(0)
