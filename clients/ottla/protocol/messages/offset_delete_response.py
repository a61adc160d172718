"""OffsetDeleteResponse, versions 0 (none is flexible).

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
_pack_hi = struct.Struct(">hi").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hii = struct.Struct(">hii").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from


@dataclass(slots=True)
class OffsetDeleteResponsePartition:
    partition_index: int = 0
    error_code: int = 0


@dataclass(slots=True)
class OffsetDeleteResponseTopic:
    name: str = ""
    partitions: list[OffsetDeleteResponsePartition] = field(default_factory=list)


@dataclass(slots=True)
class OffsetDeleteResponse(Message):
    error_code: int = 0
    throttle_time_ms: int = 0
    topics: list[OffsetDeleteResponseTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetDeleteResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[OffsetDeleteResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_offset_delete_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("OffsetDeleteResponse", version)
        except MALFORMED as error:
            raise malformed("OffsetDeleteResponse", version, error) from error
        if end > len(data):
            raise malformed("OffsetDeleteResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_offset_delete_response_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetDeleteResponse has no version {version}")


def _read_offset_delete_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetDeleteResponse], int]:
    items: list[OffsetDeleteResponse] = []
    topics: list[OffsetDeleteResponseTopic]
    for _ in range(count):
        error_code, throttle_time_ms, n = _unpack_hii(data, position)
        position += 10
        if n < 0:
            raise null_fault("OffsetDeleteResponse.topics")
        topics, position = _read_offset_delete_response_topic_classic(data, position, n, version)
        items.append(OffsetDeleteResponse(error_code, throttle_time_ms, topics))
    return items, position


def _write_offset_delete_response_classic(
    out: bytearray, items: Sequence[OffsetDeleteResponse], version: int
) -> None:
    for item in items:
        out += _pack_hi(item.error_code, item.throttle_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_offset_delete_response_topic_classic(out, item.topics, version)


def _read_offset_delete_response_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetDeleteResponseTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetDeleteResponseTopic", count)
    items: list[OffsetDeleteResponseTopic] = []
    name: str
    partitions: list[OffsetDeleteResponsePartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetDeleteResponseTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetDeleteResponseTopic.partitions")
        partitions, position = _read_offset_delete_response_partition_classic(
            data, position, n, version
        )
        items.append(OffsetDeleteResponseTopic(name, partitions))
    return items, position


def _write_offset_delete_response_topic_classic(
    out: bytearray, items: Sequence[OffsetDeleteResponseTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_offset_delete_response_partition_classic(out, item.partitions, version)


def _read_offset_delete_response_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetDeleteResponsePartition], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetDeleteResponsePartition", count)
    items: list[OffsetDeleteResponsePartition] = []
    for _ in range(count):
        partition_index, error_code = _unpack_ih(data, position)
        position += 6
        items.append(OffsetDeleteResponsePartition(partition_index, error_code))
    return items, position


def _write_offset_delete_response_partition_classic(
    out: bytearray, items: Sequence[OffsetDeleteResponsePartition], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.error_code)
