"""DeleteGroupsResponse, versions 0–2 (flexible from 2).

Generated from delete_groups.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_hx = struct.Struct(">hx").pack
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class DeletableGroupResult:
    group_id: str = ""
    error_code: int = 0


@dataclass(slots=True)
class DeleteGroupsResponse(Message):
    throttle_time_ms: int = 0
    results: list[DeletableGroupResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteGroupsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DeleteGroupsResponse, int]:
        try:
            if version == 2:
                (message,), end = _read_delete_groups_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_delete_groups_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("DeleteGroupsResponse", version)
        except MALFORMED as error:
            raise malformed("DeleteGroupsResponse", version, error) from error
        if end > len(data):
            raise malformed("DeleteGroupsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_delete_groups_response_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_delete_groups_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DeleteGroupsResponse has no version {version}")


def _read_delete_groups_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteGroupsResponse], int]:
    items: list[DeleteGroupsResponse] = []
    results: list[DeletableGroupResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteGroupsResponse.results")
        results, position = _read_deletable_group_result_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteGroupsResponse(throttle_time_ms, results))
    return items, position


def _write_delete_groups_response_flexible(
    out: bytearray, items: Sequence[DeleteGroupsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.results:
            _write_deletable_group_result_flexible(out, item.results, version)
        out.append(0)


def _read_deletable_group_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeletableGroupResult], int]:
    if position + count * 4 > len(data):
        raise count_fault("DeletableGroupResult", count)
    items: list[DeletableGroupResult] = []
    group_id: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeletableGroupResult.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        error_code, tags = _unpack_hc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeletableGroupResult(group_id, error_code))
    return items, position


def _write_deletable_group_result_flexible(
    out: bytearray, items: Sequence[DeletableGroupResult], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_hx(item.error_code)


def _read_delete_groups_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteGroupsResponse], int]:
    items: list[DeleteGroupsResponse] = []
    results: list[DeletableGroupResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("DeleteGroupsResponse.results")
        results, position = _read_deletable_group_result_classic(data, position, n, version)
        items.append(DeleteGroupsResponse(throttle_time_ms, results))
    return items, position


def _write_delete_groups_response_classic(
    out: bytearray, items: Sequence[DeleteGroupsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.results))
        if item.results:
            _write_deletable_group_result_classic(out, item.results, version)


def _read_deletable_group_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeletableGroupResult], int]:
    if position + count * 4 > len(data):
        raise count_fault("DeletableGroupResult", count)
    items: list[DeletableGroupResult] = []
    group_id: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DeletableGroupResult.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        (error_code,) = _unpack_h(data, position)
        position += 2
        items.append(DeletableGroupResult(group_id, error_code))
    return items, position


def _write_deletable_group_result_classic(
    out: bytearray, items: Sequence[DeletableGroupResult], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_h(item.error_code)
