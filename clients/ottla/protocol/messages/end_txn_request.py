"""EndTxnRequest, versions 0–5 (flexible from 3).

Generated from end_txn.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_qho = struct.Struct(">qh?").pack
_pack_qhox = struct.Struct(">qh?x").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_qho = struct.Struct(">qh?").unpack_from
_unpack_qhoc = struct.Struct(">qh?B").unpack_from


@dataclass(slots=True)
class EndTxnRequest(Message):
    transactional_id: str = ""
    producer_id: int = 0
    producer_epoch: int = 0
    committed: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> EndTxnRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[EndTxnRequest, int]:
        try:
            if 3 <= version <= 5:
                (message,), end = _read_end_txn_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_end_txn_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("EndTxnRequest", version)
        except MALFORMED as error:
            raise malformed("EndTxnRequest", version, error) from error
        if end > len(data):
            raise malformed("EndTxnRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 5:
            _write_end_txn_request_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_end_txn_request_classic(out, (self,), version)
        else:
            raise ValueError(f"EndTxnRequest has no version {version}")


def _read_end_txn_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EndTxnRequest], int]:
    items: list[EndTxnRequest] = []
    transactional_id: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EndTxnRequest.transactional_id")
        end = position + n - 1
        transactional_id = str(data[position:end], "utf-8")
        position = end
        producer_id, producer_epoch, committed, tags = _unpack_qhoc(data, position)
        position += 12
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EndTxnRequest(transactional_id, producer_id, producer_epoch, committed))
    return items, position


def _write_end_txn_request_flexible(
    out: bytearray, items: Sequence[EndTxnRequest], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_qhox(item.producer_id, item.producer_epoch, item.committed)


def _read_end_txn_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EndTxnRequest], int]:
    items: list[EndTxnRequest] = []
    transactional_id: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("EndTxnRequest.transactional_id")
        end = position + n
        transactional_id = str(data[position:end], "utf-8")
        position = end
        producer_id, producer_epoch, committed = _unpack_qho(data, position)
        position += 11
        items.append(EndTxnRequest(transactional_id, producer_id, producer_epoch, committed))
    return items, position


def _write_end_txn_request_classic(
    out: bytearray, items: Sequence[EndTxnRequest], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_qho(item.producer_id, item.producer_epoch, item.committed)
