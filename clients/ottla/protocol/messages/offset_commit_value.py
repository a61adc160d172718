"""OffsetCommitValue, versions 0–4 (flexible from 4).

Generated from consumer_offsets.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.core.identifiers import NIL_UUID
from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    read_tag,
    tag_fault,
    unknown_version,
    write_tagged,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_q = struct.Struct(">q").pack
_pack_qi = struct.Struct(">qi").pack
_pack_qq = struct.Struct(">qq").pack
_pack_u = struct.Struct(">16s").pack
_unpack_q = struct.Struct(">q").unpack_from
_unpack_qc = struct.Struct(">qB").unpack_from
_unpack_qh = struct.Struct(">qh").unpack_from
_unpack_qic = struct.Struct(">qiB").unpack_from
_unpack_qih = struct.Struct(">qih").unpack_from
_unpack_qq = struct.Struct(">qq").unpack_from
_unpack_u = struct.Struct(">16s").unpack_from


@dataclass(slots=True)
class OffsetCommitValue(Message):
    offset: int = 0
    leader_epoch: int = -1
    metadata: str = ""
    commit_timestamp: int = 0
    expire_timestamp: int = -1
    topic_id: bytes = NIL_UUID

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> OffsetCommitValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[OffsetCommitValue, int]:
        try:
            if version == 4:
                (message,), end = _read_offset_commit_value_flexible(data, offset, 1, version)
            elif 0 <= version <= 3:
                (message,), end = _read_offset_commit_value_classic(data, offset, 1, version)
            else:
                raise unknown_version("OffsetCommitValue", version)
        except MALFORMED as error:
            raise malformed("OffsetCommitValue", version, error) from error
        if end > len(data):
            raise malformed("OffsetCommitValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 4:
            _write_offset_commit_value_flexible(out, (self,), version)
        elif 0 <= version <= 3:
            _write_offset_commit_value_classic(out, (self,), version)
        else:
            raise ValueError(f"OffsetCommitValue has no version {version}")


def _read_offset_commit_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitValue], int]:
    items: list[OffsetCommitValue] = []
    metadata: str
    for _ in range(count):
        offset, leader_epoch, n = _unpack_qic(data, position)
        position += 13
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OffsetCommitValue.metadata")
        end = position + n - 1
        metadata = str(data[position:end], "utf-8")
        position = end
        commit_timestamp, tags = _unpack_qc(data, position)
        position += 9
        topic_id = NIL_UUID
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0:
                    (topic_id,) = _unpack_u(data, position)
                    position += 16
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("OffsetCommitValue", tag)
        items.append(
            OffsetCommitValue(offset, leader_epoch, metadata, commit_timestamp, -1, topic_id)
        )
    return items, position


def _write_offset_commit_value_flexible(
    out: bytearray, items: Sequence[OffsetCommitValue], version: int
) -> None:
    for item in items:
        out += _pack_qi(item.offset, item.leader_epoch)
        raw = item.metadata.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_q(item.commit_timestamp)
        if item.topic_id != NIL_UUID:
            out.append(1)
            write_tagged(out, 0, _pack_u(item.topic_id))
        else:
            out.append(0)


def _read_offset_commit_value_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OffsetCommitValue], int]:
    items: list[OffsetCommitValue] = []
    metadata: str
    for _ in range(count):
        if version >= 3:
            offset, leader_epoch, n = _unpack_qih(data, position)
            position += 14
        else:
            offset, n = _unpack_qh(data, position)
            position += 10
            leader_epoch = -1
        if n < 0:
            raise null_fault("OffsetCommitValue.metadata")
        end = position + n
        metadata = str(data[position:end], "utf-8")
        position = end
        if version >= 2:
            (commit_timestamp,) = _unpack_q(data, position)
            position += 8
            expire_timestamp = -1
        elif version >= 1:
            commit_timestamp, expire_timestamp = _unpack_qq(data, position)
            position += 16
        else:
            (commit_timestamp,) = _unpack_q(data, position)
            position += 8
            expire_timestamp = -1
        items.append(
            OffsetCommitValue(
                offset, leader_epoch, metadata, commit_timestamp, expire_timestamp, NIL_UUID
            )
        )
    return items, position


def _write_offset_commit_value_classic(
    out: bytearray, items: Sequence[OffsetCommitValue], version: int
) -> None:
    for item in items:
        if version >= 3:
            out += _pack_qi(item.offset, item.leader_epoch)
        else:
            out += _pack_q(item.offset)
        raw = item.metadata.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 2:
            out += _pack_q(item.commit_timestamp)
        elif version >= 1:
            out += _pack_qq(item.commit_timestamp, item.expire_timestamp)
        else:
            out += _pack_q(item.commit_timestamp)
