"""ShareGroupHeartbeatRequest, versions 1 (flexible from 1).

Generated from share_group_heartbeat.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    long_uvarint,
    malformed,
    read_compact_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class ShareGroupHeartbeatRequest(Message):
    group_id: str = ""
    member_id: str = ""
    member_epoch: int = 0
    rack_id: str | None = None
    subscribed_topic_names: list[str] | None = None

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ShareGroupHeartbeatRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ShareGroupHeartbeatRequest, int]:
        try:
            if version == 1:
                (message,), end = _read_share_group_heartbeat_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ShareGroupHeartbeatRequest", version)
        except MALFORMED as error:
            raise malformed("ShareGroupHeartbeatRequest", version, error) from error
        if end > len(data):
            raise malformed("ShareGroupHeartbeatRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_share_group_heartbeat_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"ShareGroupHeartbeatRequest has no version {version}")


def _read_share_group_heartbeat_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ShareGroupHeartbeatRequest], int]:
    items: list[ShareGroupHeartbeatRequest] = []
    group_id: str
    member_id: str
    rack_id: str | None
    subscribed_topic_names: list[str] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareGroupHeartbeatRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareGroupHeartbeatRequest.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        member_epoch, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            rack_id = None
        else:
            end = position + n - 1
            rack_id = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            subscribed_topic_names = None
        else:
            subscribed_topic_names, position = read_compact_string_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ShareGroupHeartbeatRequest(
                group_id, member_id, member_epoch, rack_id, subscribed_topic_names
            )
        )
    return items, position


def _write_share_group_heartbeat_request_flexible(
    out: bytearray, items: Sequence[ShareGroupHeartbeatRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.member_epoch)
        values_rack_id = item.rack_id
        if values_rack_id is None:
            out.append(0)
        else:
            raw = values_rack_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        values_subscribed_topic_names = item.subscribed_topic_names
        if values_subscribed_topic_names is None:
            out.append(0)
        else:
            n = len(values_subscribed_topic_names) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_subscribed_topic_names:
                write_compact_string_array(out, values_subscribed_topic_names)
        out.append(0)
