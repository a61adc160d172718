"""CreateDelegationTokenRequest, versions 1–3 (flexible from 2).

Generated from create_delegation_token.schema by ottla.protocol.generator; do not edit.
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
_pack_q = struct.Struct(">q").pack
_pack_qx = struct.Struct(">qx").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_q = struct.Struct(">q").unpack_from
_unpack_qc = struct.Struct(">qB").unpack_from


@dataclass(slots=True)
class CreatableRenewers:
    principal_type: str = ""
    principal_name: str = ""


@dataclass(slots=True)
class CreateDelegationTokenRequest(Message):
    owner_principal_type: str | None = ""
    owner_principal_name: str | None = ""
    renewers: list[CreatableRenewers] = field(default_factory=list)
    max_lifetime_ms: int = 0

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> CreateDelegationTokenRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[CreateDelegationTokenRequest, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_create_delegation_token_request_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_create_delegation_token_request_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("CreateDelegationTokenRequest", version)
        except MALFORMED as error:
            raise malformed("CreateDelegationTokenRequest", version, error) from error
        if end > len(data):
            raise malformed("CreateDelegationTokenRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_create_delegation_token_request_flexible(out, (self,), version)
        elif version == 1:
            _write_create_delegation_token_request_classic(out, (self,), version)
        else:
            raise ValueError(f"CreateDelegationTokenRequest has no version {version}")


def _read_create_delegation_token_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateDelegationTokenRequest], int]:
    items: list[CreateDelegationTokenRequest] = []
    owner_principal_type: str | None
    owner_principal_name: str | None
    renewers: list[CreatableRenewers]
    for _ in range(count):
        if version >= 3:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                owner_principal_type = None
            else:
                end = position + n - 1
                owner_principal_type = str(data[position:end], "utf-8")
                position = end
        else:
            owner_principal_type = ""
        if version >= 3:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                owner_principal_name = None
            else:
                end = position + n - 1
                owner_principal_name = str(data[position:end], "utf-8")
                position = end
        else:
            owner_principal_name = ""
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreateDelegationTokenRequest.renewers")
        renewers, position = _read_creatable_renewers_flexible(data, position, n - 1, version)
        max_lifetime_ms, tags = _unpack_qc(data, position)
        position += 9
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            CreateDelegationTokenRequest(
                owner_principal_type, owner_principal_name, renewers, max_lifetime_ms
            )
        )
    return items, position


def _write_create_delegation_token_request_flexible(
    out: bytearray, items: Sequence[CreateDelegationTokenRequest], version: int
) -> None:
    for item in items:
        if version >= 3:
            values_owner_principal_type = item.owner_principal_type
            if values_owner_principal_type is None:
                out.append(0)
            else:
                raw = values_owner_principal_type.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        elif item.owner_principal_type:
            raise absent_fault("CreateDelegationTokenRequest.owner_principal_type", version)
        if version >= 3:
            values_owner_principal_name = item.owner_principal_name
            if values_owner_principal_name is None:
                out.append(0)
            else:
                raw = values_owner_principal_name.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        elif item.owner_principal_name:
            raise absent_fault("CreateDelegationTokenRequest.owner_principal_name", version)
        n = len(item.renewers) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.renewers:
            _write_creatable_renewers_flexible(out, item.renewers, version)
        out += _pack_qx(item.max_lifetime_ms)


def _read_creatable_renewers_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableRenewers], int]:
    if position + count * 3 > len(data):
        raise count_fault("CreatableRenewers", count)
    items: list[CreatableRenewers] = []
    principal_type: str
    principal_name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableRenewers.principal_type")
        end = position + n - 1
        principal_type = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableRenewers.principal_name")
        end = position + n - 1
        principal_name = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatableRenewers(principal_type, principal_name))
    return items, position


def _write_creatable_renewers_flexible(
    out: bytearray, items: Sequence[CreatableRenewers], version: int
) -> None:
    for item in items:
        raw = item.principal_type.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.principal_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)


def _read_create_delegation_token_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateDelegationTokenRequest], int]:
    items: list[CreateDelegationTokenRequest] = []
    renewers: list[CreatableRenewers]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("CreateDelegationTokenRequest.renewers")
        renewers, position = _read_creatable_renewers_classic(data, position, n, version)
        (max_lifetime_ms,) = _unpack_q(data, position)
        position += 8
        items.append(CreateDelegationTokenRequest("", "", renewers, max_lifetime_ms))
    return items, position


def _write_create_delegation_token_request_classic(
    out: bytearray, items: Sequence[CreateDelegationTokenRequest], version: int
) -> None:
    for item in items:
        if item.owner_principal_type:
            raise absent_fault("CreateDelegationTokenRequest.owner_principal_type", version)
        if item.owner_principal_name:
            raise absent_fault("CreateDelegationTokenRequest.owner_principal_name", version)
        out += _pack_i(len(item.renewers))
        if item.renewers:
            _write_creatable_renewers_classic(out, item.renewers, version)
        out += _pack_q(item.max_lifetime_ms)


def _read_creatable_renewers_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableRenewers], int]:
    if position + count * 4 > len(data):
        raise count_fault("CreatableRenewers", count)
    items: list[CreatableRenewers] = []
    principal_type: str
    principal_name: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("CreatableRenewers.principal_type")
        end = position + n
        principal_type = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("CreatableRenewers.principal_name")
        end = position + n
        principal_name = str(data[position:end], "utf-8")
        position = end
        items.append(CreatableRenewers(principal_type, principal_name))
    return items, position


def _write_creatable_renewers_classic(
    out: bytearray, items: Sequence[CreatableRenewers], version: int
) -> None:
    for item in items:
        raw = item.principal_type.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.principal_name.encode()
        out += _pack_h(len(raw))
        out += raw
