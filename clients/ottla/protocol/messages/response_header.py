"""ResponseHeader, versions 0–1 (flexible from 1).

Generated from header.schema by ottla.protocol.generator; do not edit.
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
    skip_tags,
    unknown_version,
)

_pack_i = struct.Struct(">i").pack
_pack_ix = struct.Struct(">ix").pack
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class ResponseHeader(Message):
    correlation_id: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ResponseHeader:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ResponseHeader, int]:
        try:
            if version == 1:
                (message,), end = _read_response_header_flexible(data, offset, 1, version)
            elif version == 0:
                (message,), end = _read_response_header_classic(data, offset, 1, version)
            else:
                raise unknown_version("ResponseHeader", version)
        except MALFORMED as error:
            raise malformed("ResponseHeader", version, error) from error
        if end > len(data):
            raise malformed("ResponseHeader", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_response_header_flexible(out, (self,), version)
        elif version == 0:
            _write_response_header_classic(out, (self,), version)
        else:
            raise ValueError(f"ResponseHeader has no version {version}")


def _read_response_header_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ResponseHeader], int]:
    items: list[ResponseHeader] = []
    for _ in range(count):
        correlation_id, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ResponseHeader(correlation_id))
    return items, position


def _write_response_header_flexible(
    out: bytearray, items: Sequence[ResponseHeader], version: int
) -> None:
    for item in items:
        out += _pack_ix(item.correlation_id)


def _read_response_header_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ResponseHeader], int]:
    items: list[ResponseHeader] = []
    for _ in range(count):
        (correlation_id,) = _unpack_i(data, position)
        position += 4
        items.append(ResponseHeader(correlation_id))
    return items, position


def _write_response_header_classic(
    out: bytearray, items: Sequence[ResponseHeader], version: int
) -> None:
    for item in items:
        out += _pack_i(item.correlation_id)
