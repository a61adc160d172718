"""OffsetCommitKey, versions 0–1 (none is flexible).

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
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class OffsetCommitKey(Message):
    group: str = ""
    topic: str = ""
    partition: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetCommitKey:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[OffsetCommitKey, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_offset_commit_key_classic(data, offset, 1, version)
            else:
                raise unknown_version("OffsetCommitKey", version)
        except MALFORMED as error:
            raise malformed("OffsetCommitKey", version, error) from error
        if end > len(data):
            raise malformed("OffsetCommitKey", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_offset_commit_key_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetCommitKey has no version {version}")


def _read_offset_commit_key_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitKey], int]:
    items: list[OffsetCommitKey] = []
    group: str
    topic: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetCommitKey.group")
        end = position + n
        group = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OffsetCommitKey.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (partition,) = _unpack_i(data, position)
        position += 4
        items.append(OffsetCommitKey(group, topic, partition))
    return items, position


def _write_offset_commit_key_classic(
    out: bytearray, items: Sequence[OffsetCommitKey], version: int
) -> None:
    for item in items:
        raw = item.group.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(item.partition)
