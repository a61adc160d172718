"""OffsetFetchResponse, versions 0–10 (flexible from 6).

Generated from offset_fetch.schema by ottla.protocol.generator; do not edit.
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
_pack_hx = struct.Struct(">hx").pack
_pack_i = struct.Struct(">i").pack
_pack_iq = struct.Struct(">iq").pack
_pack_iqi = struct.Struct(">iqi").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_iqh = struct.Struct(">iqh").unpack_from
_unpack_iqic = struct.Struct(">iqiB").unpack_from
_unpack_iqih = struct.Struct(">iqih").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class OffsetFetchResponsePartitions:
    partition_index: int = 0
    committed_offset: int = 0
    committed_leader_epoch: int = -1
    metadata: str | None = ""
    error_code: int = 0


@dataclass(slots=True)
class OffsetFetchResponseTopics:
    name: str = ""
    topic_id: bytes = NIL_UUID
    partitions: list[OffsetFetchResponsePartitions] = field(default_factory=list)


@dataclass(slots=True)
class OffsetFetchResponseGroup:
    group_id: str = ""
    topics: list[OffsetFetchResponseTopics] = field(default_factory=list)
    error_code: int = 0


@dataclass(slots=True)
class OffsetFetchResponsePartition:
    partition_index: int = 0
    committed_offset: int = 0
    committed_leader_epoch: int = -1
    metadata: str | None = ""
    error_code: int = 0


@dataclass(slots=True)
class OffsetFetchResponseTopic:
    name: str = ""
    partitions: list[OffsetFetchResponsePartition] = field(default_factory=list)


@dataclass(slots=True)
class OffsetFetchResponse(Message):
    throttle_time_ms: int = 0
    topics: list[OffsetFetchResponseTopic] = field(default_factory=list)
    error_code: int = 0
    groups: list[OffsetFetchResponseGroup] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 10
    FLEXIBLE_VERSION: ClassVar[int | None] = 6

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetFetchResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[OffsetFetchResponse, int]:
        try:
            if 6 <= version <= 10:
                (message,), end = _read_offset_fetch_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 5:
                (message,), end = _read_offset_fetch_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("OffsetFetchResponse", version)
        except MALFORMED as error:
            raise malformed("OffsetFetchResponse", version, error) from error
        if end > len(data):
            raise malformed("OffsetFetchResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 6 <= version <= 10:
            _write_offset_fetch_response_flexible(out, (self,), version)
        elif 0 <= version <= 5:
            _write_offset_fetch_response_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetFetchResponse has no version {version}")


def _read_offset_fetch_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponse], int]:
    items: list[OffsetFetchResponse] = []
    topics: list[OffsetFetchResponseTopic]
    groups: list[OffsetFetchResponseGroup]
    for _ in range(count):
        if version >= 8:
            (throttle_time_ms,) = _unpack_i(data, position)
            position += 4
        else:
            throttle_time_ms, n = _unpack_ic(data, position)
            position += 5
        if version <= 7:
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "OffsetFetchResponse.topics")
            topics, position = _read_offset_fetch_response_topic_flexible(
                data, position, n - 1, version
            )
        else:
            topics = []
        if version >= 8:
            n = data[position]
            position += 1
            error_code = 0
        else:
            (error_code,) = _unpack_h(data, position)
            position += 2
        if version >= 8:
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "OffsetFetchResponse.groups")
            groups, position = _read_offset_fetch_response_group_flexible(
                data, position, n - 1, version
            )
        else:
            groups = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetFetchResponse(throttle_time_ms, topics, error_code, groups))
    return items, position


def _write_offset_fetch_response_flexible(
    out: bytearray, items: Sequence[OffsetFetchResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        if version <= 7:
            n = len(item.topics) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.topics:
                _write_offset_fetch_response_topic_flexible(out, item.topics, version)
        elif item.topics:
            raise absent_fault("OffsetFetchResponse.topics", version)
        if version >= 8:
            pass
        else:
            out += _pack_h(item.error_code)
        if version >= 8:
            n = len(item.groups) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.groups:
                _write_offset_fetch_response_group_flexible(out, item.groups, version)
        elif item.groups:
            raise absent_fault("OffsetFetchResponse.groups", version)
        out.append(0)


def _read_offset_fetch_response_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponseTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetFetchResponseTopic", count)
    items: list[OffsetFetchResponseTopic] = []
    name: str
    partitions: list[OffsetFetchResponsePartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetFetchResponseTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetFetchResponseTopic.partitions")
        partitions, position = _read_offset_fetch_response_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetFetchResponseTopic(name, partitions))
    return items, position


def _write_offset_fetch_response_topic_flexible(
    out: bytearray, items: Sequence[OffsetFetchResponseTopic], version: int
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
            _write_offset_fetch_response_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_offset_fetch_response_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponsePartition], int]:
    if position + count * 20 > len(data):
        raise count_fault("OffsetFetchResponsePartition", count)
    items: list[OffsetFetchResponsePartition] = []
    metadata: str | None
    for _ in range(count):
        partition_index, committed_offset, committed_leader_epoch, n = _unpack_iqic(data, position)
        position += 17
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            metadata = None
        else:
            end = position + n - 1
            metadata = str(data[position:end], "utf-8")
            position = end
        error_code, tags = _unpack_hc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            OffsetFetchResponsePartition(
                partition_index, committed_offset, committed_leader_epoch, metadata, error_code
            )
        )
    return items, position


def _write_offset_fetch_response_partition_flexible(
    out: bytearray, items: Sequence[OffsetFetchResponsePartition], version: int
) -> None:
    for item in items:
        out += _pack_iqi(item.partition_index, item.committed_offset, item.committed_leader_epoch)
        values_metadata = item.metadata
        if values_metadata is None:
            out.append(0)
        else:
            raw = values_metadata.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_hx(item.error_code)


def _read_offset_fetch_response_group_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponseGroup], int]:
    if position + count * 5 > len(data):
        raise count_fault("OffsetFetchResponseGroup", count)
    items: list[OffsetFetchResponseGroup] = []
    group_id: str
    topics: list[OffsetFetchResponseTopics]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetFetchResponseGroup.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetFetchResponseGroup.topics")
        topics, position = _read_offset_fetch_response_topics_flexible(
            data, position, n - 1, version
        )
        error_code, tags = _unpack_hc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetFetchResponseGroup(group_id, topics, error_code))
    return items, position


def _write_offset_fetch_response_group_flexible(
    out: bytearray, items: Sequence[OffsetFetchResponseGroup], version: int
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
            _write_offset_fetch_response_topics_flexible(out, item.topics, version)
        out += _pack_hx(item.error_code)


def _read_offset_fetch_response_topics_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponseTopics], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetFetchResponseTopics", count)
    items: list[OffsetFetchResponseTopics] = []
    name: str
    partitions: list[OffsetFetchResponsePartitions]
    for _ in range(count):
        if version <= 9:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "OffsetFetchResponseTopics.name")
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
            n, position = long_length(data, position, n, "OffsetFetchResponseTopics.partitions")
        partitions, position = _read_offset_fetch_response_partitions_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetFetchResponseTopics(name, topic_id, partitions))
    return items, position


def _write_offset_fetch_response_topics_flexible(
    out: bytearray, items: Sequence[OffsetFetchResponseTopics], version: int
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
            _write_offset_fetch_response_partitions_flexible(out, item.partitions, version)
        out.append(0)


def _read_offset_fetch_response_partitions_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponsePartitions], int]:
    if position + count * 20 > len(data):
        raise count_fault("OffsetFetchResponsePartitions", count)
    items: list[OffsetFetchResponsePartitions] = []
    metadata: str | None
    for _ in range(count):
        partition_index, committed_offset, committed_leader_epoch, n = _unpack_iqic(data, position)
        position += 17
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            metadata = None
        else:
            end = position + n - 1
            metadata = str(data[position:end], "utf-8")
            position = end
        error_code, tags = _unpack_hc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            OffsetFetchResponsePartitions(
                partition_index, committed_offset, committed_leader_epoch, metadata, error_code
            )
        )
    return items, position


def _write_offset_fetch_response_partitions_flexible(
    out: bytearray, items: Sequence[OffsetFetchResponsePartitions], version: int
) -> None:
    for item in items:
        out += _pack_iqi(item.partition_index, item.committed_offset, item.committed_leader_epoch)
        values_metadata = item.metadata
        if values_metadata is None:
            out.append(0)
        else:
            raw = values_metadata.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_hx(item.error_code)


def _read_offset_fetch_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponse], int]:
    items: list[OffsetFetchResponse] = []
    topics: list[OffsetFetchResponseTopic]
    for _ in range(count):
        if version >= 3:
            throttle_time_ms, n = _unpack_ii(data, position)
            position += 8
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            throttle_time_ms = 0
        if n < 0:
            raise null_fault("OffsetFetchResponse.topics")
        topics, position = _read_offset_fetch_response_topic_classic(data, position, n, version)
        if version >= 2:
            (error_code,) = _unpack_h(data, position)
            position += 2
        else:
            error_code = 0
        items.append(OffsetFetchResponse(throttle_time_ms, topics, error_code, []))
    return items, position


def _write_offset_fetch_response_classic(
    out: bytearray, items: Sequence[OffsetFetchResponse], version: int
) -> None:
    for item in items:
        if item.groups:
            raise absent_fault("OffsetFetchResponse.groups", version)
        if version >= 3:
            out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_offset_fetch_response_topic_classic(out, item.topics, version)
        if version >= 2:
            out += _pack_h(item.error_code)


def _read_offset_fetch_response_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponseTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetFetchResponseTopic", count)
    items: list[OffsetFetchResponseTopic] = []
    name: str
    partitions: list[OffsetFetchResponsePartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetFetchResponseTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetFetchResponseTopic.partitions")
        partitions, position = _read_offset_fetch_response_partition_classic(
            data, position, n, version
        )
        items.append(OffsetFetchResponseTopic(name, partitions))
    return items, position


def _write_offset_fetch_response_topic_classic(
    out: bytearray, items: Sequence[OffsetFetchResponseTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_offset_fetch_response_partition_classic(out, item.partitions, version)


def _read_offset_fetch_response_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchResponsePartition], int]:
    if position + count * 16 > len(data):
        raise count_fault("OffsetFetchResponsePartition", count)
    items: list[OffsetFetchResponsePartition] = []
    metadata: str | None
    for _ in range(count):
        if version >= 5:
            partition_index, committed_offset, committed_leader_epoch, n = _unpack_iqih(
                data, position
            )
            position += 18
        else:
            partition_index, committed_offset, n = _unpack_iqh(data, position)
            position += 14
            committed_leader_epoch = -1
        if n < 0:
            metadata = None
        else:
            end = position + n
            metadata = str(data[position:end], "utf-8")
            position = end
        (error_code,) = _unpack_h(data, position)
        position += 2
        items.append(
            OffsetFetchResponsePartition(
                partition_index, committed_offset, committed_leader_epoch, metadata, error_code
            )
        )
    return items, position


def _write_offset_fetch_response_partition_classic(
    out: bytearray, items: Sequence[OffsetFetchResponsePartition], version: int
) -> None:
    for item in items:
        if version >= 5:
            out += _pack_iqi(
                item.partition_index, item.committed_offset, item.committed_leader_epoch
            )
        else:
            out += _pack_iq(item.partition_index, item.committed_offset)
        values_metadata = item.metadata
        if values_metadata is None:
            out += b"\xff\xff"
        else:
            raw = values_metadata.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_h(item.error_code)
