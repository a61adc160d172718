"""DescribeProducersResponse, versions 0 (flexible from 0).

Generated from describe_producers.schema by ottla.protocol.generator; do not edit.
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
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_qiiqiqx = struct.Struct(">qiiqiqx").pack
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_qiiqiqc = struct.Struct(">qiiqiqB").unpack_from


@dataclass(slots=True)
class ProducerState:
    producer_id: int = 0
    producer_epoch: int = 0
    last_sequence: int = -1
    last_timestamp: int = -1
    coordinator_epoch: int = 0
    current_txn_start_offset: int = -1


@dataclass(slots=True)
class PartitionResponse:
    partition_index: int = 0
    error_code: int = 0
    error_message: str | None = None
    active_producers: list[ProducerState] = field(default_factory=list)


@dataclass(slots=True)
class TopicResponse:
    name: str = ""
    partitions: list[PartitionResponse] = field(default_factory=list)


@dataclass(slots=True)
class DescribeProducersResponse(Message):
    throttle_time_ms: int = 0
    topics: list[TopicResponse] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeProducersResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeProducersResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_describe_producers_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeProducersResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeProducersResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeProducersResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_describe_producers_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeProducersResponse has no version {version}")


def _read_describe_producers_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeProducersResponse], int]:
    items: list[DescribeProducersResponse] = []
    topics: list[TopicResponse]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeProducersResponse.topics")
        topics, position = _read_topic_response_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeProducersResponse(throttle_time_ms, topics))
    return items, position


def _write_describe_producers_response_flexible(
    out: bytearray, items: Sequence[DescribeProducersResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_topic_response_flexible(out, item.topics, version)
        out.append(0)


def _read_topic_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicResponse], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicResponse", count)
    items: list[TopicResponse] = []
    name: str
    partitions: list[PartitionResponse]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicResponse.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicResponse.partitions")
        partitions, position = _read_partition_response_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicResponse(name, partitions))
    return items, position


def _write_topic_response_flexible(
    out: bytearray, items: Sequence[TopicResponse], version: int
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
            _write_partition_response_flexible(out, item.partitions, version)
        out.append(0)


def _read_partition_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionResponse], int]:
    if position + count * 9 > len(data):
        raise count_fault("PartitionResponse", count)
    items: list[PartitionResponse] = []
    error_message: str | None
    active_producers: list[ProducerState]
    for _ in range(count):
        partition_index, error_code, n = _unpack_ihc(data, position)
        position += 7
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PartitionResponse.active_producers")
        active_producers, position = _read_producer_state_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            PartitionResponse(partition_index, error_code, error_message, active_producers)
        )
    return items, position


def _write_partition_response_flexible(
    out: bytearray, items: Sequence[PartitionResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.error_code)
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
        n = len(item.active_producers) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.active_producers:
            _write_producer_state_flexible(out, item.active_producers, version)
        out.append(0)


def _read_producer_state_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ProducerState], int]:
    if position + count * 37 > len(data):
        raise count_fault("ProducerState", count)
    items: list[ProducerState] = []
    for _ in range(count):
        (
            producer_id,
            producer_epoch,
            last_sequence,
            last_timestamp,
            coordinator_epoch,
            current_txn_start_offset,
            tags,
        ) = _unpack_qiiqiqc(data, position)
        position += 37
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ProducerState(
                producer_id,
                producer_epoch,
                last_sequence,
                last_timestamp,
                coordinator_epoch,
                current_txn_start_offset,
            )
        )
    return items, position


def _write_producer_state_flexible(
    out: bytearray, items: Sequence[ProducerState], version: int
) -> None:
    for item in items:
        out += _pack_qiiqiqx(
            item.producer_id,
            item.producer_epoch,
            item.last_sequence,
            item.last_timestamp,
            item.coordinator_epoch,
            item.current_txn_start_offset,
        )
