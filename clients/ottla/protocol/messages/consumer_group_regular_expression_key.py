"""ConsumerGroupRegularExpressionKey, versions 16 (none is flexible).

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
class ConsumerGroupRegularExpressionKey(Message):
    group_id: str = ""
    regular_expression: str = ""

    MIN_VERSION: ClassVar[int] = 16
    MAX_VERSION: ClassVar[int] = 16
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ConsumerGroupRegularExpressionKey:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupRegularExpressionKey, int]:
        try:
            if version == 16:
                (message,), end = _read_consumer_group_regular_expression_key_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupRegularExpressionKey", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupRegularExpressionKey", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupRegularExpressionKey", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 16:
            _write_consumer_group_regular_expression_key_classic(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupRegularExpressionKey has no version {version}")


def _read_consumer_group_regular_expression_key_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupRegularExpressionKey], int]:
    items: list[ConsumerGroupRegularExpressionKey] = []
    group_id: str
    regular_expression: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ConsumerGroupRegularExpressionKey.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ConsumerGroupRegularExpressionKey.regular_expression")
        end = position + n
        regular_expression = str(data[position:end], "utf-8")
        position = end
        items.append(ConsumerGroupRegularExpressionKey(group_id, regular_expression))
    return items, position


def _write_consumer_group_regular_expression_key_classic(
    out: bytearray, items: Sequence[ConsumerGroupRegularExpressionKey], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.regular_expression.encode()
        out += _pack_h(len(raw))
        out += raw
