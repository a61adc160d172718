"""ListTransactionsRequest, versions 0–2 (flexible from 0).

Generated from list_transactions.schema by ottla.protocol.generator; do not edit.
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
    long_length,
    long_uvarint,
    malformed,
    read_compact_string_array,
    read_int64_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_int64_array,
    write_uvarint,
)

_pack_q = struct.Struct(">q").pack
_unpack_q = struct.Struct(">q").unpack_from
_unpack_qc = struct.Struct(">qB").unpack_from


@dataclass(slots=True)
class ListTransactionsRequest(Message):
    state_filters: list[str] = field(default_factory=list)
    producer_id_filters: list[int] = field(default_factory=list)
    duration_filter: int = -1
    transactional_id_pattern: str | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ListTransactionsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ListTransactionsRequest, int]:
        try:
            if 0 <= version <= 2:
                (message,), end = _read_list_transactions_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("ListTransactionsRequest", version)
        except MALFORMED as error:
            raise malformed("ListTransactionsRequest", version, error) from error
        if end > len(data):
            raise malformed("ListTransactionsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 2:
            _write_list_transactions_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"ListTransactionsRequest has no version {version}")


def _read_list_transactions_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListTransactionsRequest], int]:
    items: list[ListTransactionsRequest] = []
    state_filters: list[str]
    producer_id_filters: list[int]
    transactional_id_pattern: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ListTransactionsRequest.state_filters")
        state_filters, position = read_compact_string_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ListTransactionsRequest.producer_id_filters"
            )
        producer_id_filters, position = read_int64_array(data, position, n - 1)
        if version >= 2:
            duration_filter, n = _unpack_qc(data, position)
            position += 9
        elif version >= 1:
            (duration_filter,) = _unpack_q(data, position)
            position += 8
        else:
            duration_filter = -1
        if version >= 2:
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                transactional_id_pattern = None
            else:
                end = position + n - 1
                transactional_id_pattern = str(data[position:end], "utf-8")
                position = end
        else:
            transactional_id_pattern = None
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ListTransactionsRequest(
                state_filters, producer_id_filters, duration_filter, transactional_id_pattern
            )
        )
    return items, position


def _write_list_transactions_request_flexible(
    out: bytearray, items: Sequence[ListTransactionsRequest], version: int
) -> None:
    for item in items:
        n = len(item.state_filters) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.state_filters:
            write_compact_string_array(out, item.state_filters)
        n = len(item.producer_id_filters) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.producer_id_filters:
            write_int64_array(out, item.producer_id_filters)
        if version >= 1:
            out += _pack_q(item.duration_filter)
        else:
            if item.duration_filter != -1:
                raise absent_fault("ListTransactionsRequest.duration_filter", version)
        if version >= 2:
            values_transactional_id_pattern = item.transactional_id_pattern
            if values_transactional_id_pattern is None:
                out.append(0)
            else:
                raw = values_transactional_id_pattern.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        elif item.transactional_id_pattern is not None:
            raise absent_fault("ListTransactionsRequest.transactional_id_pattern", version)
        out.append(0)
