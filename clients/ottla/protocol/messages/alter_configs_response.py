"""AlterConfigsResponse, versions 0–2 (flexible from 2).

Generated from alter_configs.schema by ottla.protocol.generator; do not edit.
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

_pack_b = struct.Struct(">b").pack
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bh = struct.Struct(">bh").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class AlterConfigsResourceResponse:
    error_code: int = 0
    error_message: str | None = ""
    resource_type: int = 0
    resource_name: str = ""


@dataclass(slots=True)
class AlterConfigsResponse(Message):
    throttle_time_ms: int = 0
    responses: list[AlterConfigsResourceResponse] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AlterConfigsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterConfigsResponse, int]:
        try:
            if version == 2:
                (message,), end = _read_alter_configs_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_alter_configs_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("AlterConfigsResponse", version)
        except MALFORMED as error:
            raise malformed("AlterConfigsResponse", version, error) from error
        if end > len(data):
            raise malformed("AlterConfigsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_alter_configs_response_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_alter_configs_response_classic(out, (self,), version)
        else:
            raise ValueError(f"AlterConfigsResponse has no version {version}")


def _read_alter_configs_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterConfigsResponse], int]:
    items: list[AlterConfigsResponse] = []
    responses: list[AlterConfigsResourceResponse]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterConfigsResponse.responses")
        responses, position = _read_alter_configs_resource_response_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterConfigsResponse(throttle_time_ms, responses))
    return items, position


def _write_alter_configs_response_flexible(
    out: bytearray, items: Sequence[AlterConfigsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.responses) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.responses:
            _write_alter_configs_resource_response_flexible(out, item.responses, version)
        out.append(0)


def _read_alter_configs_resource_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterConfigsResourceResponse], int]:
    if position + count * 6 > len(data):
        raise count_fault("AlterConfigsResourceResponse", count)
    items: list[AlterConfigsResourceResponse] = []
    error_message: str | None
    resource_name: str
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        resource_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterConfigsResourceResponse.resource_name"
            )
        end = position + n - 1
        resource_name = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AlterConfigsResourceResponse(error_code, error_message, resource_type, resource_name)
        )
    return items, position


def _write_alter_configs_resource_response_flexible(
    out: bytearray, items: Sequence[AlterConfigsResourceResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
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
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)


def _read_alter_configs_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterConfigsResponse], int]:
    items: list[AlterConfigsResponse] = []
    responses: list[AlterConfigsResourceResponse]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("AlterConfigsResponse.responses")
        responses, position = _read_alter_configs_resource_response_classic(
            data, position, n, version
        )
        items.append(AlterConfigsResponse(throttle_time_ms, responses))
    return items, position


def _write_alter_configs_response_classic(
    out: bytearray, items: Sequence[AlterConfigsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.responses))
        if item.responses:
            _write_alter_configs_resource_response_classic(out, item.responses, version)


def _read_alter_configs_resource_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterConfigsResourceResponse], int]:
    if position + count * 7 > len(data):
        raise count_fault("AlterConfigsResourceResponse", count)
    items: list[AlterConfigsResourceResponse] = []
    error_message: str | None
    resource_name: str
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        resource_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("AlterConfigsResourceResponse.resource_name")
        end = position + n
        resource_name = str(data[position:end], "utf-8")
        position = end
        items.append(
            AlterConfigsResourceResponse(error_code, error_message, resource_type, resource_name)
        )
    return items, position


def _write_alter_configs_resource_response_classic(
    out: bytearray, items: Sequence[AlterConfigsResourceResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        out += _pack_h(len(raw))
        out += raw
