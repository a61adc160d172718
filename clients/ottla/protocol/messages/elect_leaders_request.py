"""ElectLeadersRequest, versions 0–2 (flexible from 2).

Generated from elect_leaders.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    absent_fault,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_b = struct.Struct(">b").pack
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ix = struct.Struct(">ix").pack
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bi = struct.Struct(">bi").unpack_from
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class TopicPartitions:
    topic: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ElectLeadersRequest(Message):
    election_type: int = 0
    topic_partitions: list[TopicPartitions] | None = field(default_factory=list)
    timeout_ms: int = 60000

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ElectLeadersRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ElectLeadersRequest, int]:
        try:
            if version == 2:
                (message,), end = _read_elect_leaders_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_elect_leaders_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("ElectLeadersRequest", version)
        except MALFORMED as error:
            raise malformed("ElectLeadersRequest", version, error) from error
        if end > len(data):
            raise malformed("ElectLeadersRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_elect_leaders_request_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_elect_leaders_request_classic(out, (self,), version)
        else:
            raise ValueError(f"ElectLeadersRequest has no version {version}")


def _read_elect_leaders_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ElectLeadersRequest], int]:
    items: list[ElectLeadersRequest] = []
    topic_partitions: list[TopicPartitions] | None
    for _ in range(count):
        election_type, n = _unpack_bc(data, position)
        position += 2
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            topic_partitions = None
        else:
            topic_partitions, position = _read_topic_partitions_flexible(
                data, position, n - 1, version
            )
        timeout_ms, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ElectLeadersRequest(election_type, topic_partitions, timeout_ms))
    return items, position


def _write_elect_leaders_request_flexible(
    out: bytearray, items: Sequence[ElectLeadersRequest], version: int
) -> None:
    for item in items:
        out += _pack_b(item.election_type)
        values_topic_partitions = item.topic_partitions
        if values_topic_partitions is None:
            out.append(0)
        else:
            n = len(values_topic_partitions) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_topic_partitions:
                _write_topic_partitions_flexible(out, values_topic_partitions, version)
        out += _pack_ix(item.timeout_ms)


def _read_topic_partitions_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicPartitions], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicPartitions", count)
    items: list[TopicPartitions] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicPartitions.topic")
        end = position + n - 1
        topic = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicPartitions.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicPartitions(topic, partitions))
    return items, position


def _write_topic_partitions_flexible(
    out: bytearray, items: Sequence[TopicPartitions], version: int
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
            write_int32_array(out, item.partitions)
        out.append(0)


def _read_elect_leaders_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ElectLeadersRequest], int]:
    items: list[ElectLeadersRequest] = []
    topic_partitions: list[TopicPartitions] | None
    for _ in range(count):
        if version >= 1:
            election_type, n = _unpack_bi(data, position)
            position += 5
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            election_type = 0
        if n < 0:
            topic_partitions = None
        else:
            topic_partitions, position = _read_topic_partitions_classic(data, position, n, version)
        (timeout_ms,) = _unpack_i(data, position)
        position += 4
        items.append(ElectLeadersRequest(election_type, topic_partitions, timeout_ms))
    return items, position


def _write_elect_leaders_request_classic(
    out: bytearray, items: Sequence[ElectLeadersRequest], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_b(item.election_type)
        else:
            if item.election_type != 0:
                raise absent_fault("ElectLeadersRequest.election_type", version)
        values_topic_partitions = item.topic_partitions
        if values_topic_partitions is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_topic_partitions))
            if values_topic_partitions:
                _write_topic_partitions_classic(out, values_topic_partitions, version)
        out += _pack_i(item.timeout_ms)


def _read_topic_partitions_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicPartitions], int]:
    if position + count * 6 > len(data):
        raise count_fault("TopicPartitions", count)
    items: list[TopicPartitions] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TopicPartitions.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("TopicPartitions.partitions")
        partitions, position = read_int32_array(data, position, n)
        items.append(TopicPartitions(topic, partitions))
    return items, position


def _write_topic_partitions_classic(
    out: bytearray, items: Sequence[TopicPartitions], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            write_int32_array(out, item.partitions)
