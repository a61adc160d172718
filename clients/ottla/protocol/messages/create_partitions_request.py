"""CreatePartitionsRequest, versions 0–3 (flexible from 2).

Generated from create_partitions.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_io = struct.Struct(">i?").pack
_pack_iox = struct.Struct(">i?x").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_io = struct.Struct(">i?").unpack_from
_unpack_ioc = struct.Struct(">i?B").unpack_from


@dataclass(slots=True)
class CreatePartitionsAssignment:
    broker_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CreatePartitionsTopic:
    name: str = ""
    count: int = 0
    assignments: list[CreatePartitionsAssignment] | None = field(default_factory=list)


@dataclass(slots=True)
class CreatePartitionsRequest(Message):
    topics: list[CreatePartitionsTopic] = field(default_factory=list)
    timeout_ms: int = 0
    validate_only: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> CreatePartitionsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[CreatePartitionsRequest, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_create_partitions_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_create_partitions_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("CreatePartitionsRequest", version)
        except MALFORMED as error:
            raise malformed("CreatePartitionsRequest", version, error) from error
        if end > len(data):
            raise malformed("CreatePartitionsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_create_partitions_request_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_create_partitions_request_classic(out, (self,), version)
        else:
            raise ValueError(f"CreatePartitionsRequest has no version {version}")


def _read_create_partitions_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsRequest], int]:
    items: list[CreatePartitionsRequest] = []
    topics: list[CreatePartitionsTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatePartitionsRequest.topics")
        topics, position = _read_create_partitions_topic_flexible(data, position, n - 1, version)
        timeout_ms, validate_only, tags = _unpack_ioc(data, position)
        position += 6
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatePartitionsRequest(topics, timeout_ms, validate_only))
    return items, position


def _write_create_partitions_request_flexible(
    out: bytearray, items: Sequence[CreatePartitionsRequest], version: int
) -> None:
    for item in items:
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_create_partitions_topic_flexible(out, item.topics, version)
        out += _pack_iox(item.timeout_ms, item.validate_only)


def _read_create_partitions_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsTopic], int]:
    if position + count * 7 > len(data):
        raise count_fault("CreatePartitionsTopic", count)
    items: list[CreatePartitionsTopic] = []
    name: str
    assignments: list[CreatePartitionsAssignment] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatePartitionsTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        count_, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            assignments = None
        else:
            assignments, position = _read_create_partitions_assignment_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatePartitionsTopic(name, count_, assignments))
    return items, position


def _write_create_partitions_topic_flexible(
    out: bytearray, items: Sequence[CreatePartitionsTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.count)
        values_assignments = item.assignments
        if values_assignments is None:
            out.append(0)
        else:
            n = len(values_assignments) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_assignments:
                _write_create_partitions_assignment_flexible(out, values_assignments, version)
        out.append(0)


def _read_create_partitions_assignment_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsAssignment], int]:
    if position + count * 2 > len(data):
        raise count_fault("CreatePartitionsAssignment", count)
    items: list[CreatePartitionsAssignment] = []
    broker_ids: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatePartitionsAssignment.broker_ids")
        broker_ids, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatePartitionsAssignment(broker_ids))
    return items, position


def _write_create_partitions_assignment_flexible(
    out: bytearray, items: Sequence[CreatePartitionsAssignment], version: int
) -> None:
    for item in items:
        n = len(item.broker_ids) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.broker_ids:
            write_int32_array(out, item.broker_ids)
        out.append(0)


def _read_create_partitions_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsRequest], int]:
    items: list[CreatePartitionsRequest] = []
    topics: list[CreatePartitionsTopic]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("CreatePartitionsRequest.topics")
        topics, position = _read_create_partitions_topic_classic(data, position, n, version)
        timeout_ms, validate_only = _unpack_io(data, position)
        position += 5
        items.append(CreatePartitionsRequest(topics, timeout_ms, validate_only))
    return items, position


def _write_create_partitions_request_classic(
    out: bytearray, items: Sequence[CreatePartitionsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_create_partitions_topic_classic(out, item.topics, version)
        out += _pack_io(item.timeout_ms, item.validate_only)


def _read_create_partitions_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsTopic], int]:
    if position + count * 10 > len(data):
        raise count_fault("CreatePartitionsTopic", count)
    items: list[CreatePartitionsTopic] = []
    name: str
    assignments: list[CreatePartitionsAssignment] | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("CreatePartitionsTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        count_, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            assignments = None
        else:
            assignments, position = _read_create_partitions_assignment_classic(
                data, position, n, version
            )
        items.append(CreatePartitionsTopic(name, count_, assignments))
    return items, position


def _write_create_partitions_topic_classic(
    out: bytearray, items: Sequence[CreatePartitionsTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(item.count)
        values_assignments = item.assignments
        if values_assignments is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_assignments))
            if values_assignments:
                _write_create_partitions_assignment_classic(out, values_assignments, version)


def _read_create_partitions_assignment_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsAssignment], int]:
    if position + count * 4 > len(data):
        raise count_fault("CreatePartitionsAssignment", count)
    items: list[CreatePartitionsAssignment] = []
    broker_ids: list[int]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("CreatePartitionsAssignment.broker_ids")
        broker_ids, position = read_int32_array(data, position, n)
        items.append(CreatePartitionsAssignment(broker_ids))
    return items, position


def _write_create_partitions_assignment_classic(
    out: bytearray, items: Sequence[CreatePartitionsAssignment], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.broker_ids))
        if item.broker_ids:
            write_int32_array(out, item.broker_ids)
