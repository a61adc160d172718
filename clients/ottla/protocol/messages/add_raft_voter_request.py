"""AddRaftVoterRequest, versions 0–1 (flexible from 0).

Generated from add_raft_voter.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.core.identifiers import NIL_UUID
from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    absent_fault,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_iiu = struct.Struct(">ii16s").pack
_pack_ox = struct.Struct(">?x").pack
_pack_wx = struct.Struct(">Hx").pack
_unpack_iiuc = struct.Struct(">ii16sB").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from
_unpack_wc = struct.Struct(">HB").unpack_from


@dataclass(slots=True)
class Listener:
    name: str = ""
    host: str = ""
    port: int = 0


@dataclass(slots=True)
class AddRaftVoterRequest(Message):
    cluster_id: str | None = ""
    timeout_ms: int = 0
    voter_id: int = 0
    voter_directory_id: bytes = NIL_UUID
    listeners: list[Listener] = field(default_factory=list)
    ack_when_committed: bool = True

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AddRaftVoterRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AddRaftVoterRequest, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_add_raft_voter_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("AddRaftVoterRequest", version)
        except MALFORMED as error:
            raise malformed("AddRaftVoterRequest", version, error) from error
        if end > len(data):
            raise malformed("AddRaftVoterRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_add_raft_voter_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"AddRaftVoterRequest has no version {version}")


def _read_add_raft_voter_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddRaftVoterRequest], int]:
    items: list[AddRaftVoterRequest] = []
    cluster_id: str | None
    listeners: list[Listener]
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            cluster_id = None
        else:
            end = position + n - 1
            cluster_id = str(data[position:end], "utf-8")
            position = end
        timeout_ms, voter_id, voter_directory_id, n = _unpack_iiuc(data, position)
        position += 25
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AddRaftVoterRequest.listeners")
        listeners, position = _read_listener_flexible(data, position, n - 1, version)
        if version >= 1:
            ack_when_committed, tags = _unpack_oc(data, position)
            position += 2
        else:
            tags = data[position]
            position += 1
            ack_when_committed = True
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AddRaftVoterRequest(
                cluster_id, timeout_ms, voter_id, voter_directory_id, listeners, ack_when_committed
            )
        )
    return items, position


def _write_add_raft_voter_request_flexible(
    out: bytearray, items: Sequence[AddRaftVoterRequest], version: int
) -> None:
    for item in items:
        values_cluster_id = item.cluster_id
        if values_cluster_id is None:
            out.append(0)
        else:
            raw = values_cluster_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_iiu(item.timeout_ms, item.voter_id, item.voter_directory_id)
        n = len(item.listeners) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.listeners:
            _write_listener_flexible(out, item.listeners, version)
        if version >= 1:
            out += _pack_ox(item.ack_when_committed)
        else:
            if not item.ack_when_committed:
                raise absent_fault("AddRaftVoterRequest.ack_when_committed", version)
            out.append(0)


def _read_listener_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Listener], int]:
    if position + count * 5 > len(data):
        raise count_fault("Listener", count)
    items: list[Listener] = []
    name: str
    host: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Listener.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Listener.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        port, tags = _unpack_wc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Listener(name, host, port))
    return items, position


def _write_listener_flexible(out: bytearray, items: Sequence[Listener], version: int) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_wx(item.port)
