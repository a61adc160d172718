"""OffsetCommitRequest, versions 0–10 (flexible from 8).

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
    absent_fault,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_iq = struct.Struct(">iq").pack
_pack_iqi = struct.Struct(">iqi").pack
_pack_iqq = struct.Struct(">iqq").pack
_pack_q = struct.Struct(">q").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_iqh = struct.Struct(">iqh").unpack_from
_unpack_iqic = struct.Struct(">iqiB").unpack_from
_unpack_iqih = struct.Struct(">iqih").unpack_from
_unpack_iqqh = struct.Struct(">iqqh").unpack_from
_unpack_qi = struct.Struct(">qi").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class OffsetCommitRequestPartition:
    partition_index: int = 0
    committed_offset: int = 0
    committed_leader_epoch: int = -1
    commit_timestamp: int = -1
    committed_metadata: str | None = ""


@dataclass(slots=True)
class OffsetCommitRequestTopic:
    name: str = ""
    topic_id: bytes = NIL_UUID
    partitions: list[OffsetCommitRequestPartition] = field(default_factory=list)


@dataclass(slots=True)
class OffsetCommitRequest(Message):
    group_id: str = ""
    generation_id_or_member_epoch: int = -1
    member_id: str = ""
    group_instance_id: str | None = None
    retention_time_ms: int = -1
    topics: list[OffsetCommitRequestTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 10
    FLEXIBLE_VERSION: ClassVar[int | None] = 8

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetCommitRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[OffsetCommitRequest, int]:
        try:
            if 8 <= version <= 10:
                (message,), end = _read_offset_commit_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 7:
                (message,), end = _read_offset_commit_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("OffsetCommitRequest", version)
        except MALFORMED as error:
            raise malformed("OffsetCommitRequest", version, error) from error
        if end > len(data):
            raise malformed("OffsetCommitRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 8 <= version <= 10:
            _write_offset_commit_request_flexible(out, (self,), version)
        elif 0 <= version <= 7:
            _write_offset_commit_request_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetCommitRequest has no version {version}")


def _read_offset_commit_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitRequest], int]:
    items: list[OffsetCommitRequest] = []
    group_id: str
    member_id: str
    group_instance_id: str | None
    topics: list[OffsetCommitRequestTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetCommitRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        generation_id_or_member_epoch, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetCommitRequest.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            group_instance_id = None
        else:
            end = position + n - 1
            group_instance_id = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetCommitRequest.topics")
        topics, position = _read_offset_commit_request_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            OffsetCommitRequest(
                group_id, generation_id_or_member_epoch, member_id, group_instance_id, -1, topics
            )
        )
    return items, position


def _write_offset_commit_request_flexible(
    out: bytearray, items: Sequence[OffsetCommitRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.generation_id_or_member_epoch)
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_group_instance_id = item.group_instance_id
        if values_group_instance_id is None:
            out.append(0)
        else:
            raw = values_group_instance_id.encode()
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
            _write_offset_commit_request_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_offset_commit_request_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitRequestTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetCommitRequestTopic", count)
    items: list[OffsetCommitRequestTopic] = []
    name: str
    partitions: list[OffsetCommitRequestPartition]
    for _ in range(count):
        if version <= 9:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "OffsetCommitRequestTopic.name")
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
            n, position = long_length(data, position, n, "OffsetCommitRequestTopic.partitions")
        partitions, position = _read_offset_commit_request_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetCommitRequestTopic(name, topic_id, partitions))
    return items, position


def _write_offset_commit_request_topic_flexible(
    out: bytearray, items: Sequence[OffsetCommitRequestTopic], version: int
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
            _write_offset_commit_request_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_offset_commit_request_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitRequestPartition], int]:
    if position + count * 18 > len(data):
        raise count_fault("OffsetCommitRequestPartition", count)
    items: list[OffsetCommitRequestPartition] = []
    committed_metadata: str | None
    for _ in range(count):
        partition_index, committed_offset, committed_leader_epoch, n = _unpack_iqic(data, position)
        position += 17
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            committed_metadata = None
        else:
            end = position + n - 1
            committed_metadata = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            OffsetCommitRequestPartition(
                partition_index, committed_offset, committed_leader_epoch, -1, committed_metadata
            )
        )
    return items, position


def _write_offset_commit_request_partition_flexible(
    out: bytearray, items: Sequence[OffsetCommitRequestPartition], version: int
) -> None:
    for item in items:
        if item.commit_timestamp != -1:
            raise absent_fault("OffsetCommitRequestPartition.commit_timestamp", version)
        out += _pack_iqi(item.partition_index, item.committed_offset, item.committed_leader_epoch)
        values_committed_metadata = item.committed_metadata
        if values_committed_metadata is None:
            out.append(0)
        else:
            raw = values_committed_metadata.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_offset_commit_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitRequest], int]:
    items: list[OffsetCommitRequest] = []
    group_id: str
    member_id: str
    group_instance_id: str | None
    topics: list[OffsetCommitRequestTopic]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetCommitRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        if version >= 1:
            generation_id_or_member_epoch, n = _unpack_ih(data, position)
            position += 6
        else:
            generation_id_or_member_epoch = -1
        if version >= 1:
            if n < 0:
                raise null_fault("OffsetCommitRequest.member_id")
            end = position + n
            member_id = str(data[position:end], "utf-8")
            position = end
        else:
            member_id = ""
        if version >= 7:
            (n,) = _unpack_h(data, position)
            position += 2
            if n < 0:
                group_instance_id = None
            else:
                end = position + n
                group_instance_id = str(data[position:end], "utf-8")
                position = end
        else:
            group_instance_id = None
        if version >= 5:
            (n,) = _unpack_i(data, position)
            position += 4
            retention_time_ms = -1
        elif version >= 2:
            retention_time_ms, n = _unpack_qi(data, position)
            position += 12
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            retention_time_ms = -1
        if n < 0:
            raise null_fault("OffsetCommitRequest.topics")
        topics, position = _read_offset_commit_request_topic_classic(data, position, n, version)
        items.append(
            OffsetCommitRequest(
                group_id,
                generation_id_or_member_epoch,
                member_id,
                group_instance_id,
                retention_time_ms,
                topics,
            )
        )
    return items, position


def _write_offset_commit_request_classic(
    out: bytearray, items: Sequence[OffsetCommitRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 1:
            out += _pack_i(item.generation_id_or_member_epoch)
        if version >= 1:
            raw = item.member_id.encode()
            out += _pack_h(len(raw))
            out += raw
        if version >= 7:
            values_group_instance_id = item.group_instance_id
            if values_group_instance_id is None:
                out += b"\xff\xff"
            else:
                raw = values_group_instance_id.encode()
                out += _pack_h(len(raw))
                out += raw
        elif item.group_instance_id is not None:
            raise absent_fault("OffsetCommitRequest.group_instance_id", version)
        if version >= 5:
            pass
        elif version >= 2:
            out += _pack_q(item.retention_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_offset_commit_request_topic_classic(out, item.topics, version)


def _read_offset_commit_request_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitRequestTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetCommitRequestTopic", count)
    items: list[OffsetCommitRequestTopic] = []
    name: str
    partitions: list[OffsetCommitRequestPartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetCommitRequestTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetCommitRequestTopic.partitions")
        partitions, position = _read_offset_commit_request_partition_classic(
            data, position, n, version
        )
        items.append(OffsetCommitRequestTopic(name, NIL_UUID, partitions))
    return items, position


def _write_offset_commit_request_topic_classic(
    out: bytearray, items: Sequence[OffsetCommitRequestTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_offset_commit_request_partition_classic(out, item.partitions, version)


def _read_offset_commit_request_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitRequestPartition], int]:
    if position + count * 14 > len(data):
        raise count_fault("OffsetCommitRequestPartition", count)
    items: list[OffsetCommitRequestPartition] = []
    committed_metadata: str | None
    for _ in range(count):
        if version >= 6:
            partition_index, committed_offset, committed_leader_epoch, n = _unpack_iqih(
                data, position
            )
            position += 18
            commit_timestamp = -1
        elif version >= 2:
            partition_index, committed_offset, n = _unpack_iqh(data, position)
            position += 14
            committed_leader_epoch = -1
            commit_timestamp = -1
        elif version >= 1:
            partition_index, committed_offset, commit_timestamp, n = _unpack_iqqh(data, position)
            position += 22
            committed_leader_epoch = -1
        else:
            partition_index, committed_offset, n = _unpack_iqh(data, position)
            position += 14
            committed_leader_epoch = -1
            commit_timestamp = -1
        if n < 0:
            committed_metadata = None
        else:
            end = position + n
            committed_metadata = str(data[position:end], "utf-8")
            position = end
        items.append(
            OffsetCommitRequestPartition(
                partition_index,
                committed_offset,
                committed_leader_epoch,
                commit_timestamp,
                committed_metadata,
            )
        )
    return items, position


def _write_offset_commit_request_partition_classic(
    out: bytearray, items: Sequence[OffsetCommitRequestPartition], version: int
) -> None:
    for item in items:
        if version >= 6:
            if item.commit_timestamp != -1:
                raise absent_fault("OffsetCommitRequestPartition.commit_timestamp", version)
            out += _pack_iqi(
                item.partition_index, item.committed_offset, item.committed_leader_epoch
            )
        elif version >= 2:
            if item.commit_timestamp != -1:
                raise absent_fault("OffsetCommitRequestPartition.commit_timestamp", version)
            out += _pack_iq(item.partition_index, item.committed_offset)
        elif version >= 1:
            out += _pack_iqq(item.partition_index, item.committed_offset, item.commit_timestamp)
        else:
            if item.commit_timestamp != -1:
                raise absent_fault("OffsetCommitRequestPartition.commit_timestamp", version)
            out += _pack_iq(item.partition_index, item.committed_offset)
        values_committed_metadata = item.committed_metadata
        if values_committed_metadata is None:
            out += b"\xff\xff"
        else:
            raw = values_committed_metadata.encode()
            out += _pack_h(len(raw))
            out += raw
