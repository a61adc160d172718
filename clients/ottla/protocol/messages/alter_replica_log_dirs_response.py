"""AlterReplicaLogDirsResponse, versions 1–2 (flexible from 2).

Generated from alter_replica_log_dirs.schema by ottla.protocol.generator; do not edit.
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
_pack_ih = struct.Struct(">ih").pack
_pack_ihx = struct.Struct(">ihx").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class AlterReplicaLogDirPartitionResult:
    partition_index: int = 0
    error_code: int = 0


@dataclass(slots=True)
class AlterReplicaLogDirTopicResult:
    topic_name: str = ""
    partitions: list[AlterReplicaLogDirPartitionResult] = field(default_factory=list)


@dataclass(slots=True)
class AlterReplicaLogDirsResponse(Message):
    throttle_time_ms: int = 0
    results: list[AlterReplicaLogDirTopicResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AlterReplicaLogDirsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterReplicaLogDirsResponse, int]:
        try:
            if version == 2:
                (message,), end = _read_alter_replica_log_dirs_response_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_alter_replica_log_dirs_response_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterReplicaLogDirsResponse", version)
        except MALFORMED as error:
            raise malformed("AlterReplicaLogDirsResponse", version, error) from error
        if end > len(data):
            raise malformed("AlterReplicaLogDirsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_alter_replica_log_dirs_response_flexible(out, (self,), version)
        elif version == 1:
            _write_alter_replica_log_dirs_response_classic(out, (self,), version)
        else:
            raise ValueError(f"AlterReplicaLogDirsResponse has no version {version}")


def _read_alter_replica_log_dirs_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirsResponse], int]:
    items: list[AlterReplicaLogDirsResponse] = []
    results: list[AlterReplicaLogDirTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterReplicaLogDirsResponse.results")
        results, position = _read_alter_replica_log_dir_topic_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterReplicaLogDirsResponse(throttle_time_ms, results))
    return items, position


def _write_alter_replica_log_dirs_response_flexible(
    out: bytearray, items: Sequence[AlterReplicaLogDirsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.results:
            _write_alter_replica_log_dir_topic_result_flexible(out, item.results, version)
        out.append(0)


def _read_alter_replica_log_dir_topic_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirTopicResult], int]:
    if position + count * 3 > len(data):
        raise count_fault("AlterReplicaLogDirTopicResult", count)
    items: list[AlterReplicaLogDirTopicResult] = []
    topic_name: str
    partitions: list[AlterReplicaLogDirPartitionResult]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterReplicaLogDirTopicResult.topic_name")
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterReplicaLogDirTopicResult.partitions")
        partitions, position = _read_alter_replica_log_dir_partition_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterReplicaLogDirTopicResult(topic_name, partitions))
    return items, position


def _write_alter_replica_log_dir_topic_result_flexible(
    out: bytearray, items: Sequence[AlterReplicaLogDirTopicResult], version: int
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
            _write_alter_replica_log_dir_partition_result_flexible(out, item.partitions, version)
        out.append(0)


def _read_alter_replica_log_dir_partition_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirPartitionResult], int]:
    if position + count * 7 > len(data):
        raise count_fault("AlterReplicaLogDirPartitionResult", count)
    items: list[AlterReplicaLogDirPartitionResult] = []
    for _ in range(count):
        partition_index, error_code, tags = _unpack_ihc(data, position)
        position += 7
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterReplicaLogDirPartitionResult(partition_index, error_code))
    return items, position


def _write_alter_replica_log_dir_partition_result_flexible(
    out: bytearray, items: Sequence[AlterReplicaLogDirPartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_ihx(item.partition_index, item.error_code)


def _read_alter_replica_log_dirs_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirsResponse], int]:
    items: list[AlterReplicaLogDirsResponse] = []
    results: list[AlterReplicaLogDirTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("AlterReplicaLogDirsResponse.results")
        results, position = _read_alter_replica_log_dir_topic_result_classic(
            data, position, n, version
        )
        items.append(AlterReplicaLogDirsResponse(throttle_time_ms, results))
    return items, position


def _write_alter_replica_log_dirs_response_classic(
    out: bytearray, items: Sequence[AlterReplicaLogDirsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.results))
        if item.results:
            _write_alter_replica_log_dir_topic_result_classic(out, item.results, version)


def _read_alter_replica_log_dir_topic_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirTopicResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("AlterReplicaLogDirTopicResult", count)
    items: list[AlterReplicaLogDirTopicResult] = []
    topic_name: str
    partitions: list[AlterReplicaLogDirPartitionResult]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AlterReplicaLogDirTopicResult.topic_name")
        end = position + n
        topic_name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AlterReplicaLogDirTopicResult.partitions")
        partitions, position = _read_alter_replica_log_dir_partition_result_classic(
            data, position, n, version
        )
        items.append(AlterReplicaLogDirTopicResult(topic_name, partitions))
    return items, position


def _write_alter_replica_log_dir_topic_result_classic(
    out: bytearray, items: Sequence[AlterReplicaLogDirTopicResult], version: int
) -> None:
    for item in items:
        raw = item.topic_name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_alter_replica_log_dir_partition_result_classic(out, item.partitions, version)


def _read_alter_replica_log_dir_partition_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirPartitionResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("AlterReplicaLogDirPartitionResult", count)
    items: list[AlterReplicaLogDirPartitionResult] = []
    for _ in range(count):
        partition_index, error_code = _unpack_ih(data, position)
        position += 6
        items.append(AlterReplicaLogDirPartitionResult(partition_index, error_code))
    return items, position


def _write_alter_replica_log_dir_partition_result_classic(
    out: bytearray, items: Sequence[AlterReplicaLogDirPartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.error_code)
