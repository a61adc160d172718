"""WriteTxnMarkersResponse, versions 1–2 (flexible from 1).

Generated from write_txn_markers.schema by ottla.protocol.generator; do not edit.
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

_pack_ihx = struct.Struct(">ihx").pack
_pack_q = struct.Struct(">q").pack
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_qc = struct.Struct(">qB").unpack_from


@dataclass(slots=True)
class WritableTxnMarkerPartitionResult:
    partition_index: int = 0
    error_code: int = 0


@dataclass(slots=True)
class WritableTxnMarkerTopicResult:
    name: str = ""
    partitions: list[WritableTxnMarkerPartitionResult] = field(default_factory=list)


@dataclass(slots=True)
class WritableTxnMarkerResult:
    producer_id: int = 0
    topics: list[WritableTxnMarkerTopicResult] = field(default_factory=list)


@dataclass(slots=True)
class WriteTxnMarkersResponse(Message):
    markers: list[WritableTxnMarkerResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> WriteTxnMarkersResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[WriteTxnMarkersResponse, int]:
        try:
            if 1 <= version <= 2:
                (message,), end = _read_write_txn_markers_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("WriteTxnMarkersResponse", version)
        except MALFORMED as error:
            raise malformed("WriteTxnMarkersResponse", version, error) from error
        if end > len(data):
            raise malformed("WriteTxnMarkersResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 1 <= version <= 2:
            _write_write_txn_markers_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"WriteTxnMarkersResponse has no version {version}")


def _read_write_txn_markers_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[WriteTxnMarkersResponse], int]:
    items: list[WriteTxnMarkersResponse] = []
    markers: list[WritableTxnMarkerResult]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "WriteTxnMarkersResponse.markers")
        markers, position = _read_writable_txn_marker_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(WriteTxnMarkersResponse(markers))
    return items, position


def _write_write_txn_markers_response_flexible(
    out: bytearray, items: Sequence[WriteTxnMarkersResponse], version: int
) -> None:
    for item in items:
        n = len(item.markers) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.markers:
            _write_writable_txn_marker_result_flexible(out, item.markers, version)
        out.append(0)


def _read_writable_txn_marker_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[WritableTxnMarkerResult], int]:
    if position + count * 10 > len(data):
        raise count_fault("WritableTxnMarkerResult", count)
    items: list[WritableTxnMarkerResult] = []
    topics: list[WritableTxnMarkerTopicResult]
    for _ in range(count):
        producer_id, n = _unpack_qc(data, position)
        position += 9
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "WritableTxnMarkerResult.topics")
        topics, position = _read_writable_txn_marker_topic_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(WritableTxnMarkerResult(producer_id, topics))
    return items, position


def _write_writable_txn_marker_result_flexible(
    out: bytearray, items: Sequence[WritableTxnMarkerResult], version: int
) -> None:
    for item in items:
        out += _pack_q(item.producer_id)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_writable_txn_marker_topic_result_flexible(out, item.topics, version)
        out.append(0)


def _read_writable_txn_marker_topic_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[WritableTxnMarkerTopicResult], int]:
    if position + count * 3 > len(data):
        raise count_fault("WritableTxnMarkerTopicResult", count)
    items: list[WritableTxnMarkerTopicResult] = []
    name: str
    partitions: list[WritableTxnMarkerPartitionResult]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "WritableTxnMarkerTopicResult.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "WritableTxnMarkerTopicResult.partitions")
        partitions, position = _read_writable_txn_marker_partition_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(WritableTxnMarkerTopicResult(name, partitions))
    return items, position


def _write_writable_txn_marker_topic_result_flexible(
    out: bytearray, items: Sequence[WritableTxnMarkerTopicResult], version: int
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
            _write_writable_txn_marker_partition_result_flexible(out, item.partitions, version)
        out.append(0)


def _read_writable_txn_marker_partition_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[WritableTxnMarkerPartitionResult], int]:
    if position + count * 7 > len(data):
        raise count_fault("WritableTxnMarkerPartitionResult", count)
    items: list[WritableTxnMarkerPartitionResult] = []
    for _ in range(count):
        partition_index, error_code, tags = _unpack_ihc(data, position)
        position += 7
        if tags:
            position = skip_tags(data, position, tags)
        items.append(WritableTxnMarkerPartitionResult(partition_index, error_code))
    return items, position


def _write_writable_txn_marker_partition_result_flexible(
    out: bytearray, items: Sequence[WritableTxnMarkerPartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_ihx(item.partition_index, item.error_code)
