"""ConsumerGroupMetadataValue, versions 0 (flexible from 0).

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
    long_uvarint,
    malformed,
    read_tag,
    tag_fault,
    unknown_version,
    write_tagged,
)

_pack_i = struct.Struct(">i").pack
_pack_q = struct.Struct(">q").pack
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_q = struct.Struct(">q").unpack_from


@dataclass(slots=True)
class ConsumerGroupMetadataValue(Message):
    epoch: int = 0
    metadata_hash: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ConsumerGroupMetadataValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupMetadataValue, int]:
        try:
            if version == 0:
                (message,), end = _read_consumer_group_metadata_value_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupMetadataValue", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupMetadataValue", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupMetadataValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_consumer_group_metadata_value_flexible(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupMetadataValue has no version {version}")


def _read_consumer_group_metadata_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupMetadataValue], int]:
    items: list[ConsumerGroupMetadataValue] = []
    for _ in range(count):
        epoch, tags = _unpack_ic(data, position)
        position += 5
        metadata_hash = 0
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0:
                    (metadata_hash,) = _unpack_q(data, position)
                    position += 8
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("ConsumerGroupMetadataValue", tag)
        items.append(ConsumerGroupMetadataValue(epoch, metadata_hash))
    return items, position


def _write_consumer_group_metadata_value_flexible(
    out: bytearray, items: Sequence[ConsumerGroupMetadataValue], version: int
) -> None:
    for item in items:
        out += _pack_i(item.epoch)
        if item.metadata_hash != 0:
            out.append(1)
            write_tagged(out, 0, _pack_q(item.metadata_hash))
        else:
            out.append(0)
