"""AddRaftVoterResponse, versions 0–1 (flexible from 0).

Generated from add_raft_voter.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_ih = struct.Struct(">ih").pack
_unpack_ihc = struct.Struct(">ihB").unpack_from


@dataclass(slots=True)
class AddRaftVoterResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = ""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AddRaftVoterResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AddRaftVoterResponse, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_add_raft_voter_response_flexible(data, offset, 1, version)
            else:
                raise unknown_version("AddRaftVoterResponse", version)
        except MALFORMED as error:
            raise malformed("AddRaftVoterResponse", version, error) from error
        if end > len(data):
            raise malformed("AddRaftVoterResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_add_raft_voter_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"AddRaftVoterResponse has no version {version}")


def _read_add_raft_voter_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddRaftVoterResponse], int]:
    items: list[AddRaftVoterResponse] = []
    error_message: str | None
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AddRaftVoterResponse(throttle_time_ms, error_code, error_message))
    return items, position


def _write_add_raft_voter_response_flexible(
    out: bytearray, items: Sequence[AddRaftVoterResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out.append(0)
        else:
            raw = values_error_message.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)
