"""OffsetDeleteRequest, versions 0 (none is flexible).

Generated from offset_delete.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    null_fault,
    unknown_version,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class OffsetDeleteRequestPartition:
    partition_index: int = 0


@dataclass(slots=True)
class OffsetDeleteRequestTopic:
    name: str = ""
    partitions: list[OffsetDeleteRequestPartition] = field(default_factory=list)


@dataclass(slots=True)
class OffsetDeleteRequest(Message):
    group_id: str = ""
    topics: list[OffsetDeleteRequestTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetDeleteRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[OffsetDeleteRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_offset_delete_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("OffsetDeleteRequest", version)
        except MALFORMED as error:
            raise malformed("OffsetDeleteRequest", version, error) from error
        if end > len(data):
            raise malformed("OffsetDeleteRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_offset_delete_request_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetDeleteRequest has no version {version}")


def _read_offset_delete_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetDeleteRequest], int]:
    items: list[OffsetDeleteRequest] = []
    group_id: str
    topics: list[OffsetDeleteRequestTopic]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetDeleteRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetDeleteRequest.topics")
        topics, position = _read_offset_delete_request_topic_classic(data, position, n, version)
        items.append(OffsetDeleteRequest(group_id, topics))
    return items, position


def _write_offset_delete_request_classic(
    out: bytearray, items: Sequence[OffsetDeleteRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_offset_delete_request_topic_classic(out, item.topics, version)


def _read_offset_delete_request_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetDeleteRequestTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetDeleteRequestTopic", count)
    items: list[OffsetDeleteRequestTopic] = []
    name: str
    partitions: list[OffsetDeleteRequestPartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetDeleteRequestTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetDeleteRequestTopic.partitions")
        partitions, position = _read_offset_delete_request_partition_classic(
            data, position, n, version
        )
        items.append(OffsetDeleteRequestTopic(name, partitions))
    return items, position


def _write_offset_delete_request_topic_classic(
    out: bytearray, items: Sequence[OffsetDeleteRequestTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_offset_delete_request_partition_classic(out, item.partitions, version)


def _read_offset_delete_request_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetDeleteRequestPartition], int]:
    if position + count * 4 > len(data):
        raise count_fault("OffsetDeleteRequestPartition", count)
    items: list[OffsetDeleteRequestPartition] = []
    for _ in range(count):
        (partition_index,) = _unpack_i(data, position)
        position += 4
        items.append(OffsetDeleteRequestPartition(partition_index))
    return items, position


def _write_offset_delete_request_partition_classic(
    out: bytearray, items: Sequence[OffsetDeleteRequestPartition], version: int
) -> None:
    for item in items:
        out += _pack_i(item.partition_index)
