"""DescribeUserScramCredentialsRequest, versions 0 (flexible from 0).

Generated from describe_user_scram_credentials.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

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
    skip_tags,
    unknown_version,
    write_uvarint,
)


@dataclass(slots=True)
class UserName:
    name: str = ""


@dataclass(slots=True)
class DescribeUserScramCredentialsRequest(Message):
    users: list[UserName] | None = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> DescribeUserScramCredentialsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeUserScramCredentialsRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_describe_user_scram_credentials_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeUserScramCredentialsRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeUserScramCredentialsRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeUserScramCredentialsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_describe_user_scram_credentials_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeUserScramCredentialsRequest has no version {version}")


def _read_describe_user_scram_credentials_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeUserScramCredentialsRequest], int]:
    items: list[DescribeUserScramCredentialsRequest] = []
    users: list[UserName] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            users = None
        else:
            users, position = _read_user_name_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeUserScramCredentialsRequest(users))
    return items, position


def _write_describe_user_scram_credentials_request_flexible(
    out: bytearray, items: Sequence[DescribeUserScramCredentialsRequest], version: int
) -> None:
    for item in items:
        values_users = item.users
        if values_users is None:
            out.append(0)
        else:
            n = len(values_users) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_users:
                _write_user_name_flexible(out, values_users, version)
        out.append(0)


def _read_user_name_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[UserName], int]:
    if position + count * 2 > len(data):
        raise count_fault("UserName", count)
    items: list[UserName] = []
    name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "UserName.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(UserName(name))
    return items, position


def _write_user_name_flexible(out: bytearray, items: Sequence[UserName], version: int) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)
