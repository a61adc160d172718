"""ConsumerGroupCurrentMemberAssignmentKey, versions 8 (none is flexible).

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
    null_fault,
    unknown_version,
)

_pack_h = struct.Struct(">h").pack
_unpack_h = struct.Struct(">h").unpack_from


@dataclass(slots=True)
class ConsumerGroupCurrentMemberAssignmentKey(Message):
    group_id: str = ""
    member_id: str = ""

    MIN_VERSION: ClassVar[int] = 8
    MAX_VERSION: ClassVar[int] = 8
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ConsumerGroupCurrentMemberAssignmentKey:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupCurrentMemberAssignmentKey, int]:
        try:
            if version == 8:
                (message,), end = _read_consumer_group_current_member_assignment_key_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupCurrentMemberAssignmentKey", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupCurrentMemberAssignmentKey", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupCurrentMemberAssignmentKey", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 8:
            _write_consumer_group_current_member_assignment_key_classic(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupCurrentMemberAssignmentKey has no version {version}")


def _read_consumer_group_current_member_assignment_key_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupCurrentMemberAssignmentKey], int]:
    items: list[ConsumerGroupCurrentMemberAssignmentKey] = []
    group_id: str
    member_id: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ConsumerGroupCurrentMemberAssignmentKey.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ConsumerGroupCurrentMemberAssignmentKey.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        items.append(ConsumerGroupCurrentMemberAssignmentKey(group_id, member_id))
    return items, position


def _write_consumer_group_current_member_assignment_key_classic(
    out: bytearray, items: Sequence[ConsumerGroupCurrentMemberAssignmentKey], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
