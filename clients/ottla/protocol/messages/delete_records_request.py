"""DeleteRecordsRequest, versions 0–2 (flexible from 2).

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
_pack_iq = struct.Struct(">iq").pack
_pack_iqx = struct.Struct(">iqx").pack
_pack_ix = struct.Struct(">ix").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_iq = struct.Struct(">iq").unpack_from
_unpack_iqc = struct.Struct(">iqB").unpack_from


@dataclass(slots=True)
class DeleteRecordsPartition:
    partition_index: int = 0
    offset: int = 0


@dataclass(slots=True)
class DeleteRecordsTopic:
    name: str = ""
    partitions: list[DeleteRecordsPartition] = field(default_factory=list)


@dataclass(slots=True)
class DeleteRecordsRequest(Message):
    topics: list[DeleteRecordsTopic] = field(default_factory=list)
    timeout_ms: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteRecordsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DeleteRecordsRequest, int]:
        try:
            if version == 2:
                (message,), end = _read_delete_records_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_delete_records_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("DeleteRecordsRequest", version)
        except MALFORMED as error:
            raise malformed("DeleteRecordsRequest", version, error) from error
        if end > len(data):
            raise malformed("DeleteRecordsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_delete_records_request_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_delete_records_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DeleteRecordsRequest has no version {version}")


def _read_delete_records_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsRequest], int]:
    items: list[DeleteRecordsRequest] = []
    topics: list[DeleteRecordsTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteRecordsRequest.topics")
        topics, position = _read_delete_records_topic_flexible(data, position, n - 1, version)
        timeout_ms, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteRecordsRequest(topics, timeout_ms))
    return items, position


def _write_delete_records_request_flexible(
    out: bytearray, items: Sequence[DeleteRecordsRequest], version: int
) -> None:
    for item in items:
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_delete_records_topic_flexible(out, item.topics, version)
        out += _pack_ix(item.timeout_ms)


def _read_delete_records_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("DeleteRecordsTopic", count)
    items: list[DeleteRecordsTopic] = []
    name: str
    partitions: list[DeleteRecordsPartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteRecordsTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteRecordsTopic.partitions")
        partitions, position = _read_delete_records_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteRecordsTopic(name, partitions))
    return items, position


def _write_delete_records_topic_flexible(
    out: bytearray, items: Sequence[DeleteRecordsTopic], version: int
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
            _write_delete_records_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_delete_records_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsPartition], int]:
    if position + count * 13 > len(data):
        raise count_fault("DeleteRecordsPartition", count)
    items: list[DeleteRecordsPartition] = []
    for _ in range(count):
        partition_index, offset, tags = _unpack_iqc(data, position)
        position += 13
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteRecordsPartition(partition_index, offset))
    return items, position


def _write_delete_records_partition_flexible(
    out: bytearray, items: Sequence[DeleteRecordsPartition], version: int
) -> None:
    for item in items:
        out += _pack_iqx(item.partition_index, item.offset)


def _read_delete_records_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsRequest], int]:
    items: list[DeleteRecordsRequest] = []
    topics: list[DeleteRecordsTopic]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DeleteRecordsRequest.topics")
        topics, position = _read_delete_records_topic_classic(data, position, n, version)
        (timeout_ms,) = _unpack_i(data, position)
        position += 4
        items.append(DeleteRecordsRequest(topics, timeout_ms))
    return items, position


def _write_delete_records_request_classic(
    out: bytearray, items: Sequence[DeleteRecordsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_delete_records_topic_classic(out, item.topics, version)
        out += _pack_i(item.timeout_ms)


def _read_delete_records_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("DeleteRecordsTopic", count)
    items: list[DeleteRecordsTopic] = []
    name: str
    partitions: list[DeleteRecordsPartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DeleteRecordsTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DeleteRecordsTopic.partitions")
        partitions, position = _read_delete_records_partition_classic(data, position, n, version)
        items.append(DeleteRecordsTopic(name, partitions))
    return items, position


def _write_delete_records_topic_classic(
    out: bytearray, items: Sequence[DeleteRecordsTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_delete_records_partition_classic(out, item.partitions, version)


def _read_delete_records_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteRecordsPartition], int]:
    if position + count * 12 > len(data):
        raise count_fault("DeleteRecordsPartition", count)
    items: list[DeleteRecordsPartition] = []
    for _ in range(count):
        partition_index, offset = _unpack_iq(data, position)
        position += 12
        items.append(DeleteRecordsPartition(partition_index, offset))
    return items, position


def _write_delete_records_partition_classic(
    out: bytearray, items: Sequence[DeleteRecordsPartition], version: int
) -> None:
    for item in items:
        out += _pack_iq(item.partition_index, item.offset)
