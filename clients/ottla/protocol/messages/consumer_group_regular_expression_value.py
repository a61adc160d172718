"""ConsumerGroupRegularExpressionValue, versions 0 (flexible from 0).

Generated from consumer_offsets.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    malformed,
    read_compact_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_uvarint,
)

_pack_qqx = struct.Struct(">qqx").pack
_unpack_qqc = struct.Struct(">qqB").unpack_from


@dataclass(slots=True)
class ConsumerGroupRegularExpressionValue(Message):
    topics: list[str] = field(default_factory=list)
    version: int = 0
    timestamp: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ConsumerGroupRegularExpressionValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupRegularExpressionValue, int]:
        try:
            if version == 0:
                (message,), end = _read_consumer_group_regular_expression_value_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupRegularExpressionValue", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupRegularExpressionValue", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupRegularExpressionValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_consumer_group_regular_expression_value_flexible(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupRegularExpressionValue has no version {version}")


def _read_consumer_group_regular_expression_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupRegularExpressionValue], int]:
    items: list[ConsumerGroupRegularExpressionValue] = []
    topics: list[str]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ConsumerGroupRegularExpressionValue.topics"
            )
        topics, position = read_compact_string_array(data, position, n - 1)
        version_, timestamp, tags = _unpack_qqc(data, position)
        position += 17
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ConsumerGroupRegularExpressionValue(topics, version_, timestamp))
    return items, position


def _write_consumer_group_regular_expression_value_flexible(
    out: bytearray, items: Sequence[ConsumerGroupRegularExpressionValue], version: int
) -> None:
    for item in items:
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            write_compact_string_array(out, item.topics)
        out += _pack_qqx(item.version, item.timestamp)
