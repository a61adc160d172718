"""DescribeDelegationTokenRequest, versions 1–3 (flexible from 2).

Generated from describe_delegation_token.schema by ottla.protocol.generator; do not edit.
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
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class DescribeDelegationTokenOwner:
    principal_type: str = ""
    principal_name: str = ""


@dataclass(slots=True)
class DescribeDelegationTokenRequest(Message):
    owners: list[DescribeDelegationTokenOwner] | None = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeDelegationTokenRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeDelegationTokenRequest, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_describe_delegation_token_request_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_describe_delegation_token_request_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeDelegationTokenRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeDelegationTokenRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeDelegationTokenRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_describe_delegation_token_request_flexible(out, (self,), version)
        elif version == 1:
            _write_describe_delegation_token_request_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeDelegationTokenRequest has no version {version}")


def _read_describe_delegation_token_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeDelegationTokenRequest], int]:
    items: list[DescribeDelegationTokenRequest] = []
    owners: list[DescribeDelegationTokenOwner] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            owners = None
        else:
            owners, position = _read_describe_delegation_token_owner_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeDelegationTokenRequest(owners))
    return items, position


def _write_describe_delegation_token_request_flexible(
    out: bytearray, items: Sequence[DescribeDelegationTokenRequest], version: int
) -> None:
    for item in items:
        values_owners = item.owners
        if values_owners is None:
            out.append(0)
        else:
            n = len(values_owners) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_owners:
                _write_describe_delegation_token_owner_flexible(out, values_owners, version)
        out.append(0)


def _read_describe_delegation_token_owner_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeDelegationTokenOwner], int]:
    if position + count * 3 > len(data):
        raise count_fault("DescribeDelegationTokenOwner", count)
    items: list[DescribeDelegationTokenOwner] = []
    principal_type: str
    principal_name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeDelegationTokenOwner.principal_type"
            )
        end = position + n - 1
        principal_type = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeDelegationTokenOwner.principal_name"
            )
        end = position + n - 1
        principal_name = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeDelegationTokenOwner(principal_type, principal_name))
    return items, position


def _write_describe_delegation_token_owner_flexible(
    out: bytearray, items: Sequence[DescribeDelegationTokenOwner], version: int
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


def _read_describe_delegation_token_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeDelegationTokenRequest], int]:
    items: list[DescribeDelegationTokenRequest] = []
    owners: list[DescribeDelegationTokenOwner] | None
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            owners = None
        else:
            owners, position = _read_describe_delegation_token_owner_classic(
                data, position, n, version
            )
        items.append(DescribeDelegationTokenRequest(owners))
    return items, position


def _write_describe_delegation_token_request_classic(
    out: bytearray, items: Sequence[DescribeDelegationTokenRequest], version: int
) -> None:
    for item in items:
        values_owners = item.owners
        if values_owners is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_owners))
            if values_owners:
                _write_describe_delegation_token_owner_classic(out, values_owners, version)


def _read_describe_delegation_token_owner_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeDelegationTokenOwner], int]:
    if position + count * 4 > len(data):
        raise count_fault("DescribeDelegationTokenOwner", count)
    items: list[DescribeDelegationTokenOwner] = []
    principal_type: str
    principal_name: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribeDelegationTokenOwner.principal_type")
        end = position + n
        principal_type = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribeDelegationTokenOwner.principal_name")
        end = position + n
        principal_name = str(data[position:end], "utf-8")
        position = end
        items.append(DescribeDelegationTokenOwner(principal_type, principal_name))
    return items, position


def _write_describe_delegation_token_owner_classic(
    out: bytearray, items: Sequence[DescribeDelegationTokenOwner], version: int
) -> None:
    for item in items:
        raw = item.principal_type.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.principal_name.encode()
        out += _pack_h(len(raw))
        out += raw
