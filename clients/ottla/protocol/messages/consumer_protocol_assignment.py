"""ConsumerProtocolAssignment, versions 0–3 (none is flexible).

Generated from consumer_protocol.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    null_fault,
    read_int32_array,
    unknown_version,
    write_int32_array,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class TopicPartition:
    topic: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ConsumerProtocolAssignment(Message):
    assigned_partitions: list[TopicPartition] = field(default_factory=list)
    user_data: bytes | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ConsumerProtocolAssignment:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerProtocolAssignment, int]:
        try:
            if 0 <= version <= 3:
                (message,), end = _read_consumer_protocol_assignment_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerProtocolAssignment", version)
        except MALFORMED as error:
            raise malformed("ConsumerProtocolAssignment", version, error) from error
        if end > len(data):
            raise malformed("ConsumerProtocolAssignment", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 3:
            _write_consumer_protocol_assignment_classic(out, (self,), version)
        else:
            raise ValueError(f"ConsumerProtocolAssignment has no version {version}")


def _read_consumer_protocol_assignment_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerProtocolAssignment], int]:
    items: list[ConsumerProtocolAssignment] = []
    assigned_partitions: list[TopicPartition]
    user_data: bytes | None
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("ConsumerProtocolAssignment.assigned_partitions")
        assigned_partitions, position = _read_topic_partition_classic(data, position, n, version)
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            user_data = None
        else:
            end = position + n
            user_data = bytes(data[position:end])
            position = end
        items.append(ConsumerProtocolAssignment(assigned_partitions, user_data))
    return items, position


def _write_consumer_protocol_assignment_classic(
    out: bytearray, items: Sequence[ConsumerProtocolAssignment], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.assigned_partitions))
        if item.assigned_partitions:
            _write_topic_partition_classic(out, item.assigned_partitions, version)
        values_user_data = item.user_data
        if values_user_data is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_user_data))
            out += values_user_data


def _read_topic_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicPartition], int]:
    if position + count * 6 > len(data):
        raise count_fault("TopicPartition", count)
    items: list[TopicPartition] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TopicPartition.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("TopicPartition.partitions")
        partitions, position = read_int32_array(data, position, n)
        items.append(TopicPartition(topic, partitions))
    return items, position


def _write_topic_partition_classic(
    out: bytearray, items: Sequence[TopicPartition], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            write_int32_array(out, item.partitions)
