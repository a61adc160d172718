"""GroupMetadataValue, versions 0–4 (flexible from 4).

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
_pack_q = struct.Struct(">q").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_iic = struct.Struct(">iiB").unpack_from
_unpack_iii = struct.Struct(">iii").unpack_from
_unpack_qc = struct.Struct(">qB").unpack_from
_unpack_qi = struct.Struct(">qi").unpack_from


@dataclass(slots=True)
class MemberMetadata:
    member_id: str = ""
    group_instance_id: str | None = None
    client_id: str = ""
    client_host: str = ""
    rebalance_timeout: int = -1
    session_timeout: int = 0
    subscription: bytes = b""
    assignment: bytes = b""


@dataclass(slots=True)
class GroupMetadataValue(Message):
    protocol_type: str = ""
    generation: int = 0
    protocol: str | None = ""
    leader: str | None = ""
    current_state_timestamp: int = -1
    members: list[MemberMetadata] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> GroupMetadataValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[GroupMetadataValue, int]:
        try:
            if version == 4:
                (message,), end = _read_group_metadata_value_flexible(data, offset, 1, version)
            elif 0 <= version <= 3:
                (message,), end = _read_group_metadata_value_classic(data, offset, 1, version)
            else:
                raise unknown_version("GroupMetadataValue", version)
        except MALFORMED as error:
            raise malformed("GroupMetadataValue", version, error) from error
        if end > len(data):
            raise malformed("GroupMetadataValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 4:
            _write_group_metadata_value_flexible(out, (self,), version)
        elif 0 <= version <= 3:
            _write_group_metadata_value_classic(out, (self,), version)
        else:
            raise ValueError(f"GroupMetadataValue has no version {version}")


def _read_group_metadata_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[GroupMetadataValue], int]:
    items: list[GroupMetadataValue] = []
    protocol_type: str
    protocol: str | None
    leader: str | None
    members: list[MemberMetadata]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "GroupMetadataValue.protocol_type")
        end = position + n - 1
        protocol_type = str(data[position:end], "utf-8")
        position = end
        generation, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            protocol = None
        else:
            end = position + n - 1
            protocol = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            leader = None
        else:
            end = position + n - 1
            leader = str(data[position:end], "utf-8")
            position = end
        current_state_timestamp, n = _unpack_qc(data, position)
        position += 9
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "GroupMetadataValue.members")
        members, position = _read_member_metadata_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            GroupMetadataValue(
                protocol_type, generation, protocol, leader, current_state_timestamp, members
            )
        )
    return items, position


def _write_group_metadata_value_flexible(
    out: bytearray, items: Sequence[GroupMetadataValue], version: int
) -> None:
    for item in items:
        raw = item.protocol_type.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.generation)
        values_protocol = item.protocol
        if values_protocol is None:
            out.append(0)
        else:
            raw = values_protocol.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        values_leader = item.leader
        if values_leader is None:
            out.append(0)
        else:
            raw = values_leader.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_q(item.current_state_timestamp)
        n = len(item.members) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.members:
            _write_member_metadata_flexible(out, item.members, version)
        out.append(0)


def _read_member_metadata_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MemberMetadata], int]:
    if position + count * 15 > len(data):
        raise count_fault("MemberMetadata", count)
    items: list[MemberMetadata] = []
    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    subscription: bytes
    assignment: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MemberMetadata.member_id")
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
            n, position = long_length(data, position, n, "MemberMetadata.client_id")
        end = position + n - 1
        client_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MemberMetadata.client_host")
        end = position + n - 1
        client_host = str(data[position:end], "utf-8")
        position = end
        rebalance_timeout, session_timeout, n = _unpack_iic(data, position)
        position += 9
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MemberMetadata.subscription")
        end = position + n - 1
        subscription = bytes(data[position:end])
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MemberMetadata.assignment")
        end = position + n - 1
        assignment = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            MemberMetadata(
                member_id,
                group_instance_id,
                client_id,
                client_host,
                rebalance_timeout,
                session_timeout,
                subscription,
                assignment,
            )
        )
    return items, position


def _write_member_metadata_flexible(
    out: bytearray, items: Sequence[MemberMetadata], version: int
) -> None:
    for item in items:
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
        raw = item.client_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.client_host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_ii(item.rebalance_timeout, item.session_timeout)
        n = len(item.subscription) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.subscription
        n = len(item.assignment) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.assignment
        out.append(0)


def _read_group_metadata_value_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[GroupMetadataValue], int]:
    items: list[GroupMetadataValue] = []
    protocol_type: str
    protocol: str | None
    leader: str | None
    members: list[MemberMetadata]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("GroupMetadataValue.protocol_type")
        end = position + n
        protocol_type = str(data[position:end], "utf-8")
        position = end
        generation, n = _unpack_ih(data, position)
        position += 6
        if n < 0:
            protocol = None
        else:
            end = position + n
            protocol = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            leader = None
        else:
            end = position + n
            leader = str(data[position:end], "utf-8")
            position = end
        if version >= 2:
            current_state_timestamp, n = _unpack_qi(data, position)
            position += 12
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            current_state_timestamp = -1
        if n < 0:
            raise null_fault("GroupMetadataValue.members")
        members, position = _read_member_metadata_classic(data, position, n, version)
        items.append(
            GroupMetadataValue(
                protocol_type, generation, protocol, leader, current_state_timestamp, members
            )
        )
    return items, position


def _write_group_metadata_value_classic(
    out: bytearray, items: Sequence[GroupMetadataValue], version: int
) -> None:
    for item in items:
        raw = item.protocol_type.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(item.generation)
        values_protocol = item.protocol
        if values_protocol is None:
            out += b"\xff\xff"
        else:
            raw = values_protocol.encode()
            out += _pack_h(len(raw))
            out += raw
        values_leader = item.leader
        if values_leader is None:
            out += b"\xff\xff"
        else:
            raw = values_leader.encode()
            out += _pack_h(len(raw))
            out += raw
        if version >= 2:
            out += _pack_q(item.current_state_timestamp)
        out += _pack_i(len(item.members))
        if item.members:
            _write_member_metadata_classic(out, item.members, version)


def _read_member_metadata_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MemberMetadata], int]:
    if position + count * 18 > len(data):
        raise count_fault("MemberMetadata", count)
    items: list[MemberMetadata] = []
    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    subscription: bytes
    assignment: bytes
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("MemberMetadata.member_id")
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
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("MemberMetadata.client_id")
        end = position + n
        client_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("MemberMetadata.client_host")
        end = position + n
        client_host = str(data[position:end], "utf-8")
        position = end
        if version >= 1:
            rebalance_timeout, session_timeout, n = _unpack_iii(data, position)
            position += 12
        else:
            session_timeout, n = _unpack_ii(data, position)
            position += 8
            rebalance_timeout = -1
        if n < 0:
            raise null_fault("MemberMetadata.subscription")
        end = position + n
        subscription = bytes(data[position:end])
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("MemberMetadata.assignment")
        end = position + n
        assignment = bytes(data[position:end])
        position = end
        items.append(
            MemberMetadata(
                member_id,
                group_instance_id,
                client_id,
                client_host,
                rebalance_timeout,
                session_timeout,
                subscription,
                assignment,
            )
        )
    return items, position


def _write_member_metadata_classic(
    out: bytearray, items: Sequence[MemberMetadata], version: int
) -> None:
    for item in items:
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
        raw = item.client_id.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.client_host.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 1:
            out += _pack_ii(item.rebalance_timeout, item.session_timeout)
        else:
            out += _pack_i(item.session_timeout)
        out += _pack_i(len(item.subscription))
        out += item.subscription
        out += _pack_i(len(item.assignment))
        out += item.assignment
