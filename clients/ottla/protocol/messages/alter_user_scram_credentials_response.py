"""AlterUserScramCredentialsResponse, versions 0 (flexible from 0).

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
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class AlterUserScramCredentialsResult:
    user: str = ""
    error_code: int = 0
    error_message: str | None = ""


@dataclass(slots=True)
class AlterUserScramCredentialsResponse(Message):
    throttle_time_ms: int = 0
    results: list[AlterUserScramCredentialsResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> AlterUserScramCredentialsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterUserScramCredentialsResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_alter_user_scram_credentials_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterUserScramCredentialsResponse", version)
        except MALFORMED as error:
            raise malformed("AlterUserScramCredentialsResponse", version, error) from error
        if end > len(data):
            raise malformed("AlterUserScramCredentialsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_alter_user_scram_credentials_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"AlterUserScramCredentialsResponse has no version {version}")


def _read_alter_user_scram_credentials_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterUserScramCredentialsResponse], int]:
    items: list[AlterUserScramCredentialsResponse] = []
    results: list[AlterUserScramCredentialsResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AlterUserScramCredentialsResponse.results"
            )
        results, position = _read_alter_user_scram_credentials_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterUserScramCredentialsResponse(throttle_time_ms, results))
    return items, position


def _write_alter_user_scram_credentials_response_flexible(
    out: bytearray, items: Sequence[AlterUserScramCredentialsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.results:
            _write_alter_user_scram_credentials_result_flexible(out, item.results, version)
        out.append(0)


def _read_alter_user_scram_credentials_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterUserScramCredentialsResult], int]:
    if position + count * 5 > len(data):
        raise count_fault("AlterUserScramCredentialsResult", count)
    items: list[AlterUserScramCredentialsResult] = []
    user: str
    error_message: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterUserScramCredentialsResult.user")
        end = position + n - 1
        user = str(data[position:end], "utf-8")
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
        items.append(AlterUserScramCredentialsResult(user, error_code, error_message))
    return items, position


def _write_alter_user_scram_credentials_result_flexible(
    out: bytearray, items: Sequence[AlterUserScramCredentialsResult], version: int
) -> None:
    for item in items:
        raw = item.user.encode()
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
