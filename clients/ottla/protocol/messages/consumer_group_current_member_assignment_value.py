"""ConsumerGroupCurrentMemberAssignmentValue, versions 0 (flexible from 0).

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

_pack_iib = struct.Struct(">iib").pack
_pack_u = struct.Struct(">16s").pack
_unpack_iibc = struct.Struct(">iibB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class CurrentTopicPartitions:
    topic_id: bytes = NIL_UUID
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ConsumerGroupCurrentMemberAssignmentValue(Message):
    member_epoch: int = 0
    previous_member_epoch: int = 0
    state: int = 0
    assigned_partitions: list[CurrentTopicPartitions] = field(default_factory=list)
    partitions_pending_revocation: list[CurrentTopicPartitions] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ConsumerGroupCurrentMemberAssignmentValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupCurrentMemberAssignmentValue, int]:
        try:
            if version == 0:
                (message,), end = _read_consumer_group_current_member_assignment_value_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupCurrentMemberAssignmentValue", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupCurrentMemberAssignmentValue", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupCurrentMemberAssignmentValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_consumer_group_current_member_assignment_value_flexible(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupCurrentMemberAssignmentValue has no version {version}")


def _read_consumer_group_current_member_assignment_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupCurrentMemberAssignmentValue], int]:
    items: list[ConsumerGroupCurrentMemberAssignmentValue] = []
    assigned_partitions: list[CurrentTopicPartitions]
    partitions_pending_revocation: list[CurrentTopicPartitions]
    for _ in range(count):
        member_epoch, previous_member_epoch, state, n = _unpack_iibc(data, position)
        position += 10
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ConsumerGroupCurrentMemberAssignmentValue.assigned_partitions"
            )
        assigned_partitions, position = _read_current_topic_partitions_flexible(
            data, position, n - 1, version
        )
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data,
                position,
                n,
                "ConsumerGroupCurrentMemberAssignmentValue.partitions_pending_revocation",
            )
        partitions_pending_revocation, position = _read_current_topic_partitions_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ConsumerGroupCurrentMemberAssignmentValue(
                member_epoch,
                previous_member_epoch,
                state,
                assigned_partitions,
                partitions_pending_revocation,
            )
        )
    return items, position


def _write_consumer_group_current_member_assignment_value_flexible(
    out: bytearray, items: Sequence[ConsumerGroupCurrentMemberAssignmentValue], version: int
) -> None:
    for item in items:
        out += _pack_iib(item.member_epoch, item.previous_member_epoch, item.state)
        n = len(item.assigned_partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.assigned_partitions:
            _write_current_topic_partitions_flexible(out, item.assigned_partitions, version)
        n = len(item.partitions_pending_revocation) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions_pending_revocation:
            _write_current_topic_partitions_flexible(
                out, item.partitions_pending_revocation, version
            )
        out.append(0)


def _read_current_topic_partitions_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CurrentTopicPartitions], int]:
    if position + count * 18 > len(data):
        raise count_fault("CurrentTopicPartitions", count)
    items: list[CurrentTopicPartitions] = []
    partitions: list[int]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CurrentTopicPartitions.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CurrentTopicPartitions(topic_id, partitions))
    return items, position


def _write_current_topic_partitions_flexible(
    out: bytearray, items: Sequence[CurrentTopicPartitions], version: int
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
