"""ListTransactionsResponse, versions 0–2 (flexible from 0).

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
    count_fault,
    long_length,
    malformed,
    read_compact_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_uvarint,
)

_pack_ih = struct.Struct(">ih").pack
_pack_q = struct.Struct(">q").pack
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_qc = struct.Struct(">qB").unpack_from


@dataclass(slots=True)
class TransactionState:
    transactional_id: str = ""
    producer_id: int = 0
    transaction_state: str = ""


@dataclass(slots=True)
class ListTransactionsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    unknown_state_filters: list[str] = field(default_factory=list)
    transaction_states: list[TransactionState] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ListTransactionsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ListTransactionsResponse, int]:
        try:
            if 0 <= version <= 2:
                (message,), end = _read_list_transactions_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ListTransactionsResponse", version)
        except MALFORMED as error:
            raise malformed("ListTransactionsResponse", version, error) from error
        if end > len(data):
            raise malformed("ListTransactionsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 2:
            _write_list_transactions_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"ListTransactionsResponse has no version {version}")


def _read_list_transactions_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListTransactionsResponse], int]:
    items: list[ListTransactionsResponse] = []
    unknown_state_filters: list[str]
    transaction_states: list[TransactionState]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ListTransactionsResponse.unknown_state_filters"
            )
        unknown_state_filters, position = read_compact_string_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ListTransactionsResponse.transaction_states"
            )
        transaction_states, position = _read_transaction_state_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ListTransactionsResponse(
                throttle_time_ms, error_code, unknown_state_filters, transaction_states
            )
        )
    return items, position


def _write_list_transactions_response_flexible(
    out: bytearray, items: Sequence[ListTransactionsResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        n = len(item.unknown_state_filters) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.unknown_state_filters:
            write_compact_string_array(out, item.unknown_state_filters)
        n = len(item.transaction_states) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.transaction_states:
            _write_transaction_state_flexible(out, item.transaction_states, version)
        out.append(0)


def _read_transaction_state_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TransactionState], int]:
    if position + count * 11 > len(data):
        raise count_fault("TransactionState", count)
    items: list[TransactionState] = []
    transactional_id: str
    transaction_state: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TransactionState.transactional_id")
        end = position + n - 1
        transactional_id = str(data[position:end], "utf-8")
        position = end
        producer_id, n = _unpack_qc(data, position)
        position += 9
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TransactionState.transaction_state")
        end = position + n - 1
        transaction_state = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TransactionState(transactional_id, producer_id, transaction_state))
    return items, position


def _write_transaction_state_flexible(
    out: bytearray, items: Sequence[TransactionState], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_q(item.producer_id)
        raw = item.transaction_state.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)
