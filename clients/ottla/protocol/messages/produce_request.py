"""ProduceRequest, versions 0–13 (flexible from 9).

Generated from produce.schema by ottla.protocol.generator; do not edit.
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
    absent_fault,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_compact_records,
    write_records,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_hi = struct.Struct(">hi").pack
_pack_i = struct.Struct(">i").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hic = struct.Struct(">hiB").unpack_from
_unpack_hii = struct.Struct(">hii").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class PartitionProduceData:
    index: int = 0
    records: Buffer | None = None


@dataclass(slots=True)
class TopicProduceData:
    name: str = ""
    topic_id: bytes = NIL_UUID
    partition_data: list[PartitionProduceData] = field(default_factory=list)


@dataclass(slots=True)
class ProduceRequest(Message):
    transactional_id: str | None = None
    acks: int = 0
    timeout_ms: int = 0
    topic_data: list[TopicProduceData] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 13
    FLEXIBLE_VERSION: ClassVar[int | None] = 9

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ProduceRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ProduceRequest, int]:
        try:
            if 9 <= version <= 13:
                (message,), end = _read_produce_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 8:
                (message,), end = _read_produce_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("ProduceRequest", version)
        except MALFORMED as error:
            raise malformed("ProduceRequest", version, error) from error
        if end > len(data):
            raise malformed("ProduceRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 9 <= version <= 13:
            _write_produce_request_flexible(out, (self,), version)
        elif 0 <= version <= 8:
            _write_produce_request_classic(out, (self,), version)
        else:
            raise ValueError(f"ProduceRequest has no version {version}")


def _read_produce_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ProduceRequest], int]:
    items: list[ProduceRequest] = []
    transactional_id: str | None
    topic_data: list[TopicProduceData]
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            transactional_id = None
        else:
            end = position + n - 1
            transactional_id = str(data[position:end], "utf-8")
            position = end
        acks, timeout_ms, n = _unpack_hic(data, position)
        position += 7
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ProduceRequest.topic_data")
        topic_data, position = _read_topic_produce_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ProduceRequest(transactional_id, acks, timeout_ms, topic_data))
    return items, position


def _write_produce_request_flexible(
    out: bytearray, items: Sequence[ProduceRequest], version: int
) -> None:
    for item in items:
        values_transactional_id = item.transactional_id
        if values_transactional_id is None:
            out.append(0)
        else:
            raw = values_transactional_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_hi(item.acks, item.timeout_ms)
        n = len(item.topic_data) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topic_data:
            _write_topic_produce_data_flexible(out, item.topic_data, version)
        out.append(0)


def _read_topic_produce_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicProduceData], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicProduceData", count)
    items: list[TopicProduceData] = []
    name: str
    partition_data: list[PartitionProduceData]
    for _ in range(count):
        if version <= 12:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "TopicProduceData.name")
            end = position + n - 1
            name = str(data[position:end], "utf-8")
            position = end
        else:
            name = ""
        if version >= 13:
            topic_id, n = _unpack_uc(data, position)
            position += 17
        else:
            n = data[position]
            position += 1
            topic_id = NIL_UUID
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicProduceData.partition_data")
        partition_data, position = _read_partition_produce_data_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicProduceData(name, topic_id, partition_data))
    return items, position


def _write_topic_produce_data_flexible(
    out: bytearray, items: Sequence[TopicProduceData], version: int
) -> None:
    for item in items:
        if version <= 12:
            raw = item.name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 13:
            out += _pack_u(item.topic_id)
        n = len(item.partition_data) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partition_data:
            _write_partition_produce_data_flexible(out, item.partition_data, version)
        out.append(0)


def _read_partition_produce_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionProduceData], int]:
    if position + count * 6 > len(data):
        raise count_fault("PartitionProduceData", count)
    items: list[PartitionProduceData] = []
    records: Buffer | None
    for _ in range(count):
        index, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            records = None
        else:
            end = position + n - 1
            records = memoryview(data)[position:end]
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(PartitionProduceData(index, records))
    return items, position


def _write_partition_produce_data_flexible(
    out: bytearray, items: Sequence[PartitionProduceData], version: int
) -> None:
    for item in items:
        out += _pack_i(item.index)
        values_records = item.records
        if values_records is None:
            out.append(0)
        else:
            write_compact_records(out, values_records, None)
        out.append(0)


def _read_produce_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ProduceRequest], int]:
    items: list[ProduceRequest] = []
    transactional_id: str | None
    topic_data: list[TopicProduceData]
    for _ in range(count):
        if version >= 3:
            (n,) = _unpack_h(data, position)
            position += 2
            if n < 0:
                transactional_id = None
            else:
                end = position + n
                transactional_id = str(data[position:end], "utf-8")
                position = end
        else:
            transactional_id = None
        acks, timeout_ms, n = _unpack_hii(data, position)
        position += 10
        if n < 0:
            raise null_fault("ProduceRequest.topic_data")
        topic_data, position = _read_topic_produce_data_classic(data, position, n, version)
        items.append(ProduceRequest(transactional_id, acks, timeout_ms, topic_data))
    return items, position


def _write_produce_request_classic(
    out: bytearray, items: Sequence[ProduceRequest], version: int
) -> None:
    for item in items:
        if version >= 3:
            values_transactional_id = item.transactional_id
            if values_transactional_id is None:
                out += b"\xff\xff"
            else:
                raw = values_transactional_id.encode()
                out += _pack_h(len(raw))
                out += raw
        elif item.transactional_id is not None:
            raise absent_fault("ProduceRequest.transactional_id", version)
        out += _pack_hi(item.acks, item.timeout_ms)
        out += _pack_i(len(item.topic_data))
        if item.topic_data:
            _write_topic_produce_data_classic(out, item.topic_data, version)


def _read_topic_produce_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicProduceData], int]:
    if position + count * 6 > len(data):
        raise count_fault("TopicProduceData", count)
    items: list[TopicProduceData] = []
    name: str
    partition_data: list[PartitionProduceData]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TopicProduceData.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("TopicProduceData.partition_data")
        partition_data, position = _read_partition_produce_data_classic(data, position, n, version)
        items.append(TopicProduceData(name, NIL_UUID, partition_data))
    return items, position


def _write_topic_produce_data_classic(
    out: bytearray, items: Sequence[TopicProduceData], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partition_data))
        if item.partition_data:
            _write_partition_produce_data_classic(out, item.partition_data, version)


def _read_partition_produce_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionProduceData], int]:
    if position + count * 8 > len(data):
        raise count_fault("PartitionProduceData", count)
    items: list[PartitionProduceData] = []
    records: Buffer | None
    for _ in range(count):
        index, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            records = None
        else:
            end = position + n
            records = memoryview(data)[position:end]
            position = end
        items.append(PartitionProduceData(index, records))
    return items, position


def _write_partition_produce_data_classic(
    out: bytearray, items: Sequence[PartitionProduceData], version: int
) -> None:
    for item in items:
        out += _pack_i(item.index)
        values_records = item.records
        if values_records is None:
            out += b"\xff\xff\xff\xff"
        else:
            write_records(out, values_records, None)
