"""CreatePartitionsResponse, versions 0–3 (flexible from 2).

Generated from create_partitions.schema by ottla.protocol.generator; do not edit.
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
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class CreatePartitionsTopicResult:
    name: str = ""
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class CreatePartitionsResponse(Message):
    throttle_time_ms: int = 0
    results: list[CreatePartitionsTopicResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> CreatePartitionsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[CreatePartitionsResponse, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_create_partitions_response_flexible(
                    data, offset, 1, version
                )
            elif 0 <= version <= 1:
                (message,), end = _read_create_partitions_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("CreatePartitionsResponse", version)
        except MALFORMED as error:
            raise malformed("CreatePartitionsResponse", version, error) from error
        if end > len(data):
            raise malformed("CreatePartitionsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_create_partitions_response_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_create_partitions_response_classic(out, (self,), version)
        else:
            raise ValueError(f"CreatePartitionsResponse has no version {version}")


def _read_create_partitions_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsResponse], int]:
    items: list[CreatePartitionsResponse] = []
    results: list[CreatePartitionsTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatePartitionsResponse.results")
        results, position = _read_create_partitions_topic_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatePartitionsResponse(throttle_time_ms, results))
    return items, position


def _write_create_partitions_response_flexible(
    out: bytearray, items: Sequence[CreatePartitionsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.results:
            _write_create_partitions_topic_result_flexible(out, item.results, version)
        out.append(0)


def _read_create_partitions_topic_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsTopicResult], int]:
    if position + count * 5 > len(data):
        raise count_fault("CreatePartitionsTopicResult", count)
    items: list[CreatePartitionsTopicResult] = []
    name: str
    error_message: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatePartitionsTopicResult.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
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
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatePartitionsTopicResult(name, error_code, error_message))
    return items, position


def _write_create_partitions_topic_result_flexible(
    out: bytearray, items: Sequence[CreatePartitionsTopicResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
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
        out.append(0)


def _read_create_partitions_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsResponse], int]:
    items: list[CreatePartitionsResponse] = []
    results: list[CreatePartitionsTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("CreatePartitionsResponse.results")
        results, position = _read_create_partitions_topic_result_classic(data, position, n, version)
        items.append(CreatePartitionsResponse(throttle_time_ms, results))
    return items, position


def _write_create_partitions_response_classic(
    out: bytearray, items: Sequence[CreatePartitionsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.results))
        if item.results:
            _write_create_partitions_topic_result_classic(out, item.results, version)


def _read_create_partitions_topic_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatePartitionsTopicResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("CreatePartitionsTopicResult", count)
    items: list[CreatePartitionsTopicResult] = []
    name: str
    error_message: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("CreatePartitionsTopicResult.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        items.append(CreatePartitionsTopicResult(name, error_code, error_message))
    return items, position


def _write_create_partitions_topic_result_classic(
    out: bytearray, items: Sequence[CreatePartitionsTopicResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
