"""AlterPartitionReassignmentsResponse, versions 0–1 (flexible from 0).

Generated from alter_partition_reassignments.schema by ottla.protocol.generator; do not edit.
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
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_ih = struct.Struct(">ih").pack
_pack_ioh = struct.Struct(">i?h").pack
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_iohc = struct.Struct(">i?hB").unpack_from


@dataclass(slots=True)
class ReassignablePartitionResponse:
    partition_index: int = 0
    error_code: int = 0
    error_message: str | None = ""


@dataclass(slots=True)
class ReassignableTopicResponse:
    name: str = ""
    partitions: list[ReassignablePartitionResponse] = field(default_factory=list)


@dataclass(slots=True)
class AlterPartitionReassignmentsResponse(Message):
    throttle_time_ms: int = 0
    allow_replication_factor_change: bool = True
    error_code: int = 0
    error_message: str | None = ""
    responses: list[ReassignableTopicResponse] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> AlterPartitionReassignmentsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterPartitionReassignmentsResponse, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_alter_partition_reassignments_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterPartitionReassignmentsResponse", version)
        except MALFORMED as error:
            raise malformed("AlterPartitionReassignmentsResponse", version, error) from error
        if end > len(data):
            raise malformed("AlterPartitionReassignmentsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_alter_partition_reassignments_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"AlterPartitionReassignmentsResponse has no version {version}")


def _read_alter_partition_reassignments_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterPartitionReassignmentsResponse], int]:
    items: list[AlterPartitionReassignmentsResponse] = []
    error_message: str | None
    responses: list[ReassignableTopicResponse]
    for _ in range(count):
        if version >= 1:
            throttle_time_ms, allow_replication_factor_change, error_code, n = _unpack_iohc(
                data, position
            )
            position += 8
        else:
            throttle_time_ms, error_code, n = _unpack_ihc(data, position)
            position += 7
            allow_replication_factor_change = True
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
            n, position = long_length(
                data, position, n, "AlterPartitionReassignmentsResponse.responses"
            )
        responses, position = _read_reassignable_topic_response_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AlterPartitionReassignmentsResponse(
                throttle_time_ms,
                allow_replication_factor_change,
                error_code,
                error_message,
                responses,
            )
        )
    return items, position


def _write_alter_partition_reassignments_response_flexible(
    out: bytearray, items: Sequence[AlterPartitionReassignmentsResponse], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_ioh(
                item.throttle_time_ms, item.allow_replication_factor_change, item.error_code
            )
        else:
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
            _write_reassignable_topic_response_flexible(out, item.responses, version)
        out.append(0)


def _read_reassignable_topic_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ReassignableTopicResponse], int]:
    if position + count * 3 > len(data):
        raise count_fault("ReassignableTopicResponse", count)
    items: list[ReassignableTopicResponse] = []
    name: str
    partitions: list[ReassignablePartitionResponse]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ReassignableTopicResponse.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ReassignableTopicResponse.partitions")
        partitions, position = _read_reassignable_partition_response_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ReassignableTopicResponse(name, partitions))
    return items, position


def _write_reassignable_topic_response_flexible(
    out: bytearray, items: Sequence[ReassignableTopicResponse], version: int
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
            _write_reassignable_partition_response_flexible(out, item.partitions, version)
        out.append(0)


def _read_reassignable_partition_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ReassignablePartitionResponse], int]:
    if position + count * 8 > len(data):
        raise count_fault("ReassignablePartitionResponse", count)
    items: list[ReassignablePartitionResponse] = []
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
        items.append(ReassignablePartitionResponse(partition_index, error_code, error_message))
    return items, position


def _write_reassignable_partition_response_flexible(
    out: bytearray, items: Sequence[ReassignablePartitionResponse], version: int
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
