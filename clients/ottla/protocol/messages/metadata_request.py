"""MetadataRequest, versions 0–13 (flexible from 9).

Generated from metadata.schema by ottla.protocol.generator; do not edit.
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
    long_uvarint,
    malformed,
    null_fault,
    null_value_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_o = struct.Struct(">?").pack
_pack_ooo = struct.Struct(">???").pack
_pack_ooox = struct.Struct(">???x").pack
_pack_oox = struct.Struct(">??x").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_o = struct.Struct(">?").unpack_from
_unpack_ooc = struct.Struct(">??B").unpack_from
_unpack_ooo = struct.Struct(">???").unpack_from
_unpack_oooc = struct.Struct(">???B").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class MetadataRequestTopic:
    topic_id: bytes = NIL_UUID
    name: str | None = ""


@dataclass(slots=True)
class MetadataRequest(Message):
    topics: list[MetadataRequestTopic] | None = field(default_factory=list)
    allow_auto_topic_creation: bool = True
    include_cluster_authorized_operations: bool = False
    include_topic_authorized_operations: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 13
    FLEXIBLE_VERSION: ClassVar[int | None] = 9

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> MetadataRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[MetadataRequest, int]:
        try:
            if 9 <= version <= 13:
                (message,), end = _read_metadata_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 8:
                (message,), end = _read_metadata_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("MetadataRequest", version)
        except MALFORMED as error:
            raise malformed("MetadataRequest", version, error) from error
        if end > len(data):
            raise malformed("MetadataRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 9 <= version <= 13:
            _write_metadata_request_flexible(out, (self,), version)
        elif 0 <= version <= 8:
            _write_metadata_request_classic(out, (self,), version)
        else:
            raise ValueError(f"MetadataRequest has no version {version}")


def _read_metadata_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataRequest], int]:
    items: list[MetadataRequest] = []
    topics: list[MetadataRequestTopic] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            topics = None
        else:
            topics, position = _read_metadata_request_topic_flexible(data, position, n - 1, version)
        if version >= 11:
            allow_auto_topic_creation, include_topic_authorized_operations, tags = _unpack_ooc(
                data, position
            )
            position += 3
            include_cluster_authorized_operations = False
        else:
            (
                allow_auto_topic_creation,
                include_cluster_authorized_operations,
                include_topic_authorized_operations,
                tags,
            ) = _unpack_oooc(data, position)
            position += 4
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            MetadataRequest(
                topics,
                allow_auto_topic_creation,
                include_cluster_authorized_operations,
                include_topic_authorized_operations,
            )
        )
    return items, position


def _write_metadata_request_flexible(
    out: bytearray, items: Sequence[MetadataRequest], version: int
) -> None:
    for item in items:
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
                _write_metadata_request_topic_flexible(out, values_topics, version)
        if version >= 11:
            if item.include_cluster_authorized_operations:
                raise absent_fault("MetadataRequest.include_cluster_authorized_operations", version)
            out += _pack_oox(
                item.allow_auto_topic_creation, item.include_topic_authorized_operations
            )
        else:
            out += _pack_ooox(
                item.allow_auto_topic_creation,
                item.include_cluster_authorized_operations,
                item.include_topic_authorized_operations,
            )


def _read_metadata_request_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataRequestTopic], int]:
    if position + count * 2 > len(data):
        raise count_fault("MetadataRequestTopic", count)
    items: list[MetadataRequestTopic] = []
    name: str | None
    for _ in range(count):
        if version >= 10:
            topic_id, n = _unpack_uc(data, position)
            position += 17
        else:
            n = data[position]
            position += 1
            topic_id = NIL_UUID
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            if not (version >= 10):
                raise null_fault("MetadataRequestTopic.name")
            name = None
        else:
            end = position + n - 1
            name = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(MetadataRequestTopic(topic_id, name))
    return items, position


def _write_metadata_request_topic_flexible(
    out: bytearray, items: Sequence[MetadataRequestTopic], version: int
) -> None:
    for item in items:
        if version >= 10:
            out += _pack_u(item.topic_id)
        values_name = item.name
        if values_name is None:
            if not (version >= 10):
                raise null_value_fault("MetadataRequestTopic.name", version)
            out.append(0)
        else:
            raw = values_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_metadata_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataRequest], int]:
    items: list[MetadataRequest] = []
    topics: list[MetadataRequestTopic] | None
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            if not (version >= 1):
                raise null_fault("MetadataRequest.topics")
            topics = None
        else:
            topics, position = _read_metadata_request_topic_classic(data, position, n, version)
        if version >= 8:
            (
                allow_auto_topic_creation,
                include_cluster_authorized_operations,
                include_topic_authorized_operations,
            ) = _unpack_ooo(data, position)
            position += 3
        elif version >= 4:
            (allow_auto_topic_creation,) = _unpack_o(data, position)
            position += 1
            include_cluster_authorized_operations = False
            include_topic_authorized_operations = False
        else:
            allow_auto_topic_creation = True
            include_cluster_authorized_operations = False
            include_topic_authorized_operations = False
        items.append(
            MetadataRequest(
                topics,
                allow_auto_topic_creation,
                include_cluster_authorized_operations,
                include_topic_authorized_operations,
            )
        )
    return items, position


def _write_metadata_request_classic(
    out: bytearray, items: Sequence[MetadataRequest], version: int
) -> None:
    for item in items:
        values_topics = item.topics
        if values_topics is None:
            if not (version >= 1):
                raise null_value_fault("MetadataRequest.topics", version)
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_topics))
            if values_topics:
                _write_metadata_request_topic_classic(out, values_topics, version)
        if version >= 8:
            out += _pack_ooo(
                item.allow_auto_topic_creation,
                item.include_cluster_authorized_operations,
                item.include_topic_authorized_operations,
            )
        elif version >= 4:
            if item.include_cluster_authorized_operations:
                raise absent_fault("MetadataRequest.include_cluster_authorized_operations", version)
            if item.include_topic_authorized_operations:
                raise absent_fault("MetadataRequest.include_topic_authorized_operations", version)
            out += _pack_o(item.allow_auto_topic_creation)
        else:
            if not item.allow_auto_topic_creation:
                raise absent_fault("MetadataRequest.allow_auto_topic_creation", version)
            if item.include_cluster_authorized_operations:
                raise absent_fault("MetadataRequest.include_cluster_authorized_operations", version)
            if item.include_topic_authorized_operations:
                raise absent_fault("MetadataRequest.include_topic_authorized_operations", version)


def _read_metadata_request_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataRequestTopic], int]:
    if position + count * 2 > len(data):
        raise count_fault("MetadataRequestTopic", count)
    items: list[MetadataRequestTopic] = []
    name: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            if not (version >= 10):
                raise null_fault("MetadataRequestTopic.name")
            name = None
        else:
            end = position + n
            name = str(data[position:end], "utf-8")
            position = end
        items.append(MetadataRequestTopic(NIL_UUID, name))
    return items, position


def _write_metadata_request_topic_classic(
    out: bytearray, items: Sequence[MetadataRequestTopic], version: int
) -> None:
    for item in items:
        values_name = item.name
        if values_name is None:
            if not (version >= 10):
                raise null_value_fault("MetadataRequestTopic.name", version)
            out += b"\xff\xff"
        else:
            raw = values_name.encode()
            out += _pack_h(len(raw))
            out += raw
