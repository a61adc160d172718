"""RequestHeader, versions 1–2 (flexible from 2).

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

_pack_h = struct.Struct(">h").pack
_pack_hhi = struct.Struct(">hhi").pack
_unpack_hhih = struct.Struct(">hhih").unpack_from


@dataclass(slots=True)
class RequestHeader(Message):
    request_api_key: int = 0
    request_api_version: int = 0
    correlation_id: int = 0
    client_id: str | None = ""

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> RequestHeader:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[RequestHeader, int]:
        try:
            if version == 2:
                (message,), end = _read_request_header_flexible(data, offset, 1, version)
            elif version == 1:
                (message,), end = _read_request_header_classic(data, offset, 1, version)
            else:
                raise unknown_version("RequestHeader", version)
        except MALFORMED as error:
            raise malformed("RequestHeader", version, error) from error
        if end > len(data):
            raise malformed("RequestHeader", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_request_header_flexible(out, (self,), version)
        elif version == 1:
            _write_request_header_classic(out, (self,), version)
        else:
            raise ValueError(f"RequestHeader has no version {version}")


def _read_request_header_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[RequestHeader], int]:
    items: list[RequestHeader] = []
    client_id: str | None
    for _ in range(count):
        request_api_key, request_api_version, correlation_id, n = _unpack_hhih(data, position)
        position += 10
        if n < 0:
            client_id = None
        else:
            end = position + n
            client_id = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(RequestHeader(request_api_key, request_api_version, correlation_id, client_id))
    return items, position


def _write_request_header_flexible(
    out: bytearray, items: Sequence[RequestHeader], version: int
) -> None:
    for item in items:
        out += _pack_hhi(item.request_api_key, item.request_api_version, item.correlation_id)
        values_client_id = item.client_id
        if values_client_id is None:
            out += b"\xff\xff"
        else:
            raw = values_client_id.encode()
            out += _pack_h(len(raw))
            out += raw
        out.append(0)


def _read_request_header_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[RequestHeader], int]:
    items: list[RequestHeader] = []
    client_id: str | None
    for _ in range(count):
        request_api_key, request_api_version, correlation_id, n = _unpack_hhih(data, position)
        position += 10
        if n < 0:
            client_id = None
        else:
            end = position + n
            client_id = str(data[position:end], "utf-8")
            position = end
        items.append(RequestHeader(request_api_key, request_api_version, correlation_id, client_id))
    return items, position


def _write_request_header_classic(
    out: bytearray, items: Sequence[RequestHeader], version: int
) -> None:
    for item in items:
        out += _pack_hhi(item.request_api_key, item.request_api_version, item.correlation_id)
        values_client_id = item.client_id
        if values_client_id is None:
            out += b"\xff\xff"
        else:
            raw = values_client_id.encode()
            out += _pack_h(len(raw))
            out += raw
