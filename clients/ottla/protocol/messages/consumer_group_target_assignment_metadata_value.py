"""ConsumerGroupTargetAssignmentMetadataValue, versions 0 (flexible from 0).

Generated from consumer_offsets.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    malformed,
    skip_tags,
    unknown_version,
)

_pack_ix = struct.Struct(">ix").pack
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class ConsumerGroupTargetAssignmentMetadataValue(Message):
    assignment_epoch: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ConsumerGroupTargetAssignmentMetadataValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupTargetAssignmentMetadataValue, int]:
        try:
            if version == 0:
                (message,), end = _read_consumer_group_target_assignment_metadata_value_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupTargetAssignmentMetadataValue", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupTargetAssignmentMetadataValue", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupTargetAssignmentMetadataValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_consumer_group_target_assignment_metadata_value_flexible(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupTargetAssignmentMetadataValue has no version {version}")


def _read_consumer_group_target_assignment_metadata_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupTargetAssignmentMetadataValue], int]:
    items: list[ConsumerGroupTargetAssignmentMetadataValue] = []
    for _ in range(count):
        assignment_epoch, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ConsumerGroupTargetAssignmentMetadataValue(assignment_epoch))
    return items, position


def _write_consumer_group_target_assignment_metadata_value_flexible(
    out: bytearray, items: Sequence[ConsumerGroupTargetAssignmentMetadataValue], version: int
) -> None:
    for item in items:
        out += _pack_ix(item.assignment_epoch)
