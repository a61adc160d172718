"""AlterShareGroupOffsetsRequest, versions 0 (flexible from 0).

Generated from alter_share_group_offsets.schema by ottla.protocol.generator; do not edit.
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

_pack_iqx = struct.Struct(">iqx").pack
_unpack_iqc = struct.Struct(">iqB").unpack_from


@dataclass(slots=True)
class AlterShareGroupOffsetsRequestPartition:
    partition_index: int = 0
    start_offset: int = 0


@dataclass(slots=True)
class AlterShareGroupOffsetsRequestTopic:
    topic_name: str = ""
    partitions: list[AlterShareGroupOffsetsRequestPartition] = field(default_factory=list)


@dataclass(slots=True)
class AlterShareGroupOffsetsRequest(Message):
    group_id: str = ""
    topics: list[AlterShareGroupOffsetsRequestTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AlterShareGroupOffsetsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterShareGroupOffsetsRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_alter_share_group_offsets_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterShareGroupOffsetsRequest", version)
        except MALFORMED as error:
            raise malformed("AlterShareGroupOffsetsRequest", version, error) from error
        if end > len(data):
            raise malformed("AlterShareGroupOffsetsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_alter_share_group_offsets_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"AlterShareGroupOffsetsRequest has no version {version}")


def _read_alter_share_group_offsets_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterShareGroupOffsetsRequest], int]:
    items: list[AlterShareGroupOffsetsRequest] = []
    group_id: str
    topics: list[AlterShareGroupOffsetsRequestTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterShareGroupOffsetsRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterShareGroupOffsetsRequest.topics")
        topics, position = _read_alter_share_group_offsets_request_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterShareGroupOffsetsRequest(group_id, topics))
    return items, position


def _write_alter_share_group_offsets_request_flexible(
    out: bytearray, items: Sequence[AlterShareGroupOffsetsRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_alter_share_group_offsets_request_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_alter_share_group_offsets_request_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterShareGroupOffsetsRequestTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("AlterShareGroupOffsetsRequestTopic", count)
    items: list[AlterShareGroupOffsetsRequestTopic] = []
    topic_name: str
    partitions: list[AlterShareGroupOffsetsRequestPartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterShareGroupOffsetsRequestTopic.topic_name"
            )
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterShareGroupOffsetsRequestTopic.partitions"
            )
        partitions, position = _read_alter_share_group_offsets_request_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterShareGroupOffsetsRequestTopic(topic_name, partitions))
    return items, position


def _write_alter_share_group_offsets_request_topic_flexible(
    out: bytearray, items: Sequence[AlterShareGroupOffsetsRequestTopic], version: int
) -> None:
    for item in items:
        raw = item.topic_name.encode()
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
            _write_alter_share_group_offsets_request_partition_flexible(
                out, item.partitions, version
            )
        out.append(0)


def _read_alter_share_group_offsets_request_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterShareGroupOffsetsRequestPartition], int]:
    if position + count * 13 > len(data):
        raise count_fault("AlterShareGroupOffsetsRequestPartition", count)
    items: list[AlterShareGroupOffsetsRequestPartition] = []
    for _ in range(count):
        partition_index, start_offset, tags = _unpack_iqc(data, position)
        position += 13
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterShareGroupOffsetsRequestPartition(partition_index, start_offset))
    return items, position


def _write_alter_share_group_offsets_request_partition_flexible(
    out: bytearray, items: Sequence[AlterShareGroupOffsetsRequestPartition], version: int
) -> None:
    for item in items:
        out += _pack_iqx(item.partition_index, item.start_offset)
