"""ApiVersionsRequest, versions 0–4 (flexible from 3).

Generated from api_versions.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)


@dataclass(slots=True)
class ApiVersionsRequest(Message):
    client_software_name: str = ""
    client_software_version: str = ""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ApiVersionsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ApiVersionsRequest, int]:
        try:
            if 3 <= version <= 4:
                (message,), end = _read_api_versions_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_api_versions_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("ApiVersionsRequest", version)
        except MALFORMED as error:
            raise malformed("ApiVersionsRequest", version, error) from error
        if end > len(data):
            raise malformed("ApiVersionsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 4:
            _write_api_versions_request_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_api_versions_request_classic(out, (self,), version)
        else:
            raise ValueError(f"ApiVersionsRequest has no version {version}")


def _read_api_versions_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ApiVersionsRequest], int]:
    items: list[ApiVersionsRequest] = []
    client_software_name: str
    client_software_version: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ApiVersionsRequest.client_software_name")
        end = position + n - 1
        client_software_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ApiVersionsRequest.client_software_version"
            )
        end = position + n - 1
        client_software_version = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ApiVersionsRequest(client_software_name, client_software_version))
    return items, position


def _write_api_versions_request_flexible(
    out: bytearray, items: Sequence[ApiVersionsRequest], version: int
) -> None:
    for item in items:
        raw = item.client_software_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.client_software_version.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)


def _read_api_versions_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ApiVersionsRequest], int]:
    items: list[ApiVersionsRequest] = []
    for _ in range(count):
        items.append(ApiVersionsRequest("", ""))
    return items, position


def _write_api_versions_request_classic(
    out: bytearray, items: Sequence[ApiVersionsRequest], version: int
) -> None:
    pass
