"""OffsetFetchRequest, versions 0–10 (flexible from 6).

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
    null_value_fault,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ox = struct.Struct(">?x").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class OffsetFetchRequestTopics:
    name: str = ""
    topic_id: bytes = NIL_UUID
    partition_indexes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class OffsetFetchRequestGroup:
    group_id: str = ""
    member_id: str | None = None
    member_epoch: int = -1
    topics: list[OffsetFetchRequestTopics] | None = field(default_factory=list)


@dataclass(slots=True)
class OffsetFetchRequestTopic:
    name: str = ""
    partition_indexes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class OffsetFetchRequest(Message):
    group_id: str = ""
    topics: list[OffsetFetchRequestTopic] | None = field(default_factory=list)
    groups: list[OffsetFetchRequestGroup] = field(default_factory=list)
    require_stable: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 10
    FLEXIBLE_VERSION: ClassVar[int | None] = 6

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetFetchRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[OffsetFetchRequest, int]:
        try:
            if 6 <= version <= 10:
                (message,), end = _read_offset_fetch_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 5:
                (message,), end = _read_offset_fetch_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("OffsetFetchRequest", version)
        except MALFORMED as error:
            raise malformed("OffsetFetchRequest", version, error) from error
        if end > len(data):
            raise malformed("OffsetFetchRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 6 <= version <= 10:
            _write_offset_fetch_request_flexible(out, (self,), version)
        elif 0 <= version <= 5:
            _write_offset_fetch_request_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetFetchRequest has no version {version}")


def _read_offset_fetch_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchRequest], int]:
    items: list[OffsetFetchRequest] = []
    group_id: str
    topics: list[OffsetFetchRequestTopic] | None
    groups: list[OffsetFetchRequestGroup]
    for _ in range(count):
        if version <= 7:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "OffsetFetchRequest.group_id")
            end = position + n - 1
            group_id = str(data[position:end], "utf-8")
            position = end
        else:
            group_id = ""
        if version <= 7:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                topics = None
            else:
                topics, position = _read_offset_fetch_request_topic_flexible(
                    data, position, n - 1, version
                )
        else:
            topics = []
        if version >= 8:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "OffsetFetchRequest.groups")
            groups, position = _read_offset_fetch_request_group_flexible(
                data, position, n - 1, version
            )
        else:
            groups = []
        if version >= 7:
            require_stable, tags = _unpack_oc(data, position)
            position += 2
        else:
            tags = data[position]
            position += 1
            require_stable = False
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetFetchRequest(group_id, topics, groups, require_stable))
    return items, position


def _write_offset_fetch_request_flexible(
    out: bytearray, items: Sequence[OffsetFetchRequest], version: int
) -> None:
    for item in items:
        if version <= 7:
            raw = item.group_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        elif item.group_id:
            raise absent_fault("OffsetFetchRequest.group_id", version)
        if version <= 7:
            values_topics = item.topics
            if values_topics is None:
                out.append(0)
            else:
                n = len(values_topics) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                if values_topics:
                    _write_offset_fetch_request_topic_flexible(out, values_topics, version)
        elif item.topics:
            raise absent_fault("OffsetFetchRequest.topics", version)
        if version >= 8:
            n = len(item.groups) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.groups:
                _write_offset_fetch_request_group_flexible(out, item.groups, version)
        elif item.groups:
            raise absent_fault("OffsetFetchRequest.groups", version)
        if version >= 7:
            out += _pack_ox(item.require_stable)
        else:
            if item.require_stable:
                raise absent_fault("OffsetFetchRequest.require_stable", version)
            out.append(0)


def _read_offset_fetch_request_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchRequestTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetFetchRequestTopic", count)
    items: list[OffsetFetchRequestTopic] = []
    name: str
    partition_indexes: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetFetchRequestTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "OffsetFetchRequestTopic.partition_indexes"
            )
        partition_indexes, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetFetchRequestTopic(name, partition_indexes))
    return items, position


def _write_offset_fetch_request_topic_flexible(
    out: bytearray, items: Sequence[OffsetFetchRequestTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.partition_indexes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partition_indexes:
            write_int32_array(out, item.partition_indexes)
        out.append(0)


def _read_offset_fetch_request_group_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchRequestGroup], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetFetchRequestGroup", count)
    items: list[OffsetFetchRequestGroup] = []
    group_id: str
    member_id: str | None
    topics: list[OffsetFetchRequestTopics] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetFetchRequestGroup.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        if version >= 9:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                member_id = None
            else:
                end = position + n - 1
                member_id = str(data[position:end], "utf-8")
                position = end
        else:
            member_id = None
        if version >= 9:
            member_epoch, n = _unpack_ic(data, position)
            position += 5
        else:
            n = data[position]
            position += 1
            member_epoch = -1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            topics = None
        else:
            topics, position = _read_offset_fetch_request_topics_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetFetchRequestGroup(group_id, member_id, member_epoch, topics))
    return items, position


def _write_offset_fetch_request_group_flexible(
    out: bytearray, items: Sequence[OffsetFetchRequestGroup], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        if version >= 9:
            values_member_id = item.member_id
            if values_member_id is None:
                out.append(0)
            else:
                raw = values_member_id.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        if version >= 9:
            out += _pack_i(item.member_epoch)
        values_topics = item.topics
        if values_topics is None:
            out.append(0)
        else:
            n = len(values_topics) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_topics:
                _write_offset_fetch_request_topics_flexible(out, values_topics, version)
        out.append(0)


def _read_offset_fetch_request_topics_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchRequestTopics], int]:
    if position + count * 3 > len(data):
        raise count_fault("OffsetFetchRequestTopics", count)
    items: list[OffsetFetchRequestTopics] = []
    name: str
    partition_indexes: list[int]
    for _ in range(count):
        if version <= 9:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "OffsetFetchRequestTopics.name")
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
            n, position = long_length(
                data, position, n, "OffsetFetchRequestTopics.partition_indexes"
            )
        partition_indexes, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OffsetFetchRequestTopics(name, topic_id, partition_indexes))
    return items, position


def _write_offset_fetch_request_topics_flexible(
    out: bytearray, items: Sequence[OffsetFetchRequestTopics], version: int
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
        n = len(item.partition_indexes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partition_indexes:
            write_int32_array(out, item.partition_indexes)
        out.append(0)


def _read_offset_fetch_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchRequest], int]:
    items: list[OffsetFetchRequest] = []
    group_id: str
    topics: list[OffsetFetchRequestTopic] | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetFetchRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            if not (version >= 2):
                raise null_fault("OffsetFetchRequest.topics")
            topics = None
        else:
            topics, position = _read_offset_fetch_request_topic_classic(data, position, n, version)
        items.append(OffsetFetchRequest(group_id, topics, [], False))
    return items, position


def _write_offset_fetch_request_classic(
    out: bytearray, items: Sequence[OffsetFetchRequest], version: int
) -> None:
    for item in items:
        if item.groups:
            raise absent_fault("OffsetFetchRequest.groups", version)
        if item.require_stable:
            raise absent_fault("OffsetFetchRequest.require_stable", version)
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        values_topics = item.topics
        if values_topics is None:
            if not (version >= 2):
                raise null_value_fault("OffsetFetchRequest.topics", version)
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_topics))
            if values_topics:
                _write_offset_fetch_request_topic_classic(out, values_topics, version)


def _read_offset_fetch_request_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetFetchRequestTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("OffsetFetchRequestTopic", count)
    items: list[OffsetFetchRequestTopic] = []
    name: str
    partition_indexes: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetFetchRequestTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("OffsetFetchRequestTopic.partition_indexes")
        partition_indexes, position = read_int32_array(data, position, n)
        items.append(OffsetFetchRequestTopic(name, partition_indexes))
    return items, position


def _write_offset_fetch_request_topic_classic(
    out: bytearray, items: Sequence[OffsetFetchRequestTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partition_indexes))
        if item.partition_indexes:
            write_int32_array(out, item.partition_indexes)
