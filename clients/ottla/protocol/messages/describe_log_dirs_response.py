"""DescribeLogDirsResponse, versions 1–5 (flexible from 2).

Generated from describe_log_dirs.schema by ottla.protocol.generator; do not edit.
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
_pack_iqqo = struct.Struct(">iqq?").pack
_pack_iqqox = struct.Struct(">iqq?x").pack
_pack_qqox = struct.Struct(">qq?x").pack
_pack_qqx = struct.Struct(">qqx").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_iqqo = struct.Struct(">iqq?").unpack_from
_unpack_iqqoc = struct.Struct(">iqq?B").unpack_from
_unpack_qqc = struct.Struct(">qqB").unpack_from
_unpack_qqoc = struct.Struct(">qq?B").unpack_from


@dataclass(slots=True)
class DescribeLogDirsPartition:
    partition_index: int = 0
    partition_size: int = 0
    offset_lag: int = 0
    is_future_key: bool = False


@dataclass(slots=True)
class DescribeLogDirsTopic:
    name: str = ""
    partitions: list[DescribeLogDirsPartition] = field(default_factory=list)


@dataclass(slots=True)
class DescribeLogDirsResult:
    error_code: int = 0
    log_dir: str = ""
    topics: list[DescribeLogDirsTopic] = field(default_factory=list)
    total_bytes: int = -1
    usable_bytes: int = -1
    is_cordoned: bool = False


@dataclass(slots=True)
class DescribeLogDirsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    results: list[DescribeLogDirsResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeLogDirsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeLogDirsResponse, int]:
        try:
            if 2 <= version <= 5:
                (message,), end = _read_describe_log_dirs_response_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_describe_log_dirs_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("DescribeLogDirsResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeLogDirsResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeLogDirsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 5:
            _write_describe_log_dirs_response_flexible(out, (self,), version)
        elif version == 1:
            _write_describe_log_dirs_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeLogDirsResponse has no version {version}")


def _read_describe_log_dirs_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsResponse], int]:
    items: list[DescribeLogDirsResponse] = []
    results: list[DescribeLogDirsResult]
    for _ in range(count):
        if version >= 3:
            throttle_time_ms, error_code, n = _unpack_ihc(data, position)
            position += 7
        else:
            throttle_time_ms, n = _unpack_ic(data, position)
            position += 5
            error_code = 0
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeLogDirsResponse.results")
        results, position = _read_describe_log_dirs_result_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeLogDirsResponse(throttle_time_ms, error_code, results))
    return items, position


def _write_describe_log_dirs_response_flexible(
    out: bytearray, items: Sequence[DescribeLogDirsResponse], version: int
) -> None:
    for item in items:
        if version >= 3:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        else:
            out += _pack_i(item.throttle_time_ms)
        n = len(item.results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.results:
            _write_describe_log_dirs_result_flexible(out, item.results, version)
        out.append(0)


def _read_describe_log_dirs_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsResult], int]:
    if position + count * 5 > len(data):
        raise count_fault("DescribeLogDirsResult", count)
    items: list[DescribeLogDirsResult] = []
    log_dir: str
    topics: list[DescribeLogDirsTopic]
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeLogDirsResult.log_dir")
        end = position + n - 1
        log_dir = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeLogDirsResult.topics")
        topics, position = _read_describe_log_dirs_topic_flexible(data, position, n - 1, version)
        if version >= 5:
            total_bytes, usable_bytes, is_cordoned, tags = _unpack_qqoc(data, position)
            position += 18
        elif version >= 4:
            total_bytes, usable_bytes, tags = _unpack_qqc(data, position)
            position += 17
            is_cordoned = False
        else:
            tags = data[position]
            position += 1
            total_bytes = -1
            usable_bytes = -1
            is_cordoned = False
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeLogDirsResult(
                error_code, log_dir, topics, total_bytes, usable_bytes, is_cordoned
            )
        )
    return items, position


def _write_describe_log_dirs_result_flexible(
    out: bytearray, items: Sequence[DescribeLogDirsResult], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        raw = item.log_dir.encode()
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
            _write_describe_log_dirs_topic_flexible(out, item.topics, version)
        if version >= 5:
            out += _pack_qqox(item.total_bytes, item.usable_bytes, item.is_cordoned)
        elif version >= 4:
            out += _pack_qqx(item.total_bytes, item.usable_bytes)
        else:
            out.append(0)


def _read_describe_log_dirs_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("DescribeLogDirsTopic", count)
    items: list[DescribeLogDirsTopic] = []
    name: str
    partitions: list[DescribeLogDirsPartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeLogDirsTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeLogDirsTopic.partitions")
        partitions, position = _read_describe_log_dirs_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeLogDirsTopic(name, partitions))
    return items, position


def _write_describe_log_dirs_topic_flexible(
    out: bytearray, items: Sequence[DescribeLogDirsTopic], version: int
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
            _write_describe_log_dirs_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_describe_log_dirs_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsPartition], int]:
    if position + count * 22 > len(data):
        raise count_fault("DescribeLogDirsPartition", count)
    items: list[DescribeLogDirsPartition] = []
    for _ in range(count):
        partition_index, partition_size, offset_lag, is_future_key, tags = _unpack_iqqoc(
            data, position
        )
        position += 22
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeLogDirsPartition(partition_index, partition_size, offset_lag, is_future_key)
        )
    return items, position


def _write_describe_log_dirs_partition_flexible(
    out: bytearray, items: Sequence[DescribeLogDirsPartition], version: int
) -> None:
    for item in items:
        out += _pack_iqqox(
            item.partition_index, item.partition_size, item.offset_lag, item.is_future_key
        )


def _read_describe_log_dirs_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsResponse], int]:
    items: list[DescribeLogDirsResponse] = []
    results: list[DescribeLogDirsResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("DescribeLogDirsResponse.results")
        results, position = _read_describe_log_dirs_result_classic(data, position, n, version)
        items.append(DescribeLogDirsResponse(throttle_time_ms, 0, results))
    return items, position


def _write_describe_log_dirs_response_classic(
    out: bytearray, items: Sequence[DescribeLogDirsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.results))
        if item.results:
            _write_describe_log_dirs_result_classic(out, item.results, version)


def _read_describe_log_dirs_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsResult], int]:
    if position + count * 8 > len(data):
        raise count_fault("DescribeLogDirsResult", count)
    items: list[DescribeLogDirsResult] = []
    log_dir: str
    topics: list[DescribeLogDirsTopic]
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribeLogDirsResult.log_dir")
        end = position + n
        log_dir = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribeLogDirsResult.topics")
        topics, position = _read_describe_log_dirs_topic_classic(data, position, n, version)
        items.append(DescribeLogDirsResult(error_code, log_dir, topics, -1, -1, False))
    return items, position


def _write_describe_log_dirs_result_classic(
    out: bytearray, items: Sequence[DescribeLogDirsResult], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        raw = item.log_dir.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_describe_log_dirs_topic_classic(out, item.topics, version)


def _read_describe_log_dirs_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("DescribeLogDirsTopic", count)
    items: list[DescribeLogDirsTopic] = []
    name: str
    partitions: list[DescribeLogDirsPartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribeLogDirsTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribeLogDirsTopic.partitions")
        partitions, position = _read_describe_log_dirs_partition_classic(data, position, n, version)
        items.append(DescribeLogDirsTopic(name, partitions))
    return items, position


def _write_describe_log_dirs_topic_classic(
    out: bytearray, items: Sequence[DescribeLogDirsTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_describe_log_dirs_partition_classic(out, item.partitions, version)


def _read_describe_log_dirs_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeLogDirsPartition], int]:
    if position + count * 21 > len(data):
        raise count_fault("DescribeLogDirsPartition", count)
    items: list[DescribeLogDirsPartition] = []
    for _ in range(count):
        partition_index, partition_size, offset_lag, is_future_key = _unpack_iqqo(data, position)
        position += 21
        items.append(
            DescribeLogDirsPartition(partition_index, partition_size, offset_lag, is_future_key)
        )
    return items, position


def _write_describe_log_dirs_partition_classic(
    out: bytearray, items: Sequence[DescribeLogDirsPartition], version: int
) -> None:
    for item in items:
        out += _pack_iqqo(
            item.partition_index, item.partition_size, item.offset_lag, item.is_future_key
        )
