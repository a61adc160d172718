"""RemoveRaftVoterRequest, versions 0 (flexible from 0).

Generated from remove_raft_voter.schema by ottla.protocol.generator; do not edit.
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
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_iux = struct.Struct(">i16sx").pack
_unpack_iuc = struct.Struct(">i16sB").unpack_from


@dataclass(slots=True)
class RemoveRaftVoterRequest(Message):
    cluster_id: str | None = ""
    voter_id: int = 0
    voter_directory_id: bytes = NIL_UUID

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> RemoveRaftVoterRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[RemoveRaftVoterRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_remove_raft_voter_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("RemoveRaftVoterRequest", version)
        except MALFORMED as error:
            raise malformed("RemoveRaftVoterRequest", version, error) from error
        if end > len(data):
            raise malformed("RemoveRaftVoterRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_remove_raft_voter_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"RemoveRaftVoterRequest has no version {version}")


def _read_remove_raft_voter_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[RemoveRaftVoterRequest], int]:
    items: list[RemoveRaftVoterRequest] = []
    cluster_id: str | None
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
        voter_id, voter_directory_id, tags = _unpack_iuc(data, position)
        position += 21
        if tags:
            position = skip_tags(data, position, tags)
        items.append(RemoveRaftVoterRequest(cluster_id, voter_id, voter_directory_id))
    return items, position


def _write_remove_raft_voter_request_flexible(
    out: bytearray, items: Sequence[RemoveRaftVoterRequest], version: int
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
        out += _pack_iux(item.voter_id, item.voter_directory_id)
