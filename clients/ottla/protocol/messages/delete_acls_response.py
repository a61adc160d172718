"""DeleteAclsResponse, versions 1–3 (flexible from 2).

Generated from delete_acls.schema by ottla.protocol.generator; do not edit.
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

_pack_b = struct.Struct(">b").pack
_pack_bb = struct.Struct(">bb").pack
_pack_bbx = struct.Struct(">bbx").pack
_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_bb = struct.Struct(">bb").unpack_from
_unpack_bbc = struct.Struct(">bbB").unpack_from
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_bh = struct.Struct(">bh").unpack_from
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class DeleteAclsMatchingAcl:
    error_code: int = 0
    error_message: str | None = ""
    resource_type: int = 0
    resource_name: str = ""
    pattern_type: int = 3
    principal: str = ""
    host: str = ""
    operation: int = 0
    permission_type: int = 0


@dataclass(slots=True)
class DeleteAclsFilterResult:
    error_code: int = 0
    error_message: str | None = ""
    matching_acls: list[DeleteAclsMatchingAcl] = field(default_factory=list)


@dataclass(slots=True)
class DeleteAclsResponse(Message):
    throttle_time_ms: int = 0
    filter_results: list[DeleteAclsFilterResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteAclsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[DeleteAclsResponse, int]:
        try:
            if 2 <= version <= 3:
                (message,), end = _read_delete_acls_response_flexible(data, offset, 1, version)
            elif version == 1:
                (message,), end = _read_delete_acls_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("DeleteAclsResponse", version)
        except MALFORMED as error:
            raise malformed("DeleteAclsResponse", version, error) from error
        if end > len(data):
            raise malformed("DeleteAclsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 3:
            _write_delete_acls_response_flexible(out, (self,), version)
        elif version == 1:
            _write_delete_acls_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DeleteAclsResponse has no version {version}")


def _read_delete_acls_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsResponse], int]:
    items: list[DeleteAclsResponse] = []
    filter_results: list[DeleteAclsFilterResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteAclsResponse.filter_results")
        filter_results, position = _read_delete_acls_filter_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteAclsResponse(throttle_time_ms, filter_results))
    return items, position


def _write_delete_acls_response_flexible(
    out: bytearray, items: Sequence[DeleteAclsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.filter_results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.filter_results:
            _write_delete_acls_filter_result_flexible(out, item.filter_results, version)
        out.append(0)


def _read_delete_acls_filter_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsFilterResult], int]:
    if position + count * 5 > len(data):
        raise count_fault("DeleteAclsFilterResult", count)
    items: list[DeleteAclsFilterResult] = []
    error_message: str | None
    matching_acls: list[DeleteAclsMatchingAcl]
    for _ in range(count):
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
            n, position = long_length(data, position, n, "DeleteAclsFilterResult.matching_acls")
        matching_acls, position = _read_delete_acls_matching_acl_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteAclsFilterResult(error_code, error_message, matching_acls))
    return items, position


def _write_delete_acls_filter_result_flexible(
    out: bytearray, items: Sequence[DeleteAclsFilterResult], version: int
) -> None:
    for item in items:
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
        n = len(item.matching_acls) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.matching_acls:
            _write_delete_acls_matching_acl_flexible(out, item.matching_acls, version)
        out.append(0)


def _read_delete_acls_matching_acl_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsMatchingAcl], int]:
    if position + count * 11 > len(data):
        raise count_fault("DeleteAclsMatchingAcl", count)
    items: list[DeleteAclsMatchingAcl] = []
    error_message: str | None
    resource_name: str
    principal: str
    host: str
    for _ in range(count):
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
        resource_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteAclsMatchingAcl.resource_name")
        end = position + n - 1
        resource_name = str(data[position:end], "utf-8")
        position = end
        pattern_type, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteAclsMatchingAcl.principal")
        end = position + n - 1
        principal = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteAclsMatchingAcl.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        operation, permission_type, tags = _unpack_bbc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DeleteAclsMatchingAcl(
                error_code,
                error_message,
                resource_type,
                resource_name,
                pattern_type,
                principal,
                host,
                operation,
                permission_type,
            )
        )
    return items, position


def _write_delete_acls_matching_acl_flexible(
    out: bytearray, items: Sequence[DeleteAclsMatchingAcl], version: int
) -> None:
    for item in items:
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
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_b(item.pattern_type)
        raw = item.principal.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_bbx(item.operation, item.permission_type)


def _read_delete_acls_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsResponse], int]:
    items: list[DeleteAclsResponse] = []
    filter_results: list[DeleteAclsFilterResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("DeleteAclsResponse.filter_results")
        filter_results, position = _read_delete_acls_filter_result_classic(
            data, position, n, version
        )
        items.append(DeleteAclsResponse(throttle_time_ms, filter_results))
    return items, position


def _write_delete_acls_response_classic(
    out: bytearray, items: Sequence[DeleteAclsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.filter_results))
        if item.filter_results:
            _write_delete_acls_filter_result_classic(out, item.filter_results, version)


def _read_delete_acls_filter_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsFilterResult], int]:
    if position + count * 8 > len(data):
        raise count_fault("DeleteAclsFilterResult", count)
    items: list[DeleteAclsFilterResult] = []
    error_message: str | None
    matching_acls: list[DeleteAclsMatchingAcl]
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("DeleteAclsFilterResult.matching_acls")
        matching_acls, position = _read_delete_acls_matching_acl_classic(data, position, n, version)
        items.append(DeleteAclsFilterResult(error_code, error_message, matching_acls))
    return items, position


def _write_delete_acls_filter_result_classic(
    out: bytearray, items: Sequence[DeleteAclsFilterResult], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_i(len(item.matching_acls))
        if item.matching_acls:
            _write_delete_acls_matching_acl_classic(out, item.matching_acls, version)


def _read_delete_acls_matching_acl_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteAclsMatchingAcl], int]:
    if position + count * 14 > len(data):
        raise count_fault("DeleteAclsMatchingAcl", count)
    items: list[DeleteAclsMatchingAcl] = []
    error_message: str | None
    resource_name: str
    principal: str
    host: str
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        resource_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("DeleteAclsMatchingAcl.resource_name")
        end = position + n
        resource_name = str(data[position:end], "utf-8")
        position = end
        pattern_type, n = _unpack_bh(data, position)
        position += 3
        if n < 0:
            raise null_fault("DeleteAclsMatchingAcl.principal")
        end = position + n
        principal = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("DeleteAclsMatchingAcl.host")
        end = position + n
        host = str(data[position:end], "utf-8")
        position = end
        operation, permission_type = _unpack_bb(data, position)
        position += 2
        items.append(
            DeleteAclsMatchingAcl(
                error_code,
                error_message,
                resource_type,
                resource_name,
                pattern_type,
                principal,
                host,
                operation,
                permission_type,
            )
        )
    return items, position


def _write_delete_acls_matching_acl_classic(
    out: bytearray, items: Sequence[DeleteAclsMatchingAcl], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_b(item.resource_type)
        raw = item.resource_name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_b(item.pattern_type)
        raw = item.principal.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.host.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_bb(item.operation, item.permission_type)
