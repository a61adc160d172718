"""DeleteRecordsResponse, versions 0–2 (flexible from 2).

Generated from delete_records.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_iqh = struct.Struct(">iqh").pack
_pack_iqhx = struct.Struct(">iqhx").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_iqh = struct.Struct(">iqh").unpack_from
_unpack_iqhc = struct.Struct(">iqhB").unpack_from


@dataclass(slots=True)
class DeleteRecordsPartitionResult:
    partition_index: int = 0
    low_watermark: int = 0
    error_code: int = 0


@dataclass(slots=True)
class DeleteRecordsTopicResult:
    name: str = ""
    partitions: list[DeleteRecordsPartitionResult] = field(default_factory=list)


@dataclass(slots=True)
class DeleteRecordsResponse(Message):
    throttle_time_ms: int = 0
    topics: list[DeleteRecordsTopicResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteRecordsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DeleteRecordsResponse, int]:
        try:
            if version == 2:
                (message,), end = _read_delete_records_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_delete_records_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("DeleteRecordsResponse", version)
        except MALFORMED as error:
            raise malformed("DeleteRecordsResponse", version, error) from error
        if end > len(data):
            raise malformed("DeleteRecordsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_delete_records_response_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_delete_records_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DeleteRecordsResponse has no version {version}")


def _read_delete_records_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsResponse], int]:
    items: list[DeleteRecordsResponse] = []
    topics: list[DeleteRecordsTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteRecordsResponse.topics")
        topics, position = _read_delete_records_topic_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteRecordsResponse(throttle_time_ms, topics))
    return items, position


def _write_delete_records_response_flexible(
    out: bytearray, items: Sequence[DeleteRecordsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_delete_records_topic_result_flexible(out, item.topics, version)
        out.append(0)


def _read_delete_records_topic_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsTopicResult], int]:
    if position + count * 3 > len(data):
        raise count_fault("DeleteRecordsTopicResult", count)
    items: list[DeleteRecordsTopicResult] = []
    name: str
    partitions: list[DeleteRecordsPartitionResult]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteRecordsTopicResult.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteRecordsTopicResult.partitions")
        partitions, position = _read_delete_records_partition_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteRecordsTopicResult(name, partitions))
    return items, position


def _write_delete_records_topic_result_flexible(
    out: bytearray, items: Sequence[DeleteRecordsTopicResult], version: int
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
            _write_delete_records_partition_result_flexible(out, item.partitions, version)
        out.append(0)


def _read_delete_records_partition_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsPartitionResult], int]:
    if position + count * 15 > len(data):
        raise count_fault("DeleteRecordsPartitionResult", count)
    items: list[DeleteRecordsPartitionResult] = []
    for _ in range(count):
        partition_index, low_watermark, error_code, tags = _unpack_iqhc(data, position)
        position += 15
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteRecordsPartitionResult(partition_index, low_watermark, error_code))
    return items, position


def _write_delete_records_partition_result_flexible(
    out: bytearray, items: Sequence[DeleteRecordsPartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_iqhx(item.partition_index, item.low_watermark, item.error_code)


def _read_delete_records_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsResponse], int]:
    items: list[DeleteRecordsResponse] = []
    topics: list[DeleteRecordsTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("DeleteRecordsResponse.topics")
        topics, position = _read_delete_records_topic_result_classic(data, position, n, version)
        items.append(DeleteRecordsResponse(throttle_time_ms, topics))
    return items, position


def _write_delete_records_response_classic(
    out: bytearray, items: Sequence[DeleteRecordsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_delete_records_topic_result_classic(out, item.topics, version)


def _read_delete_records_topic_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsTopicResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("DeleteRecordsTopicResult", count)
    items: list[DeleteRecordsTopicResult] = []
    name: str
    partitions: list[DeleteRecordsPartitionResult]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DeleteRecordsTopicResult.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DeleteRecordsTopicResult.partitions")
        partitions, position = _read_delete_records_partition_result_classic(
            data, position, n, version
        )
        items.append(DeleteRecordsTopicResult(name, partitions))
    return items, position


def _write_delete_records_topic_result_classic(
    out: bytearray, items: Sequence[DeleteRecordsTopicResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_delete_records_partition_result_classic(out, item.partitions, version)


def _read_delete_records_partition_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsPartitionResult], int]:
    if position + count * 14 > len(data):
        raise count_fault("DeleteRecordsPartitionResult", count)
    items: list[DeleteRecordsPartitionResult] = []
    for _ in range(count):
        partition_index, low_watermark, error_code = _unpack_iqh(data, position)
        position += 14
        items.append(DeleteRecordsPartitionResult(partition_index, low_watermark, error_code))
    return items, position


def _write_delete_records_partition_result_classic(
    out: bytearray, items: Sequence[DeleteRecordsPartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_iqh(item.partition_index, item.low_watermark, item.error_code)
