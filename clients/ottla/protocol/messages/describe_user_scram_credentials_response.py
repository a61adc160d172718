"""DescribeUserScramCredentialsResponse, versions 0 (flexible from 0).

Generated from describe_user_scram_credentials.schema by ottla.protocol.generator; do not edit.
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

_pack_bix = struct.Struct(">bix").pack
_pack_h = struct.Struct(">h").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_bic = struct.Struct(">biB").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from


@dataclass(slots=True)
class CredentialInfo:
    mechanism: int = 0
    iterations: int = 0


@dataclass(slots=True)
class DescribeUserScramCredentialsResult:
    user: str = ""
    error_code: int = 0
    error_message: str | None = ""
    credential_infos: list[CredentialInfo] = field(default_factory=list)


@dataclass(slots=True)
class DescribeUserScramCredentialsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = ""
    results: list[DescribeUserScramCredentialsResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> DescribeUserScramCredentialsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeUserScramCredentialsResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_describe_user_scram_credentials_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeUserScramCredentialsResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeUserScramCredentialsResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeUserScramCredentialsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_describe_user_scram_credentials_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeUserScramCredentialsResponse has no version {version}")


def _read_describe_user_scram_credentials_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeUserScramCredentialsResponse], int]:
    items: list[DescribeUserScramCredentialsResponse] = []
    error_message: str | None
    results: list[DescribeUserScramCredentialsResult]
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
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeUserScramCredentialsResponse.results"
            )
        results, position = _read_describe_user_scram_credentials_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeUserScramCredentialsResponse(
                throttle_time_ms, error_code, error_message, results
            )
        )
    return items, position


def _write_describe_user_scram_credentials_response_flexible(
    out: bytearray, items: Sequence[DescribeUserScramCredentialsResponse], version: int
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
        n = len(item.results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.results:
            _write_describe_user_scram_credentials_result_flexible(out, item.results, version)
        out.append(0)


def _read_describe_user_scram_credentials_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeUserScramCredentialsResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("DescribeUserScramCredentialsResult", count)
    items: list[DescribeUserScramCredentialsResult] = []
    user: str
    error_message: str | None
    credential_infos: list[CredentialInfo]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeUserScramCredentialsResult.user")
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
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeUserScramCredentialsResult.credential_infos"
            )
        credential_infos, position = _read_credential_info_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeUserScramCredentialsResult(user, error_code, error_message, credential_infos)
        )
    return items, position


def _write_describe_user_scram_credentials_result_flexible(
    out: bytearray, items: Sequence[DescribeUserScramCredentialsResult], version: int
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
        n = len(item.credential_infos) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.credential_infos:
            _write_credential_info_flexible(out, item.credential_infos, version)
        out.append(0)


def _read_credential_info_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CredentialInfo], int]:
    if position + count * 6 > len(data):
        raise count_fault("CredentialInfo", count)
    items: list[CredentialInfo] = []
    for _ in range(count):
        mechanism, iterations, tags = _unpack_bic(data, position)
        position += 6
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CredentialInfo(mechanism, iterations))
    return items, position


def _write_credential_info_flexible(
    out: bytearray, items: Sequence[CredentialInfo], version: int
) -> None:
    for item in items:
        out += _pack_bix(item.mechanism, item.iterations)
