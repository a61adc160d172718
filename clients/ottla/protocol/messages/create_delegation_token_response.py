"""CreateDelegationTokenResponse, versions 1–3 (flexible from 2).

Generated from create_delegation_token.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    absent_fault,
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
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_qqqc = struct.Struct(">qqqB").unpack_from
_unpack_qqqh = struct.Struct(">qqqh").unpack_from


@dataclass(slots=True)
class CreateDelegationTokenResponse(Message):
    error_code: int = 0
    principal_type: str = ""
    principal_name: str = ""
    token_requester_principal_type: str = ""
    token_requester_principal_name: str = ""
    issue_timestamp_ms: int = 0
    expiry_timestamp_ms: int = 0
    max_timestamp_ms: int = 0
    token_id: str = ""
    hmac: bytes = b""
    throttle_time_ms: int = 0

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> CreateDelegationTokenResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[CreateDelegationTokenResponse, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_create_delegation_token_response_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_create_delegation_token_response_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("CreateDelegationTokenResponse", version)
        except MALFORMED as error:
            raise malformed("CreateDelegationTokenResponse", version, error) from error
        if end > len(data):
            raise malformed("CreateDelegationTokenResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_create_delegation_token_response_flexible(out, (self,), version)
        elif version == 1:
            _write_create_delegation_token_response_classic(out, (self,), version)
        else:
            raise ValueError(f"CreateDelegationTokenResponse has no version {version}")


def _read_create_delegation_token_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateDelegationTokenResponse], int]:
    items: list[CreateDelegationTokenResponse] = []
    principal_type: str
    principal_name: str
    token_requester_principal_type: str
    token_requester_principal_name: str
    token_id: str
    hmac: bytes
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "CreateDelegationTokenResponse.principal_type"
            )
        end = position + n - 1
        principal_type = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "CreateDelegationTokenResponse.principal_name"
            )
        end = position + n - 1
        principal_name = str(data[position:end], "utf-8")
        position = end
        if version >= 3:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(
                    data,
                    position,
                    n,
                    "CreateDelegationTokenResponse.token_requester_principal_type",
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
                    data,
                    position,
                    n,
                    "CreateDelegationTokenResponse.token_requester_principal_name",
                )
            end = position + n - 1
            token_requester_principal_name = str(data[position:end], "utf-8")
            position = end
        else:
            token_requester_principal_name = ""
        issue_timestamp_ms, expiry_timestamp_ms, max_timestamp_ms, n = _unpack_qqqc(data, position)
        position += 25
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreateDelegationTokenResponse.token_id")
        end = position + n - 1
        token_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreateDelegationTokenResponse.hmac")
        end = position + n - 1
        hmac = bytes(data[position:end])
        position = end
        throttle_time_ms, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            CreateDelegationTokenResponse(
                error_code,
                principal_type,
                principal_name,
                token_requester_principal_type,
                token_requester_principal_name,
                issue_timestamp_ms,
                expiry_timestamp_ms,
                max_timestamp_ms,
                token_id,
                hmac,
                throttle_time_ms,
            )
        )
    return items, position


def _write_create_delegation_token_response_flexible(
    out: bytearray, items: Sequence[CreateDelegationTokenResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
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
            raise absent_fault(
                "CreateDelegationTokenResponse.token_requester_principal_type", version
            )
        if version >= 3:
            raw = item.token_requester_principal_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        elif item.token_requester_principal_name:
            raise absent_fault(
                "CreateDelegationTokenResponse.token_requester_principal_name", version
            )
        out += _pack_qqq(item.issue_timestamp_ms, item.expiry_timestamp_ms, item.max_timestamp_ms)
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
        out += _pack_ix(item.throttle_time_ms)


def _read_create_delegation_token_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateDelegationTokenResponse], int]:
    items: list[CreateDelegationTokenResponse] = []
    principal_type: str
    principal_name: str
    token_id: str
    hmac: bytes
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            raise null_fault("CreateDelegationTokenResponse.principal_type")
        end = position + n
        principal_type = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("CreateDelegationTokenResponse.principal_name")
        end = position + n
        principal_name = str(data[position:end], "utf-8")
        position = end
        issue_timestamp_ms, expiry_timestamp_ms, max_timestamp_ms, n = _unpack_qqqh(data, position)
        position += 26
        if n < 0:
            raise null_fault("CreateDelegationTokenResponse.token_id")
        end = position + n
        token_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("CreateDelegationTokenResponse.hmac")
        end = position + n
        hmac = bytes(data[position:end])
        position = end
        (throttle_time_ms,) = _unpack_i(data, position)
        position += 4
        items.append(
            CreateDelegationTokenResponse(
                error_code,
                principal_type,
                principal_name,
                "",
                "",
                issue_timestamp_ms,
                expiry_timestamp_ms,
                max_timestamp_ms,
                token_id,
                hmac,
                throttle_time_ms,
            )
        )
    return items, position


def _write_create_delegation_token_response_classic(
    out: bytearray, items: Sequence[CreateDelegationTokenResponse], version: int
) -> None:
    for item in items:
        if item.token_requester_principal_type:
            raise absent_fault(
                "CreateDelegationTokenResponse.token_requester_principal_type", version
            )
        if item.token_requester_principal_name:
            raise absent_fault(
                "CreateDelegationTokenResponse.token_requester_principal_name", version
            )
        out += _pack_h(item.error_code)
        raw = item.principal_type.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.principal_name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_qqq(item.issue_timestamp_ms, item.expiry_timestamp_ms, item.max_timestamp_ms)
        raw = item.token_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.hmac))
        out += item.hmac
        out += _pack_i(item.throttle_time_ms)
