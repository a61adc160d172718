"""TxnOffsetCommitResponse, versions 0–5 (flexible from 3).

Generated from txn_offset_commit.schema by ottla.protocol.generator; do not edit.
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
class TxnOffsetCommitResponsePartition:
    partition_index: int = 0
    error_code: int = 0


@dataclass(slots=True)
class TxnOffsetCommitResponseTopic:
    name: str = ""
    partitions: list[TxnOffsetCommitResponsePartition] = field(default_factory=list)


@dataclass(slots=True)
class TxnOffsetCommitResponse(Message):
    throttle_time_ms: int = 0
    topics: list[TxnOffsetCommitResponseTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> TxnOffsetCommitResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[TxnOffsetCommitResponse, int]:
        try:
            if 3 <= version <= 5:
                (message,), end = _read_txn_offset_commit_response_flexible(
                    data, offset, 1, version
                )
            elif 0 <= version <= 2:
                (message,), end = _read_txn_offset_commit_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("TxnOffsetCommitResponse", version)
        except MALFORMED as error:
            raise malformed("TxnOffsetCommitResponse", version, error) from error
        if end > len(data):
            raise malformed("TxnOffsetCommitResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 5:
            _write_txn_offset_commit_response_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_txn_offset_commit_response_classic(out, (self,), version)
        else:
            raise ValueError(f"TxnOffsetCommitResponse has no version {version}")


def _read_txn_offset_commit_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitResponse], int]:
    items: list[TxnOffsetCommitResponse] = []
    topics: list[TxnOffsetCommitResponseTopic]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitResponse.topics")
        topics, position = _read_txn_offset_commit_response_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TxnOffsetCommitResponse(throttle_time_ms, topics))
    return items, position


def _write_txn_offset_commit_response_flexible(
    out: bytearray, items: Sequence[TxnOffsetCommitResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_txn_offset_commit_response_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_txn_offset_commit_response_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitResponseTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("TxnOffsetCommitResponseTopic", count)
    items: list[TxnOffsetCommitResponseTopic] = []
    name: str
    partitions: list[TxnOffsetCommitResponsePartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitResponseTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitResponseTopic.partitions")
        partitions, position = _read_txn_offset_commit_response_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TxnOffsetCommitResponseTopic(name, partitions))
    return items, position


def _write_txn_offset_commit_response_topic_flexible(
    out: bytearray, items: Sequence[TxnOffsetCommitResponseTopic], version: int
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
            _write_txn_offset_commit_response_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_txn_offset_commit_response_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitResponsePartition], int]:
    if position + count * 7 > len(data):
        raise count_fault("TxnOffsetCommitResponsePartition", count)
    items: list[TxnOffsetCommitResponsePartition] = []
    for _ in range(count):
        partition_index, error_code, tags = _unpack_ihc(data, position)
        position += 7
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TxnOffsetCommitResponsePartition(partition_index, error_code))
    return items, position


def _write_txn_offset_commit_response_partition_flexible(
    out: bytearray, items: Sequence[TxnOffsetCommitResponsePartition], version: int
) -> None:
    for item in items:
        out += _pack_ihx(item.partition_index, item.error_code)


def _read_txn_offset_commit_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitResponse], int]:
    items: list[TxnOffsetCommitResponse] = []
    topics: list[TxnOffsetCommitResponseTopic]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("TxnOffsetCommitResponse.topics")
        topics, position = _read_txn_offset_commit_response_topic_classic(
            data, position, n, version
        )
        items.append(TxnOffsetCommitResponse(throttle_time_ms, topics))
    return items, position


def _write_txn_offset_commit_response_classic(
    out: bytearray, items: Sequence[TxnOffsetCommitResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_txn_offset_commit_response_topic_classic(out, item.topics, version)


def _read_txn_offset_commit_response_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitResponseTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("TxnOffsetCommitResponseTopic", count)
    items: list[TxnOffsetCommitResponseTopic] = []
    name: str
    partitions: list[TxnOffsetCommitResponsePartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TxnOffsetCommitResponseTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("TxnOffsetCommitResponseTopic.partitions")
        partitions, position = _read_txn_offset_commit_response_partition_classic(
            data, position, n, version
        )
        items.append(TxnOffsetCommitResponseTopic(name, partitions))
    return items, position


def _write_txn_offset_commit_response_topic_classic(
    out: bytearray, items: Sequence[TxnOffsetCommitResponseTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_txn_offset_commit_response_partition_classic(out, item.partitions, version)


def _read_txn_offset_commit_response_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitResponsePartition], int]:
    if position + count * 6 > len(data):
        raise count_fault("TxnOffsetCommitResponsePartition", count)
    items: list[TxnOffsetCommitResponsePartition] = []
    for _ in range(count):
        partition_index, error_code = _unpack_ih(data, position)
        position += 6
        items.append(TxnOffsetCommitResponsePartition(partition_index, error_code))
    return items, position


def _write_txn_offset_commit_response_partition_classic(
    out: bytearray, items: Sequence[TxnOffsetCommitResponsePartition], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.error_code)
