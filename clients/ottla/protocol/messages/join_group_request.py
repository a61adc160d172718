"""JoinGroupRequest, versions 0–9 (flexible from 6).

Generated from join_group.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    absent_fault,
    count_fault,
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
_pack_ii = struct.Struct(">ii").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_iic = struct.Struct(">iiB").unpack_from
_unpack_iih = struct.Struct(">iih").unpack_from


@dataclass(slots=True)
class JoinGroupRequestProtocol:
    name: str = ""
    metadata: bytes = b""


@dataclass(slots=True)
class JoinGroupRequest(Message):
    group_id: str = ""
    session_timeout_ms: int = 0
    rebalance_timeout_ms: int = -1
    member_id: str = ""
    group_instance_id: str | None = None
    protocol_type: str = ""
    protocols: list[JoinGroupRequestProtocol] = field(default_factory=list)
    reason: str | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 9
    FLEXIBLE_VERSION: ClassVar[int | None] = 6

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> JoinGroupRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[JoinGroupRequest, int]:
        try:
            if 6 <= version <= 9:
                (message,), end = _read_join_group_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 5:
                (message,), end = _read_join_group_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("JoinGroupRequest", version)
        except MALFORMED as error:
            raise malformed("JoinGroupRequest", version, error) from error
        if end > len(data):
            raise malformed("JoinGroupRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 6 <= version <= 9:
            _write_join_group_request_flexible(out, (self,), version)
        elif 0 <= version <= 5:
            _write_join_group_request_classic(out, (self,), version)
        else:
            raise ValueError(f"JoinGroupRequest has no version {version}")


def _read_join_group_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[JoinGroupRequest], int]:
    items: list[JoinGroupRequest] = []
    group_id: str
    member_id: str
    group_instance_id: str | None
    protocol_type: str
    protocols: list[JoinGroupRequestProtocol]
    reason: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        session_timeout_ms, rebalance_timeout_ms, n = _unpack_iic(data, position)
        position += 9
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupRequest.member_id")
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
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupRequest.protocol_type")
        end = position + n - 1
        protocol_type = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupRequest.protocols")
        protocols, position = _read_join_group_request_protocol_flexible(
            data, position, n - 1, version
        )
        if version >= 8:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                reason = None
            else:
                end = position + n - 1
                reason = str(data[position:end], "utf-8")
                position = end
        else:
            reason = None
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            JoinGroupRequest(
                group_id,
                session_timeout_ms,
                rebalance_timeout_ms,
                member_id,
                group_instance_id,
                protocol_type,
                protocols,
                reason,
            )
        )
    return items, position


def _write_join_group_request_flexible(
    out: bytearray, items: Sequence[JoinGroupRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_ii(item.session_timeout_ms, item.rebalance_timeout_ms)
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
        raw = item.protocol_type.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.protocols) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.protocols:
            _write_join_group_request_protocol_flexible(out, item.protocols, version)
        if version >= 8:
            values_reason = item.reason
            if values_reason is None:
                out.append(0)
            else:
                raw = values_reason.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        out.append(0)


def _read_join_group_request_protocol_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[JoinGroupRequestProtocol], int]:
    if position + count * 3 > len(data):
        raise count_fault("JoinGroupRequestProtocol", count)
    items: list[JoinGroupRequestProtocol] = []
    name: str
    metadata: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupRequestProtocol.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "JoinGroupRequestProtocol.metadata")
        end = position + n - 1
        metadata = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(JoinGroupRequestProtocol(name, metadata))
    return items, position


def _write_join_group_request_protocol_flexible(
    out: bytearray, items: Sequence[JoinGroupRequestProtocol], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.metadata) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.metadata
        out.append(0)


def _read_join_group_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[JoinGroupRequest], int]:
    items: list[JoinGroupRequest] = []
    group_id: str
    member_id: str
    group_instance_id: str | None
    protocol_type: str
    protocols: list[JoinGroupRequestProtocol]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("JoinGroupRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        if version >= 1:
            session_timeout_ms, rebalance_timeout_ms, n = _unpack_iih(data, position)
            position += 10
        else:
            session_timeout_ms, n = _unpack_ih(data, position)
            position += 6
            rebalance_timeout_ms = -1
        if n < 0:
            raise null_fault("JoinGroupRequest.member_id")
        end = position + n
        member_id = str(data[position:end], "utf-8")
        position = end
        if version >= 5:
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
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("JoinGroupRequest.protocol_type")
        end = position + n
        protocol_type = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("JoinGroupRequest.protocols")
        protocols, position = _read_join_group_request_protocol_classic(data, position, n, version)
        items.append(
            JoinGroupRequest(
                group_id,
                session_timeout_ms,
                rebalance_timeout_ms,
                member_id,
                group_instance_id,
                protocol_type,
                protocols,
                None,
            )
        )
    return items, position


def _write_join_group_request_classic(
    out: bytearray, items: Sequence[JoinGroupRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 1:
            out += _pack_ii(item.session_timeout_ms, item.rebalance_timeout_ms)
        else:
            out += _pack_i(item.session_timeout_ms)
        raw = item.member_id.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 5:
            values_group_instance_id = item.group_instance_id
            if values_group_instance_id is None:
                out += b"\xff\xff"
            else:
                raw = values_group_instance_id.encode()
                out += _pack_h(len(raw))
                out += raw
        elif item.group_instance_id is not None:
            raise absent_fault("JoinGroupRequest.group_instance_id", version)
        raw = item.protocol_type.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.protocols))
        if item.protocols:
            _write_join_group_request_protocol_classic(out, item.protocols, version)


def _read_join_group_request_protocol_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[JoinGroupRequestProtocol], int]:
    if position + count * 6 > len(data):
        raise count_fault("JoinGroupRequestProtocol", count)
    items: list[JoinGroupRequestProtocol] = []
    name: str
    metadata: bytes
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("JoinGroupRequestProtocol.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("JoinGroupRequestProtocol.metadata")
        end = position + n
        metadata = bytes(data[position:end])
        position = end
        items.append(JoinGroupRequestProtocol(name, metadata))
    return items, position


def _write_join_group_request_protocol_classic(
    out: bytearray, items: Sequence[JoinGroupRequestProtocol], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.metadata))
        out += item.metadata
