"""AlterShareGroupOffsetsResponse, versions 0 (flexible from 0).

Generated from alter_share_group_offsets.schema by ottla.protocol.generator; do not edit.
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
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_ih = struct.Struct(">ih").pack
_pack_u = struct.Struct(">16s").pack
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class AlterShareGroupOffsetsResponsePartition:
    partition_index: int = 0
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class AlterShareGroupOffsetsResponseTopic:
    topic_name: str = ""
    topic_id: bytes = NIL_UUID
    partitions: list[AlterShareGroupOffsetsResponsePartition] = field(default_factory=list)


@dataclass(slots=True)
class AlterShareGroupOffsetsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = None
    responses: list[AlterShareGroupOffsetsResponseTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AlterShareGroupOffsetsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterShareGroupOffsetsResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_alter_share_group_offsets_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterShareGroupOffsetsResponse", version)
        except MALFORMED as error:
            raise malformed("AlterShareGroupOffsetsResponse", version, error) from error
        if end > len(data):
            raise malformed("AlterShareGroupOffsetsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_alter_share_group_offsets_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"AlterShareGroupOffsetsResponse has no version {version}")


def _read_alter_share_group_offsets_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterShareGroupOffsetsResponse], int]:
    items: list[AlterShareGroupOffsetsResponse] = []
    error_message: str | None
    responses: list[AlterShareGroupOffsetsResponseTopic]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
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
            n, position = long_length(data, position, n, "AlterShareGroupOffsetsResponse.responses")
        responses, position = _read_alter_share_group_offsets_response_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AlterShareGroupOffsetsResponse(throttle_time_ms, error_code, error_message, responses)
        )
    return items, position


def _write_alter_share_group_offsets_response_flexible(
    out: bytearray, items: Sequence[AlterShareGroupOffsetsResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
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
        n = len(item.responses) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.responses:
            _write_alter_share_group_offsets_response_topic_flexible(out, item.responses, version)
        out.append(0)


def _read_alter_share_group_offsets_response_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterShareGroupOffsetsResponseTopic], int]:
    if position + count * 19 > len(data):
        raise count_fault("AlterShareGroupOffsetsResponseTopic", count)
    items: list[AlterShareGroupOffsetsResponseTopic] = []
    topic_name: str
    partitions: list[AlterShareGroupOffsetsResponsePartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterShareGroupOffsetsResponseTopic.topic_name"
            )
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterShareGroupOffsetsResponseTopic.partitions"
            )
        partitions, position = _read_alter_share_group_offsets_response_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterShareGroupOffsetsResponseTopic(topic_name, topic_id, partitions))
    return items, position


def _write_alter_share_group_offsets_response_topic_flexible(
    out: bytearray, items: Sequence[AlterShareGroupOffsetsResponseTopic], version: int
) -> None:
    for item in items:
        raw = item.topic_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_alter_share_group_offsets_response_partition_flexible(
                out, item.partitions, version
            )
        out.append(0)


def _read_alter_share_group_offsets_response_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterShareGroupOffsetsResponsePartition], int]:
    if position + count * 8 > len(data):
        raise count_fault("AlterShareGroupOffsetsResponsePartition", count)
    items: list[AlterShareGroupOffsetsResponsePartition] = []
    error_message: str | None
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
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AlterShareGroupOffsetsResponsePartition(partition_index, error_code, error_message)
        )
    return items, position


def _write_alter_share_group_offsets_response_partition_flexible(
    out: bytearray, items: Sequence[AlterShareGroupOffsetsResponsePartition], version: int
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
        out.append(0)
