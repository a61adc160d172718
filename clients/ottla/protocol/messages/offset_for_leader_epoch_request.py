"""OffsetForLeaderEpochRequest, versions 2–4 (flexible from 4).

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
_pack_i = struct.Struct(">i").pack
_pack_iii = struct.Struct(">iii").pack
_pack_iiix = struct.Struct(">iiix").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_iii = struct.Struct(">iii").unpack_from
_unpack_iiic = struct.Struct(">iiiB").unpack_from


@dataclass(slots=True)
class OffsetForLeaderPartition:
    partition: int = 0
    current_leader_epoch: int = -1
    leader_epoch: int = 0


@dataclass(slots=True)
class OffsetForLeaderTopic:
    topic: str = ""
    partitions: list[OffsetForLeaderPartition] = field(default_factory=list)


@dataclass(slots=True)
class OffsetForLeaderEpochRequest(Message):
    replica_id: int = -2
    topics: list[OffsetForLeaderTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 2
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetForLeaderEpochRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[OffsetForLeaderEpochRequest, int]:
        try:
            if version == 4:
                (message,), end = _read_offset_for_leader_epoch_request_flexible(
                    data, offset, 1, version
                )
            elif 2 <= version <= 3:
                (message,), end = _read_offset_for_leader_epoch_request_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("OffsetForLeaderEpochRequest", version)
        except MALFORMED as error:
            raise malformed("OffsetForLeaderEpochRequest", version, error) from error
        if end > len(data):
            raise malformed("OffsetForLeaderEpochRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 4:
            _write_offset_for_leader_epoch_request_flexible(out, (self,), version)
        elif 2 <= version <= 3:
            _write_offset_for_leader_epoch_request_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetForLeaderEpochRequest has no version {version}")


def _read_offset_for_leader_epoch_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderEpochRequest], int]:
    items: list[OffsetForLeaderEpochRequest] = []
    topics: list[OffsetForLeaderTopic]
    for _ in range(count):
        replica_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetForLeaderEpochRequest.topics")
        topics, position = _read_offset_for_leader_topic_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetForLeaderEpochRequest(replica_id, topics))
    return items, position


def _write_offset_for_leader_epoch_request_flexible(
    out: bytearray, items: Sequence[OffsetForLeaderEpochRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(item.replica_id)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_offset_for_leader_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_offset_for_leader_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetForLeaderTopic", count)
    items: list[OffsetForLeaderTopic] = []
    topic: str
    partitions: list[OffsetForLeaderPartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetForLeaderTopic.topic")
        end = position + n - 1
        topic = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetForLeaderTopic.partitions")
        partitions, position = _read_offset_for_leader_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetForLeaderTopic(topic, partitions))
    return items, position


def _write_offset_for_leader_topic_flexible(
    out: bytearray, items: Sequence[OffsetForLeaderTopic], version: int
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
            _write_offset_for_leader_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_offset_for_leader_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderPartition], int]:
    if position + count * 13 > len(data):
        raise count_fault("OffsetForLeaderPartition", count)
    items: list[OffsetForLeaderPartition] = []
    for _ in range(count):
        partition, current_leader_epoch, leader_epoch, tags = _unpack_iiic(data, position)
        position += 13
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetForLeaderPartition(partition, current_leader_epoch, leader_epoch))
    return items, position


def _write_offset_for_leader_partition_flexible(
    out: bytearray, items: Sequence[OffsetForLeaderPartition], version: int
) -> None:
    for item in items:
        out += _pack_iiix(item.partition, item.current_leader_epoch, item.leader_epoch)


def _read_offset_for_leader_epoch_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderEpochRequest], int]:
    items: list[OffsetForLeaderEpochRequest] = []
    topics: list[OffsetForLeaderTopic]
    for _ in range(count):
        if version >= 3:
            replica_id, n = _unpack_ii(data, position)
            position += 8
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            replica_id = -2
        if n < 0:
            raise null_fault("OffsetForLeaderEpochRequest.topics")
        topics, position = _read_offset_for_leader_topic_classic(data, position, n, version)
        items.append(OffsetForLeaderEpochRequest(replica_id, topics))
    return items, position


def _write_offset_for_leader_epoch_request_classic(
    out: bytearray, items: Sequence[OffsetForLeaderEpochRequest], version: int
) -> None:
    for item in items:
        if version >= 3:
            out += _pack_i(item.replica_id)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_offset_for_leader_topic_classic(out, item.topics, version)


def _read_offset_for_leader_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetForLeaderTopic", count)
    items: list[OffsetForLeaderTopic] = []
    topic: str
    partitions: list[OffsetForLeaderPartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetForLeaderTopic.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetForLeaderTopic.partitions")
        partitions, position = _read_offset_for_leader_partition_classic(data, position, n, version)
        items.append(OffsetForLeaderTopic(topic, partitions))
    return items, position


def _write_offset_for_leader_topic_classic(
    out: bytearray, items: Sequence[OffsetForLeaderTopic], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_offset_for_leader_partition_classic(out, item.partitions, version)


def _read_offset_for_leader_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetForLeaderPartition], int]:
    if position + count * 12 > len(data):
        raise count_fault("OffsetForLeaderPartition", count)
    items: list[OffsetForLeaderPartition] = []
    for _ in range(count):
        partition, current_leader_epoch, leader_epoch = _unpack_iii(data, position)
        position += 12
        items.append(OffsetForLeaderPartition(partition, current_leader_epoch, leader_epoch))
    return items, position


def _write_offset_for_leader_partition_classic(
    out: bytearray, items: Sequence[OffsetForLeaderPartition], version: int
) -> None:
    for item in items:
        out += _pack_iii(item.partition, item.current_leader_epoch, item.leader_epoch)
