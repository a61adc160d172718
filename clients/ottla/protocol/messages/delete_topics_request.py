"""DeleteTopicsRequest, versions 1–6 (flexible from 4).

Generated from delete_topics.schema by ottla.protocol.generator; do not edit.
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
    read_compact_string_array,
    read_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_string_array,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_pack_ix = struct.Struct(">ix").pack
_pack_ux = struct.Struct(">16sx").pack
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class DeleteTopicState:
    name: str | None = None
    topic_id: bytes = NIL_UUID


@dataclass(slots=True)
class DeleteTopicsRequest(Message):
    topics: list[DeleteTopicState] = field(default_factory=list)
    topic_names: list[str] = field(default_factory=list)
    timeout_ms: int = 0

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 6
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteTopicsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DeleteTopicsRequest, int]:
        try:
            if 4 <= version <= 6:
                (message,), end = _read_delete_topics_request_flexible(data, offset, 1, version)
            elif 1 <= version <= 3:
                (message,), end = _read_delete_topics_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("DeleteTopicsRequest", version)
        except MALFORMED as error:
            raise malformed("DeleteTopicsRequest", version, error) from error
        if end > len(data):
            raise malformed("DeleteTopicsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 4 <= version <= 6:
            _write_delete_topics_request_flexible(out, (self,), version)
        elif 1 <= version <= 3:
            _write_delete_topics_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DeleteTopicsRequest has no version {version}")


def _read_delete_topics_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteTopicsRequest], int]:
    items: list[DeleteTopicsRequest] = []
    topics: list[DeleteTopicState]
    topic_names: list[str]
    for _ in range(count):
        if version >= 6:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "DeleteTopicsRequest.topics")
            topics, position = _read_delete_topic_state_flexible(data, position, n - 1, version)
        else:
            topics = []
        if version <= 5:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "DeleteTopicsRequest.topic_names")
            topic_names, position = read_compact_string_array(data, position, n - 1)
        else:
            topic_names = []
        timeout_ms, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteTopicsRequest(topics, topic_names, timeout_ms))
    return items, position


def _write_delete_topics_request_flexible(
    out: bytearray, items: Sequence[DeleteTopicsRequest], version: int
) -> None:
    for item in items:
        if version >= 6:
            n = len(item.topics) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.topics:
                _write_delete_topic_state_flexible(out, item.topics, version)
        elif item.topics:
            raise absent_fault("DeleteTopicsRequest.topics", version)
        if version <= 5:
            n = len(item.topic_names) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.topic_names:
                write_compact_string_array(out, item.topic_names)
        out += _pack_ix(item.timeout_ms)


def _read_delete_topic_state_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteTopicState], int]:
    if position + count * 18 > len(data):
        raise count_fault("DeleteTopicState", count)
    items: list[DeleteTopicState] = []
    name: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            name = None
        else:
            end = position + n - 1
            name = str(data[position:end], "utf-8")
            position = end
        topic_id, tags = _unpack_uc(data, position)
        position += 17
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteTopicState(name, topic_id))
    return items, position


def _write_delete_topic_state_flexible(
    out: bytearray, items: Sequence[DeleteTopicState], version: int
) -> None:
    for item in items:
        values_name = item.name
        if values_name is None:
            out.append(0)
        else:
            raw = values_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_ux(item.topic_id)


def _read_delete_topics_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteTopicsRequest], int]:
    items: list[DeleteTopicsRequest] = []
    topic_names: list[str]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DeleteTopicsRequest.topic_names")
        topic_names, position = read_string_array(data, position, n)
        (timeout_ms,) = _unpack_i(data, position)
        position += 4
        items.append(DeleteTopicsRequest([], topic_names, timeout_ms))
    return items, position


def _write_delete_topics_request_classic(
    out: bytearray, items: Sequence[DeleteTopicsRequest], version: int
) -> None:
    for item in items:
        if item.topics:
            raise absent_fault("DeleteTopicsRequest.topics", version)
        out += _pack_i(len(item.topic_names))
        if item.topic_names:
            write_string_array(out, item.topic_names)
        out += _pack_i(item.timeout_ms)
