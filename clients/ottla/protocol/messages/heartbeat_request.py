"""HeartbeatRequest, versions 0–4 (flexible from 4).

Generated from heartbeat.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    absent_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from


@dataclass(slots=True)
class HeartbeatRequest(Message):
    group_id: str = ""
    generation_id: int = 0
    member_id: str = ""
    group_instance_id: str | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> HeartbeatRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[HeartbeatRequest, int]:
        try:
            if version == 4:
                (message,), end = _read_heartbeat_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 3:
                (message,), end = _read_heartbeat_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("HeartbeatRequest", version)
        except MALFORMED as error:
            raise malformed("HeartbeatRequest", version, error) from error
        if end > len(data):
            raise malformed("HeartbeatRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 4:
            _write_heartbeat_request_flexible(out, (self,), version)
        elif 0 <= version <= 3:
            _write_heartbeat_request_classic(out, (self,), version)
        else:
            raise ValueError(f"HeartbeatRequest has no version {version}")


def _read_heartbeat_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[HeartbeatRequest], int]:
    items: list[HeartbeatRequest] = []
    group_id: str
    member_id: str
    group_instance_id: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "HeartbeatRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        generation_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "HeartbeatRequest.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            group_instance_id = None
        else:
            end = position + n - 1
            group_instance_id = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(HeartbeatRequest(group_id, generation_id, member_id, group_instance_id))
    return items, position


def _write_heartbeat_request_flexible(
    out: bytearray, items: Sequence[HeartbeatRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.generation_id)
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_group_instance_id = item.group_instance_id
        if values_group_instance_id is None:
            out.append(0)
        else:
            raw = values_group_instance_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_heartbeat_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[HeartbeatRequest], int]:
    items: list[HeartbeatRequest] = []
    group_id: str
    member_id: str
    group_instance_id: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("HeartbeatRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        generation_id, n = _unpack_ih(data, position)
        position += 6
        if n < 0:
            raise null_fault("HeartbeatRequest.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        if version >= 3:
            (n,) = _unpack_h(data, position)
            position += 2
            if n < 0:
                group_instance_id = None
            else:
                end = position + n
                group_instance_id = str(data[position:end], "utf-8")
                position = end
        else:
            group_instance_id = None
        items.append(HeartbeatRequest(group_id, generation_id, member_id, group_instance_id))
    return items, position


def _write_heartbeat_request_classic(
    out: bytearray, items: Sequence[HeartbeatRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(item.generation_id)
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 3:
            values_group_instance_id = item.group_instance_id
            if values_group_instance_id is None:
                out += b"\xff\xff"
            else:
                raw = values_group_instance_id.encode()
                out += _pack_h(len(raw))
                out += raw
        elif item.group_instance_id is not None:
            raise absent_fault("HeartbeatRequest.group_instance_id", version)
