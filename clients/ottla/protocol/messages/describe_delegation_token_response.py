"""DescribeDelegationTokenResponse, versions 1–3 (flexible from 2).

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
    absent_fault,
    count_fault,
    long_length,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ix = struct.Struct(">ix").pack
_pack_qqq = struct.Struct(">qqq").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hi = struct.Struct(">hi").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_qqqc = struct.Struct(">qqqB").unpack_from
_unpack_qqqh = struct.Struct(">qqqh").unpack_from


@dataclass(slots=True)
class DescribedDelegationTokenRenewer:
    principal_type: str = ""
    principal_name: str = ""


@dataclass(slots=True)
class DescribedDelegationToken:
    principal_type: str = ""
    principal_name: str = ""
    token_requester_principal_type: str = ""
    token_requester_principal_name: str = ""
    issue_timestamp: int = 0
    expiry_timestamp: int = 0
    max_timestamp: int = 0
    token_id: str = ""
    hmac: bytes = b""
    renewers: list[DescribedDelegationTokenRenewer] = field(default_factory=list)


@dataclass(slots=True)
class DescribeDelegationTokenResponse(Message):
    error_code: int = 0
    tokens: list[DescribedDelegationToken] = field(default_factory=list)
    throttle_time_ms: int = 0

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeDelegationTokenResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeDelegationTokenResponse, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_describe_delegation_token_response_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_describe_delegation_token_response_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeDelegationTokenResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeDelegationTokenResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeDelegationTokenResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_describe_delegation_token_response_flexible(out, (self,), version)
        elif version == 1:
            _write_describe_delegation_token_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DescribeDelegationTokenResponse has no version {version}")


def _read_describe_delegation_token_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeDelegationTokenResponse], int]:
    items: list[DescribeDelegationTokenResponse] = []
    tokens: list[DescribedDelegationToken]
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeDelegationTokenResponse.tokens")
        tokens, position = _read_described_delegation_token_flexible(data, position, n - 1, version)
        throttle_time_ms, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeDelegationTokenResponse(error_code, tokens, throttle_time_ms))
    return items, position


def _write_describe_delegation_token_response_flexible(
    out: bytearray, items: Sequence[DescribeDelegationTokenResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        n = len(item.tokens) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.tokens:
            _write_described_delegation_token_flexible(out, item.tokens, version)
        out += _pack_ix(item.throttle_time_ms)


def _read_described_delegation_token_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedDelegationToken], int]:
    if position + count * 30 > len(data):
        raise count_fault("DescribedDelegationToken", count)
    items: list[DescribedDelegationToken] = []
    principal_type: str
    principal_name: str
    token_requester_principal_type: str
    token_requester_principal_name: str
    token_id: str
    hmac: bytes
    renewers: list[DescribedDelegationTokenRenewer]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedDelegationToken.principal_type")
        end = position + n - 1
        principal_type = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedDelegationToken.principal_name")
        end = position + n - 1
        principal_name = str(data[position:end], "utf-8")
        position = end
        if version >= 3:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "DescribedDelegationToken.token_requester_principal_type"
                )
            end = position + n - 1
            token_requester_principal_type = str(data[position:end], "utf-8")
            position = end
        else:
            token_requester_principal_type = ""
        if version >= 3:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "DescribedDelegationToken.token_requester_principal_name"
                )
            end = position + n - 1
            token_requester_principal_name = str(data[position:end], "utf-8")
            position = end
        else:
            token_requester_principal_name = ""
        issue_timestamp, expiry_timestamp, max_timestamp, n = _unpack_qqqc(data, position)
        position += 25
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedDelegationToken.token_id")
        end = position + n - 1
        token_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedDelegationToken.hmac")
        end = position + n - 1
        hmac = bytes(data[position:end])
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedDelegationToken.renewers")
        renewers, position = _read_described_delegation_token_renewer_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribedDelegationToken(
                principal_type,
                principal_name,
                token_requester_principal_type,
                token_requester_principal_name,
                issue_timestamp,
                expiry_timestamp,
                max_timestamp,
                token_id,
                hmac,
                renewers,
            )
        )
    return items, position


def _write_described_delegation_token_flexible(
    out: bytearray, items: Sequence[DescribedDelegationToken], version: int
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
        if version >= 3:
            raw = item.token_requester_principal_type.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        elif item.token_requester_principal_type:
            raise absent_fault("DescribedDelegationToken.token_requester_principal_type", version)
        if version >= 3:
            raw = item.token_requester_principal_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        elif item.token_requester_principal_name:
            raise absent_fault("DescribedDelegationToken.token_requester_principal_name", version)
        out += _pack_qqq(item.issue_timestamp, item.expiry_timestamp, item.max_timestamp)
        raw = item.token_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.hmac) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.hmac
        n = len(item.renewers) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.renewers:
            _write_described_delegation_token_renewer_flexible(out, item.renewers, version)
        out.append(0)


def _read_described_delegation_token_renewer_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedDelegationTokenRenewer], int]:
    if position + count * 3 > len(data):
        raise count_fault("DescribedDelegationTokenRenewer", count)
    items: list[DescribedDelegationTokenRenewer] = []
    principal_type: str
    principal_name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribedDelegationTokenRenewer.principal_type"
            )
        end = position + n - 1
        principal_type = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribedDelegationTokenRenewer.principal_name"
            )
        end = position + n - 1
        principal_name = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribedDelegationTokenRenewer(principal_type, principal_name))
    return items, position


def _write_described_delegation_token_renewer_flexible(
    out: bytearray, items: Sequence[DescribedDelegationTokenRenewer], version: int
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


def _read_describe_delegation_token_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeDelegationTokenResponse], int]:
    items: list[DescribeDelegationTokenResponse] = []
    tokens: list[DescribedDelegationToken]
    for _ in range(count):
        error_code, n = _unpack_hi(data, position)
        position += 6
        if n < 0:
            raise null_fault("DescribeDelegationTokenResponse.tokens")
        tokens, position = _read_described_delegation_token_classic(data, position, n, version)
        (throttle_time_ms,) = _unpack_i(data, position)
        position += 4
        items.append(DescribeDelegationTokenResponse(error_code, tokens, throttle_time_ms))
    return items, position


def _write_describe_delegation_token_response_classic(
    out: bytearray, items: Sequence[DescribeDelegationTokenResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        out += _pack_i(len(item.tokens))
        if item.tokens:
            _write_described_delegation_token_classic(out, item.tokens, version)
        out += _pack_i(item.throttle_time_ms)


def _read_described_delegation_token_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedDelegationToken], int]:
    if position + count * 38 > len(data):
        raise count_fault("DescribedDelegationToken", count)
    items: list[DescribedDelegationToken] = []
    principal_type: str
    principal_name: str
    token_id: str
    hmac: bytes
    renewers: list[DescribedDelegationTokenRenewer]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedDelegationToken.principal_type")
        end = position + n
        principal_type = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedDelegationToken.principal_name")
        end = position + n
        principal_name = str(data[position:end], "utf-8")
        position = end
        issue_timestamp, expiry_timestamp, max_timestamp, n = _unpack_qqqh(data, position)
        position += 26
        if n < 0:
            raise null_fault("DescribedDelegationToken.token_id")
        end = position + n
        token_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribedDelegationToken.hmac")
        end = position + n
        hmac = bytes(data[position:end])
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DescribedDelegationToken.renewers")
        renewers, position = _read_described_delegation_token_renewer_classic(
            data, position, n, version
        )
        items.append(
            DescribedDelegationToken(
                principal_type,
                principal_name,
                "",
                "",
                issue_timestamp,
                expiry_timestamp,
                max_timestamp,
                token_id,
                hmac,
                renewers,
            )
        )
    return items, position


def _write_described_delegation_token_classic(
    out: bytearray, items: Sequence[DescribedDelegationToken], version: int
) -> None:
    for item in items:
        if item.token_requester_principal_type:
            raise absent_fault("DescribedDelegationToken.token_requester_principal_type", version)
        if item.token_requester_principal_name:
            raise absent_fault("DescribedDelegationToken.token_requester_principal_name", version)
        raw = item.principal_type.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.principal_name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_qqq(item.issue_timestamp, item.expiry_timestamp, item.max_timestamp)
        raw = item.token_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.hmac))
        out += item.hmac
        out += _pack_i(len(item.renewers))
        if item.renewers:
            _write_described_delegation_token_renewer_classic(out, item.renewers, version)


def _read_described_delegation_token_renewer_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedDelegationTokenRenewer], int]:
    if position + count * 4 > len(data):
        raise count_fault("DescribedDelegationTokenRenewer", count)
    items: list[DescribedDelegationTokenRenewer] = []
    principal_type: str
    principal_name: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedDelegationTokenRenewer.principal_type")
        end = position + n
        principal_type = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DescribedDelegationTokenRenewer.principal_name")
        end = position + n
        principal_name = str(data[position:end], "utf-8")
        position = end
        items.append(DescribedDelegationTokenRenewer(principal_type, principal_name))
    return items, position


def _write_described_delegation_token_renewer_classic(
    out: bytearray, items: Sequence[DescribedDelegationTokenRenewer], version: int
) -> None:
    for item in items:
        raw = item.principal_type.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.principal_name.encode()
        out += _pack_h(len(raw))
        out += raw
