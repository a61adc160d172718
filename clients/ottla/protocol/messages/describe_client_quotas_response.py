"""DescribeClientQuotasResponse, versions 0–1 (flexible from 1).

Generated from describe_client_quotas.schema by ottla.protocol.generator; do not edit.
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

_pack_d = struct.Struct(">d").pack
_pack_dx = struct.Struct(">dx").pack
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_d = struct.Struct(">d").unpack_from
_unpack_dc = struct.Struct(">dB").unpack_from
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihh = struct.Struct(">ihh").unpack_from


@dataclass(slots=True)
class ValueData:
    key: str = ""
    value: float = 0.0


@dataclass(slots=True)
class EntityData:
    entity_type: str = ""
    entity_name: str | None = ""


@dataclass(slots=True)
class EntryData:
    entity: list[EntityData] = field(default_factory=list)
    values: list[ValueData] = field(default_factory=list)


@dataclass(slots=True)
class DescribeClientQuotasResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = ""
    entries: list[EntryData] | None = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeClientQuotasResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeClientQuotasResponse, int]:
        try:
            if version == 1:
                (message,), end = _read_describe_client_quotas_response_flexible(
                    data, offset, 1, version
                )
            elif version == 0:
                (message,), end = _read_describe_client_quotas_response_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeClientQuotasResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeClientQuotasResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeClientQuotasResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_describe_client_quotas_response_flexible(out, (self,), version)
        elif version == 0:
            _write_describe_client_quotas_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeClientQuotasResponse has no version {version}")


def _read_describe_client_quotas_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeClientQuotasResponse], int]:
    items: list[DescribeClientQuotasResponse] = []
    error_message: str | None
    entries: list[EntryData] | None
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
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            entries = None
        else:
            entries, position = _read_entry_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeClientQuotasResponse(throttle_time_ms, error_code, error_message, entries)
        )
    return items, position


def _write_describe_client_quotas_response_flexible(
    out: bytearray, items: Sequence[DescribeClientQuotasResponse], version: int
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
        values_entries = item.entries
        if values_entries is None:
            out.append(0)
        else:
            n = len(values_entries) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_entries:
                _write_entry_data_flexible(out, values_entries, version)
        out.append(0)


def _read_entry_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EntryData], int]:
    if position + count * 3 > len(data):
        raise count_fault("EntryData", count)
    items: list[EntryData] = []
    entity: list[EntityData]
    values: list[ValueData]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EntryData.entity")
        entity, position = _read_entity_data_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EntryData.values")
        values, position = _read_value_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EntryData(entity, values))
    return items, position


def _write_entry_data_flexible(out: bytearray, items: Sequence[EntryData], version: int) -> None:
    for item in items:
        n = len(item.entity) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.entity:
            _write_entity_data_flexible(out, item.entity, version)
        n = len(item.values) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.values:
            _write_value_data_flexible(out, item.values, version)
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


def _read_value_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ValueData], int]:
    if position + count * 10 > len(data):
        raise count_fault("ValueData", count)
    items: list[ValueData] = []
    key: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ValueData.key")
        end = position + n - 1
        key = str(data[position:end], "utf-8")
        position = end
        value, tags = _unpack_dc(data, position)
        position += 9
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ValueData(key, value))
    return items, position


def _write_value_data_flexible(out: bytearray, items: Sequence[ValueData], version: int) -> None:
    for item in items:
        raw = item.key.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_dx(item.value)


def _read_describe_client_quotas_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeClientQuotasResponse], int]:
    items: list[DescribeClientQuotasResponse] = []
    error_message: str | None
    entries: list[EntryData] | None
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihh(data, position)
        position += 8
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            entries = None
        else:
            entries, position = _read_entry_data_classic(data, position, n, version)
        items.append(
            DescribeClientQuotasResponse(throttle_time_ms, error_code, error_message, entries)
        )
    return items, position


def _write_describe_client_quotas_response_classic(
    out: bytearray, items: Sequence[DescribeClientQuotasResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
        values_entries = item.entries
        if values_entries is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_entries))
            if values_entries:
                _write_entry_data_classic(out, values_entries, version)


def _read_entry_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EntryData], int]:
    if position + count * 8 > len(data):
        raise count_fault("EntryData", count)
    items: list[EntryData] = []
    entity: list[EntityData]
    values: list[ValueData]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("EntryData.entity")
        entity, position = _read_entity_data_classic(data, position, n, version)
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("EntryData.values")
        values, position = _read_value_data_classic(data, position, n, version)
        items.append(EntryData(entity, values))
    return items, position


def _write_entry_data_classic(out: bytearray, items: Sequence[EntryData], version: int) -> None:
    for item in items:
        out += _pack_i(len(item.entity))
        if item.entity:
            _write_entity_data_classic(out, item.entity, version)
        out += _pack_i(len(item.values))
        if item.values:
            _write_value_data_classic(out, item.values, version)


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


def _read_value_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ValueData], int]:
    if position + count * 10 > len(data):
        raise count_fault("ValueData", count)
    items: list[ValueData] = []
    key: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ValueData.key")
        end = position + n
        key = str(data[position:end], "utf-8")
        position = end
        (value,) = _unpack_d(data, position)
        position += 8
        items.append(ValueData(key, value))
    return items, position


def _write_value_data_classic(out: bytearray, items: Sequence[ValueData], version: int) -> None:
    for item in items:
        raw = item.key.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_d(item.value)
