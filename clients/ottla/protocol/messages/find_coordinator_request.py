"""FindCoordinatorRequest, versions 0–6 (flexible from 3).

Generated from find_coordinator.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    absent_fault,
    long_length,
    malformed,
    null_fault,
    read_compact_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_uvarint,
)

_pack_b = struct.Struct(">b").pack
_pack_h = struct.Struct(">h").pack
_unpack_b = struct.Struct(">b").unpack_from
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_h = struct.Struct(">h").unpack_from


@dataclass(slots=True)
class FindCoordinatorRequest(Message):
    key: str = ""
    key_type: int = 0
    coordinator_keys: list[str] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 6
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> FindCoordinatorRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[FindCoordinatorRequest, int]:
        try:
            if 3 <= version <= 6:
                (message,), end = _read_find_coordinator_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_find_coordinator_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("FindCoordinatorRequest", version)
        except MALFORMED as error:
            raise malformed("FindCoordinatorRequest", version, error) from error
        if end > len(data):
            raise malformed("FindCoordinatorRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 6:
            _write_find_coordinator_request_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_find_coordinator_request_classic(out, (self,), version)
        else:
            raise ValueError(f"FindCoordinatorRequest has no version {version}")


def _read_find_coordinator_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FindCoordinatorRequest], int]:
    items: list[FindCoordinatorRequest] = []
    key: str
    coordinator_keys: list[str]
    for _ in range(count):
        if version <= 3:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "FindCoordinatorRequest.key")
            end = position + n - 1
            key = str(data[position:end], "utf-8")
            position = end
        else:
            key = ""
        if version >= 4:
            key_type, n = _unpack_bc(data, position)
            position += 2
        else:
            (key_type,) = _unpack_b(data, position)
            position += 1
        if version >= 4:
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "FindCoordinatorRequest.coordinator_keys"
                )
            coordinator_keys, position = read_compact_string_array(data, position, n - 1)
        else:
            coordinator_keys = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(FindCoordinatorRequest(key, key_type, coordinator_keys))
    return items, position


def _write_find_coordinator_request_flexible(
    out: bytearray, items: Sequence[FindCoordinatorRequest], version: int
) -> None:
    for item in items:
        if version <= 3:
            raw = item.key.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        elif item.key:
            raise absent_fault("FindCoordinatorRequest.key", version)
        out += _pack_b(item.key_type)
        if version >= 4:
            n = len(item.coordinator_keys) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.coordinator_keys:
                write_compact_string_array(out, item.coordinator_keys)
        elif item.coordinator_keys:
            raise absent_fault("FindCoordinatorRequest.coordinator_keys", version)
        out.append(0)


def _read_find_coordinator_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FindCoordinatorRequest], int]:
    items: list[FindCoordinatorRequest] = []
    key: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("FindCoordinatorRequest.key")
        end = position + n
        key = str(data[position:end], "utf-8")
        position = end
        if version >= 1:
            (key_type,) = _unpack_b(data, position)
            position += 1
        else:
            key_type = 0
        items.append(FindCoordinatorRequest(key, key_type, []))
    return items, position


def _write_find_coordinator_request_classic(
    out: bytearray, items: Sequence[FindCoordinatorRequest], version: int
) -> None:
    for item in items:
        if item.coordinator_keys:
            raise absent_fault("FindCoordinatorRequest.coordinator_keys", version)
        raw = item.key.encode()
        out += _pack_h(len(raw))
        out += raw
        if version >= 1:
            out += _pack_b(item.key_type)
        else:
            if item.key_type != 0:
                raise absent_fault("FindCoordinatorRequest.key_type", version)
