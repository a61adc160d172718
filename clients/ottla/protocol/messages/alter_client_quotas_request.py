"""AlterClientQuotasRequest, versions 0–1 (flexible from 1).

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

_pack_do = struct.Struct(">d?").pack
_pack_dox = struct.Struct(">d?x").pack
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_o = struct.Struct(">?").pack
_pack_ox = struct.Struct(">?x").pack
_unpack_do = struct.Struct(">d?").unpack_from
_unpack_doc = struct.Struct(">d?B").unpack_from
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_o = struct.Struct(">?").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from


@dataclass(slots=True)
class OpData:
    key: str = ""
    value: float = 0.0
    remove: bool = False


@dataclass(slots=True)
class EntityData:
    entity_type: str = ""
    entity_name: str | None = ""


@dataclass(slots=True)
class EntryData:
    entity: list[EntityData] = field(default_factory=list)
    ops: list[OpData] = field(default_factory=list)


@dataclass(slots=True)
class AlterClientQuotasRequest(Message):
    entries: list[EntryData] = field(default_factory=list)
    validate_only: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AlterClientQuotasRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterClientQuotasRequest, int]:
        try:
            if version == 1:
                (message,), end = _read_alter_client_quotas_request_flexible(
                    data, offset, 1, version
                )
            elif version == 0:
                (message,), end = _read_alter_client_quotas_request_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterClientQuotasRequest", version)
        except MALFORMED as error:
            raise malformed("AlterClientQuotasRequest", version, error) from error
        if end > len(data):
            raise malformed("AlterClientQuotasRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_alter_client_quotas_request_flexible(out, (self,), version)
        elif version == 0:
            _write_alter_client_quotas_request_classic(out, (self,), version)
        else:
            raise ValueError(f"AlterClientQuotasRequest has no version {version}")


def _read_alter_client_quotas_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterClientQuotasRequest], int]:
    items: list[AlterClientQuotasRequest] = []
    entries: list[EntryData]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterClientQuotasRequest.entries")
        entries, position = _read_entry_data_flexible(data, position, n - 1, version)
        validate_only, tags = _unpack_oc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterClientQuotasRequest(entries, validate_only))
    return items, position


def _write_alter_client_quotas_request_flexible(
    out: bytearray, items: Sequence[AlterClientQuotasRequest], version: int
) -> None:
    for item in items:
        n = len(item.entries) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.entries:
            _write_entry_data_flexible(out, item.entries, version)
        out += _pack_ox(item.validate_only)


def _read_entry_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EntryData], int]:
    if position + count * 3 > len(data):
        raise count_fault("EntryData", count)
    items: list[EntryData] = []
    entity: list[EntityData]
    ops: list[OpData]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EntryData.entity")
        entity, position = _read_entity_data_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EntryData.ops")
        ops, position = _read_op_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EntryData(entity, ops))
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
        n = len(item.ops) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.ops:
            _write_op_data_flexible(out, item.ops, version)
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


def _read_op_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OpData], int]:
    if position + count * 11 > len(data):
        raise count_fault("OpData", count)
    items: list[OpData] = []
    key: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "OpData.key")
        end = position + n - 1
        key = str(data[position:end], "utf-8")
        position = end
        value, remove, tags = _unpack_doc(data, position)
        position += 10
        if tags:
            position = skip_tags(data, position, tags)
        items.append(OpData(key, value, remove))
    return items, position


def _write_op_data_flexible(out: bytearray, items: Sequence[OpData], version: int) -> None:
    for item in items:
        raw = item.key.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_dox(item.value, item.remove)


def _read_alter_client_quotas_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterClientQuotasRequest], int]:
    items: list[AlterClientQuotasRequest] = []
    entries: list[EntryData]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AlterClientQuotasRequest.entries")
        entries, position = _read_entry_data_classic(data, position, n, version)
        (validate_only,) = _unpack_o(data, position)
        position += 1
        items.append(AlterClientQuotasRequest(entries, validate_only))
    return items, position


def _write_alter_client_quotas_request_classic(
    out: bytearray, items: Sequence[AlterClientQuotasRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.entries))
        if item.entries:
            _write_entry_data_classic(out, item.entries, version)
        out += _pack_o(item.validate_only)


def _read_entry_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EntryData], int]:
    if position + count * 8 > len(data):
        raise count_fault("EntryData", count)
    items: list[EntryData] = []
    entity: list[EntityData]
    ops: list[OpData]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("EntryData.entity")
        entity, position = _read_entity_data_classic(data, position, n, version)
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("EntryData.ops")
        ops, position = _read_op_data_classic(data, position, n, version)
        items.append(EntryData(entity, ops))
    return items, position


def _write_entry_data_classic(out: bytearray, items: Sequence[EntryData], version: int) -> None:
    for item in items:
        out += _pack_i(len(item.entity))
        if item.entity:
            _write_entity_data_classic(out, item.entity, version)
        out += _pack_i(len(item.ops))
        if item.ops:
            _write_op_data_classic(out, item.ops, version)


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


def _read_op_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[OpData], int]:
    if position + count * 11 > len(data):
        raise count_fault("OpData", count)
    items: list[OpData] = []
    key: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("OpData.key")
        end = position + n
        key = str(data[position:end], "utf-8")
        position = end
        value, remove = _unpack_do(data, position)
        position += 9
        items.append(OpData(key, value, remove))
    return items, position


def _write_op_data_classic(out: bytearray, items: Sequence[OpData], version: int) -> None:
    for item in items:
        raw = item.key.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_do(item.value, item.remove)
