"""AlterUserScramCredentialsRequest, versions 0 (flexible from 0).

Generated from alter_user_scram_credentials.schema by ottla.protocol.generator; do not edit.
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
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_bi = struct.Struct(">bi").pack
_pack_bx = struct.Struct(">bx").pack
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bic = struct.Struct(">biB").unpack_from


@dataclass(slots=True)
class ScramCredentialUpsertion:
    name: str = ""
    mechanism: int = 0
    iterations: int = 0
    salt: bytes = b""
    salted_password: bytes = b""


@dataclass(slots=True)
class ScramCredentialDeletion:
    name: str = ""
    mechanism: int = 0


@dataclass(slots=True)
class AlterUserScramCredentialsRequest(Message):
    deletions: list[ScramCredentialDeletion] = field(default_factory=list)
    upsertions: list[ScramCredentialUpsertion] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> AlterUserScramCredentialsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterUserScramCredentialsRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_alter_user_scram_credentials_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterUserScramCredentialsRequest", version)
        except MALFORMED as error:
            raise malformed("AlterUserScramCredentialsRequest", version, error) from error
        if end > len(data):
            raise malformed("AlterUserScramCredentialsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_alter_user_scram_credentials_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"AlterUserScramCredentialsRequest has no version {version}")


def _read_alter_user_scram_credentials_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterUserScramCredentialsRequest], int]:
    items: list[AlterUserScramCredentialsRequest] = []
    deletions: list[ScramCredentialDeletion]
    upsertions: list[ScramCredentialUpsertion]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterUserScramCredentialsRequest.deletions"
            )
        deletions, position = _read_scram_credential_deletion_flexible(
            data, position, n - 1, version
        )
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterUserScramCredentialsRequest.upsertions"
            )
        upsertions, position = _read_scram_credential_upsertion_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterUserScramCredentialsRequest(deletions, upsertions))
    return items, position


def _write_alter_user_scram_credentials_request_flexible(
    out: bytearray, items: Sequence[AlterUserScramCredentialsRequest], version: int
) -> None:
    for item in items:
        n = len(item.deletions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.deletions:
            _write_scram_credential_deletion_flexible(out, item.deletions, version)
        n = len(item.upsertions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.upsertions:
            _write_scram_credential_upsertion_flexible(out, item.upsertions, version)
        out.append(0)


def _read_scram_credential_deletion_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ScramCredentialDeletion], int]:
    if position + count * 3 > len(data):
        raise count_fault("ScramCredentialDeletion", count)
    items: list[ScramCredentialDeletion] = []
    name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ScramCredentialDeletion.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        mechanism, tags = _unpack_bc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ScramCredentialDeletion(name, mechanism))
    return items, position


def _write_scram_credential_deletion_flexible(
    out: bytearray, items: Sequence[ScramCredentialDeletion], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_bx(item.mechanism)


def _read_scram_credential_upsertion_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ScramCredentialUpsertion], int]:
    if position + count * 9 > len(data):
        raise count_fault("ScramCredentialUpsertion", count)
    items: list[ScramCredentialUpsertion] = []
    name: str
    salt: bytes
    salted_password: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ScramCredentialUpsertion.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        mechanism, iterations, n = _unpack_bic(data, position)
        position += 6
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ScramCredentialUpsertion.salt")
        end = position + n - 1
        salt = bytes(data[position:end])
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ScramCredentialUpsertion.salted_password")
        end = position + n - 1
        salted_password = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ScramCredentialUpsertion(name, mechanism, iterations, salt, salted_password))
    return items, position


def _write_scram_credential_upsertion_flexible(
    out: bytearray, items: Sequence[ScramCredentialUpsertion], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_bi(item.mechanism, item.iterations)
        n = len(item.salt) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.salt
        n = len(item.salted_password) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.salted_password
        out.append(0)
