"""WriteTxnMarkersRequest, versions 1–2 (flexible from 1).

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
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_ibx = struct.Struct(">ibx").pack
_pack_ix = struct.Struct(">ix").pack
_pack_qho = struct.Struct(">qh?").pack
_unpack_ibc = struct.Struct(">ibB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_qhoc = struct.Struct(">qh?B").unpack_from


@dataclass(slots=True)
class WritableTxnMarkerTopic:
    name: str = ""
    partition_indexes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class WritableTxnMarker:
    producer_id: int = 0
    producer_epoch: int = 0
    transaction_result: bool = False
    topics: list[WritableTxnMarkerTopic] = field(default_factory=list)
    coordinator_epoch: int = 0
    transaction_version: int = 0


@dataclass(slots=True)
class WriteTxnMarkersRequest(Message):
    markers: list[WritableTxnMarker] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> WriteTxnMarkersRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[WriteTxnMarkersRequest, int]:
        try:
            if 1 <= version <= 2:
                (message,), end = _read_write_txn_markers_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("WriteTxnMarkersRequest", version)
        except MALFORMED as error:
            raise malformed("WriteTxnMarkersRequest", version, error) from error
        if end > len(data):
            raise malformed("WriteTxnMarkersRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 1 <= version <= 2:
            _write_write_txn_markers_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"WriteTxnMarkersRequest has no version {version}")


def _read_write_txn_markers_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[WriteTxnMarkersRequest], int]:
    items: list[WriteTxnMarkersRequest] = []
    markers: list[WritableTxnMarker]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "WriteTxnMarkersRequest.markers")
        markers, position = _read_writable_txn_marker_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(WriteTxnMarkersRequest(markers))
    return items, position


def _write_write_txn_markers_request_flexible(
    out: bytearray, items: Sequence[WriteTxnMarkersRequest], version: int
) -> None:
    for item in items:
        n = len(item.markers) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.markers:
            _write_writable_txn_marker_flexible(out, item.markers, version)
        out.append(0)


def _read_writable_txn_marker_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[WritableTxnMarker], int]:
    if position + count * 17 > len(data):
        raise count_fault("WritableTxnMarker", count)
    items: list[WritableTxnMarker] = []
    topics: list[WritableTxnMarkerTopic]
    for _ in range(count):
        producer_id, producer_epoch, transaction_result, n = _unpack_qhoc(data, position)
        position += 12
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "WritableTxnMarker.topics")
        topics, position = _read_writable_txn_marker_topic_flexible(data, position, n - 1, version)
        if version >= 2:
            coordinator_epoch, transaction_version, tags = _unpack_ibc(data, position)
            position += 6
        else:
            coordinator_epoch, tags = _unpack_ic(data, position)
            position += 5
            transaction_version = 0
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            WritableTxnMarker(
                producer_id,
                producer_epoch,
                transaction_result,
                topics,
                coordinator_epoch,
                transaction_version,
            )
        )
    return items, position


def _write_writable_txn_marker_flexible(
    out: bytearray, items: Sequence[WritableTxnMarker], version: int
) -> None:
    for item in items:
        out += _pack_qho(item.producer_id, item.producer_epoch, item.transaction_result)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_writable_txn_marker_topic_flexible(out, item.topics, version)
        if version >= 2:
            out += _pack_ibx(item.coordinator_epoch, item.transaction_version)
        else:
            out += _pack_ix(item.coordinator_epoch)


def _read_writable_txn_marker_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[WritableTxnMarkerTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("WritableTxnMarkerTopic", count)
    items: list[WritableTxnMarkerTopic] = []
    name: str
    partition_indexes: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "WritableTxnMarkerTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "WritableTxnMarkerTopic.partition_indexes")
        partition_indexes, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(WritableTxnMarkerTopic(name, partition_indexes))
    return items, position


def _write_writable_txn_marker_topic_flexible(
    out: bytearray, items: Sequence[WritableTxnMarkerTopic], version: int
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
