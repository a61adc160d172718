"""OffsetCommitResponse, versions 0–10 (flexible from 8).

Generated from offset_commit.schema by ottla.protocol.generator; do not edit.
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
_pack_ih = struct.Struct(">ih").pack
_pack_ihx = struct.Struct(">ihx").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class OffsetCommitResponsePartition:
    partition_index: int = 0
    error_code: int = 0


@dataclass(slots=True)
class OffsetCommitResponseTopic:
    name: str = ""
    topic_id: bytes = NIL_UUID
    partitions: list[OffsetCommitResponsePartition] = field(default_factory=list)


@dataclass(slots=True)
class OffsetCommitResponse(Message):
    throttle_time_ms: int = 0
    topics: list[OffsetCommitResponseTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 10
    FLEXIBLE_VERSION: ClassVar[int | None] = 8

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetCommitResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[OffsetCommitResponse, int]:
        try:
            if 8 <= version <= 10:
                (message,), end = _read_offset_commit_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 7:
                (message,), end = _read_offset_commit_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("OffsetCommitResponse", version)
        except MALFORMED as error:
            raise malformed("OffsetCommitResponse", version, error) from error
        if end > len(data):
            raise malformed("OffsetCommitResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 8 <= version <= 10:
            _write_offset_commit_response_flexible(out, (self,), version)
        elif 0 <= version <= 7:
            _write_offset_commit_response_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetCommitResponse has no version {version}")


def _read_offset_commit_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitResponse], int]:
    items: list[OffsetCommitResponse] = []
    topics: list[OffsetCommitResponseTopic]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetCommitResponse.topics")
        topics, position = _read_offset_commit_response_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetCommitResponse(throttle_time_ms, topics))
    return items, position


def _write_offset_commit_response_flexible(
    out: bytearray, items: Sequence[OffsetCommitResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_offset_commit_response_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_offset_commit_response_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitResponseTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetCommitResponseTopic", count)
    items: list[OffsetCommitResponseTopic] = []
    name: str
    partitions: list[OffsetCommitResponsePartition]
    for _ in range(count):
        if version <= 9:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "OffsetCommitResponseTopic.name")
            end = position + n - 1
            name = str(data[position:end], "utf-8")
            position = end
        else:
            name = ""
        if version >= 10:
            topic_id, n = _unpack_uc(data, position)
            position += 17
        else:
            n = data[position]
            position += 1
            topic_id = NIL_UUID
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetCommitResponseTopic.partitions")
        partitions, position = _read_offset_commit_response_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetCommitResponseTopic(name, topic_id, partitions))
    return items, position


def _write_offset_commit_response_topic_flexible(
    out: bytearray, items: Sequence[OffsetCommitResponseTopic], version: int
) -> None:
    for item in items:
        if version <= 9:
            raw = item.name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 10:
            out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_offset_commit_response_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_offset_commit_response_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitResponsePartition], int]:
    if position + count * 7 > len(data):
        raise count_fault("OffsetCommitResponsePartition", count)
    items: list[OffsetCommitResponsePartition] = []
    for _ in range(count):
        partition_index, error_code, tags = _unpack_ihc(data, position)
        position += 7
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetCommitResponsePartition(partition_index, error_code))
    return items, position


def _write_offset_commit_response_partition_flexible(
    out: bytearray, items: Sequence[OffsetCommitResponsePartition], version: int
) -> None:
    for item in items:
        out += _pack_ihx(item.partition_index, item.error_code)


def _read_offset_commit_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitResponse], int]:
    items: list[OffsetCommitResponse] = []
    topics: list[OffsetCommitResponseTopic]
    for _ in range(count):
        if version >= 3:
            throttle_time_ms, n = _unpack_ii(data, position)
            position += 8
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            throttle_time_ms = 0
        if n < 0:
            raise null_fault("OffsetCommitResponse.topics")
        topics, position = _read_offset_commit_response_topic_classic(data, position, n, version)
        items.append(OffsetCommitResponse(throttle_time_ms, topics))
    return items, position


def _write_offset_commit_response_classic(
    out: bytearray, items: Sequence[OffsetCommitResponse], version: int
) -> None:
    for item in items:
        if version >= 3:
            out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_offset_commit_response_topic_classic(out, item.topics, version)


def _read_offset_commit_response_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitResponseTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetCommitResponseTopic", count)
    items: list[OffsetCommitResponseTopic] = []
    name: str
    partitions: list[OffsetCommitResponsePartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetCommitResponseTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetCommitResponseTopic.partitions")
        partitions, position = _read_offset_commit_response_partition_classic(
            data, position, n, version
        )
        items.append(OffsetCommitResponseTopic(name, NIL_UUID, partitions))
    return items, position


def _write_offset_commit_response_topic_classic(
    out: bytearray, items: Sequence[OffsetCommitResponseTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_offset_commit_response_partition_classic(out, item.partitions, version)


def _read_offset_commit_response_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitResponsePartition], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetCommitResponsePartition", count)
    items: list[OffsetCommitResponsePartition] = []
    for _ in range(count):
        partition_index, error_code = _unpack_ih(data, position)
        position += 6
        items.append(OffsetCommitResponsePartition(partition_index, error_code))
    return items, position


def _write_offset_commit_response_partition_classic(
    out: bytearray, items: Sequence[OffsetCommitResponsePartition], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.error_code)
