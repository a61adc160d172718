"""AlterClientQuotasResponse, versions 0–1 (flexible from 1).

Generated from alter_client_quotas.schema by ottla.protocol.generator; do not edit.
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
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class EntityData:
    entity_type: str = ""
    entity_name: str | None = ""


@dataclass(slots=True)
class EntryData:
    error_code: int = 0
    error_message: str | None = ""
    entity: list[EntityData] = field(default_factory=list)


@dataclass(slots=True)
class AlterClientQuotasResponse(Message):
    throttle_time_ms: int = 0
    entries: list[EntryData] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AlterClientQuotasResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterClientQuotasResponse, int]:
        try:
            if version == 1:
                (message,), end = _read_alter_client_quotas_response_flexible(
                    data, offset, 1, version
                )
            elif version == 0:
                (message,), end = _read_alter_client_quotas_response_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterClientQuotasResponse", version)
        except MALFORMED as error:
            raise malformed("AlterClientQuotasResponse", version, error) from error
        if end > len(data):
            raise malformed("AlterClientQuotasResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_alter_client_quotas_response_flexible(out, (self,), version)
        elif version == 0:
            _write_alter_client_quotas_response_classic(out, (self,), version)
        else:
            raise ValueError(f"AlterClientQuotasResponse has no version {version}")


def _read_alter_client_quotas_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterClientQuotasResponse], int]:
    items: list[AlterClientQuotasResponse] = []
    entries: list[EntryData]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterClientQuotasResponse.entries")
        entries, position = _read_entry_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterClientQuotasResponse(throttle_time_ms, entries))
    return items, position


def _write_alter_client_quotas_response_flexible(
    out: bytearray, items: Sequence[AlterClientQuotasResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.entries) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.entries:
            _write_entry_data_flexible(out, item.entries, version)
        out.append(0)


def _read_entry_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EntryData], int]:
    if position + count * 5 > len(data):
        raise count_fault("EntryData", count)
    items: list[EntryData] = []
    error_message: str | None
    entity: list[EntityData]
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
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EntryData.entity")
        entity, position = _read_entity_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EntryData(error_code, error_message, entity))
    return items, position


def _write_entry_data_flexible(out: bytearray, items: Sequence[EntryData], version: int) -> None:
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
        n = len(item.entity) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.entity:
            _write_entity_data_flexible(out, item.entity, version)
        out.append(0)


def _read_entity_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EntityData], int]:
    if position + count * 3 > len(data):
        raise count_fault("EntityData", count)
    items: list[EntityData] = []
    entity_type: str
    entity_name: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EntityData.entity_type")
        end = position + n - 1
        entity_type = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            entity_name = None
        else:
            end = position + n - 1
            entity_name = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EntityData(entity_type, entity_name))
    return items, position


def _write_entity_data_flexible(out: bytearray, items: Sequence[EntityData], version: int) -> None:
    for item in items:
        raw = item.entity_type.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_entity_name = item.entity_name
        if values_entity_name is None:
            out.append(0)
        else:
            raw = values_entity_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_alter_client_quotas_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterClientQuotasResponse], int]:
    items: list[AlterClientQuotasResponse] = []
    entries: list[EntryData]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("AlterClientQuotasResponse.entries")
        entries, position = _read_entry_data_classic(data, position, n, version)
        items.append(AlterClientQuotasResponse(throttle_time_ms, entries))
    return items, position


def _write_alter_client_quotas_response_classic(
    out: bytearray, items: Sequence[AlterClientQuotasResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.entries))
        if item.entries:
            _write_entry_data_classic(out, item.entries, version)


def _read_entry_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EntryData], int]:
    if position + count * 8 > len(data):
        raise count_fault("EntryData", count)
    items: list[EntryData] = []
    error_message: str | None
    entity: list[EntityData]
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("EntryData.entity")
        entity, position = _read_entity_data_classic(data, position, n, version)
        items.append(EntryData(error_code, error_message, entity))
    return items, position


def _write_entry_data_classic(out: bytearray, items: Sequence[EntryData], version: int) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_i(len(item.entity))
        if item.entity:
            _write_entity_data_classic(out, item.entity, version)


def _read_entity_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EntityData], int]:
    if position + count * 4 > len(data):
        raise count_fault("EntityData", count)
    items: list[EntityData] = []
    entity_type: str
    entity_name: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("EntityData.entity_type")
        end = position + n
        entity_type = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            entity_name = None
        else:
            end = position + n
            entity_name = str(data[position:end], "utf-8")
            position = end
        items.append(EntityData(entity_type, entity_name))
    return items, position


def _write_entity_data_classic(out: bytearray, items: Sequence[EntityData], version: int) -> None:
    for item in items:
        raw = item.entity_type.encode()
        out += _pack_h(len(raw))
        out += raw
        values_entity_name = item.entity_name
        if values_entity_name is None:
            out += b"\xff\xff"
        else:
            raw = values_entity_name.encode()
            out += _pack_h(len(raw))
            out += raw
