"""ConsumerGroupTargetAssignmentMemberValue, versions 0 (flexible from 0).

Generated from consumer_offsets.schema by ottla.protocol.generator; do not edit.
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
    count_fault,
    long_length,
    malformed,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_u = struct.Struct(">16s").pack
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class TargetTopicPartitions:
    topic_id: bytes = NIL_UUID
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ConsumerGroupTargetAssignmentMemberValue(Message):
    topic_partitions: list[TargetTopicPartitions] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ConsumerGroupTargetAssignmentMemberValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupTargetAssignmentMemberValue, int]:
        try:
            if version == 0:
                (message,), end = _read_consumer_group_target_assignment_member_value_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupTargetAssignmentMemberValue", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupTargetAssignmentMemberValue", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupTargetAssignmentMemberValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_consumer_group_target_assignment_member_value_flexible(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupTargetAssignmentMemberValue has no version {version}")


def _read_consumer_group_target_assignment_member_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupTargetAssignmentMemberValue], int]:
    items: list[ConsumerGroupTargetAssignmentMemberValue] = []
    topic_partitions: list[TargetTopicPartitions]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ConsumerGroupTargetAssignmentMemberValue.topic_partitions"
            )
        topic_partitions, position = _read_target_topic_partitions_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ConsumerGroupTargetAssignmentMemberValue(topic_partitions))
    return items, position


def _write_consumer_group_target_assignment_member_value_flexible(
    out: bytearray, items: Sequence[ConsumerGroupTargetAssignmentMemberValue], version: int
) -> None:
    for item in items:
        n = len(item.topic_partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topic_partitions:
            _write_target_topic_partitions_flexible(out, item.topic_partitions, version)
        out.append(0)


def _read_target_topic_partitions_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TargetTopicPartitions], int]:
    if position + count * 18 > len(data):
        raise count_fault("TargetTopicPartitions", count)
    items: list[TargetTopicPartitions] = []
    partitions: list[int]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TargetTopicPartitions.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TargetTopicPartitions(topic_id, partitions))
    return items, position


def _write_target_topic_partitions_flexible(
    out: bytearray, items: Sequence[TargetTopicPartitions], version: int
) -> None:
    for item in items:
        out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            write_int32_array(out, item.partitions)
        out.append(0)
