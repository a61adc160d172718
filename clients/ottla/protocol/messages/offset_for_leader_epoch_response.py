"""OffsetForLeaderEpochResponse, versions 2–4 (flexible from 4).

Generated from offset_for_leader_epoch.schema by ottla.protocol.generator; do not edit.
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
_pack_hiiq = struct.Struct(">hiiq").pack
_pack_hiiqx = struct.Struct(">hiiqx").pack
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hiiq = struct.Struct(">hiiq").unpack_from
_unpack_hiiqc = struct.Struct(">hiiqB").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class EpochEndOffset:
    error_code: int = 0
    partition: int = 0
    leader_epoch: int = -1
    end_offset: int = -1


@dataclass(slots=True)
class OffsetForLeaderTopicResult:
    topic: str = ""
    partitions: list[EpochEndOffset] = field(default_factory=list)


@dataclass(slots=True)
class OffsetForLeaderEpochResponse(Message):
    throttle_time_ms: int = 0
    topics: list[OffsetForLeaderTopicResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 2
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetForLeaderEpochResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[OffsetForLeaderEpochResponse, int]:
        try:
            if version == 4:
                (message,), end = _read_offset_for_leader_epoch_response_flexible(
                    data, offset, 1, version
                )
            elif 2 <= version <= 3:
                (message,), end = _read_offset_for_leader_epoch_response_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("OffsetForLeaderEpochResponse", version)
        except MALFORMED as error:
            raise malformed("OffsetForLeaderEpochResponse", version, error) from error
        if end > len(data):
            raise malformed("OffsetForLeaderEpochResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 4:
            _write_offset_for_leader_epoch_response_flexible(out, (self,), version)
        elif 2 <= version <= 3:
            _write_offset_for_leader_epoch_response_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetForLeaderEpochResponse has no version {version}")


def _read_offset_for_leader_epoch_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderEpochResponse], int]:
    items: list[OffsetForLeaderEpochResponse] = []
    topics: list[OffsetForLeaderTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetForLeaderEpochResponse.topics")
        topics, position = _read_offset_for_leader_topic_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetForLeaderEpochResponse(throttle_time_ms, topics))
    return items, position


def _write_offset_for_leader_epoch_response_flexible(
    out: bytearray, items: Sequence[OffsetForLeaderEpochResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_offset_for_leader_topic_result_flexible(out, item.topics, version)
        out.append(0)


def _read_offset_for_leader_topic_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderTopicResult], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetForLeaderTopicResult", count)
    items: list[OffsetForLeaderTopicResult] = []
    topic: str
    partitions: list[EpochEndOffset]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetForLeaderTopicResult.topic")
        end = position + n - 1
        topic = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetForLeaderTopicResult.partitions")
        partitions, position = _read_epoch_end_offset_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetForLeaderTopicResult(topic, partitions))
    return items, position


def _write_offset_for_leader_topic_result_flexible(
    out: bytearray, items: Sequence[OffsetForLeaderTopicResult], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
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
            _write_epoch_end_offset_flexible(out, item.partitions, version)
        out.append(0)


def _read_epoch_end_offset_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EpochEndOffset], int]:
    if position + count * 19 > len(data):
        raise count_fault("EpochEndOffset", count)
    items: list[EpochEndOffset] = []
    for _ in range(count):
        error_code, partition, leader_epoch, end_offset, tags = _unpack_hiiqc(data, position)
        position += 19
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EpochEndOffset(error_code, partition, leader_epoch, end_offset))
    return items, position


def _write_epoch_end_offset_flexible(
    out: bytearray, items: Sequence[EpochEndOffset], version: int
) -> None:
    for item in items:
        out += _pack_hiiqx(item.error_code, item.partition, item.leader_epoch, item.end_offset)


def _read_offset_for_leader_epoch_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderEpochResponse], int]:
    items: list[OffsetForLeaderEpochResponse] = []
    topics: list[OffsetForLeaderTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("OffsetForLeaderEpochResponse.topics")
        topics, position = _read_offset_for_leader_topic_result_classic(data, position, n, version)
        items.append(OffsetForLeaderEpochResponse(throttle_time_ms, topics))
    return items, position


def _write_offset_for_leader_epoch_response_classic(
    out: bytearray, items: Sequence[OffsetForLeaderEpochResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_offset_for_leader_topic_result_classic(out, item.topics, version)


def _read_offset_for_leader_topic_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderTopicResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetForLeaderTopicResult", count)
    items: list[OffsetForLeaderTopicResult] = []
    topic: str
    partitions: list[EpochEndOffset]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetForLeaderTopicResult.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetForLeaderTopicResult.partitions")
        partitions, position = _read_epoch_end_offset_classic(data, position, n, version)
        items.append(OffsetForLeaderTopicResult(topic, partitions))
    return items, position


def _write_offset_for_leader_topic_result_classic(
    out: bytearray, items: Sequence[OffsetForLeaderTopicResult], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_epoch_end_offset_classic(out, item.partitions, version)


def _read_epoch_end_offset_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EpochEndOffset], int]:
    if position + count * 18 > len(data):
        raise count_fault("EpochEndOffset", count)
    items: list[EpochEndOffset] = []
    for _ in range(count):
        error_code, partition, leader_epoch, end_offset = _unpack_hiiq(data, position)
        position += 18
        items.append(EpochEndOffset(error_code, partition, leader_epoch, end_offset))
    return items, position


def _write_epoch_end_offset_classic(
    out: bytearray, items: Sequence[EpochEndOffset], version: int
) -> None:
    for item in items:
        out += _pack_hiiq(item.error_code, item.partition, item.leader_epoch, item.end_offset)
