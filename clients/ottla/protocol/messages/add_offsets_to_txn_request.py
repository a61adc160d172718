"""AddOffsetsToTxnRequest, versions 0–4 (flexible from 3).

Generated from add_offsets_to_txn.schema by ottla.protocol.generator; do not edit.
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
_pack_qh = struct.Struct(">qh").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_qhc = struct.Struct(">qhB").unpack_from
_unpack_qhh = struct.Struct(">qhh").unpack_from


@dataclass(slots=True)
class AddOffsetsToTxnRequest(Message):
    transactional_id: str = ""
    producer_id: int = 0
    producer_epoch: int = 0
    group_id: str = ""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 4
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AddOffsetsToTxnRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AddOffsetsToTxnRequest, int]:
        try:
            if 3 <= version <= 4:
                (message,), end = _read_add_offsets_to_txn_request_flexible(
                    data, offset, 1, version
                )
            elif 0 <= version <= 2:
                (message,), end = _read_add_offsets_to_txn_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("AddOffsetsToTxnRequest", version)
        except MALFORMED as error:
            raise malformed("AddOffsetsToTxnRequest", version, error) from error
        if end > len(data):
            raise malformed("AddOffsetsToTxnRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 4:
            _write_add_offsets_to_txn_request_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_add_offsets_to_txn_request_classic(out, (self,), version)
        else:
            raise ValueError(f"AddOffsetsToTxnRequest has no version {version}")


def _read_add_offsets_to_txn_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddOffsetsToTxnRequest], int]:
    items: list[AddOffsetsToTxnRequest] = []
    transactional_id: str
    group_id: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AddOffsetsToTxnRequest.transactional_id")
        end = position + n - 1
        transactional_id = str(data[position:end], "utf-8")
        position = end
        producer_id, producer_epoch, n = _unpack_qhc(data, position)
        position += 11
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AddOffsetsToTxnRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AddOffsetsToTxnRequest(transactional_id, producer_id, producer_epoch, group_id)
        )
    return items, position


def _write_add_offsets_to_txn_request_flexible(
    out: bytearray, items: Sequence[AddOffsetsToTxnRequest], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_qh(item.producer_id, item.producer_epoch)
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)


def _read_add_offsets_to_txn_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddOffsetsToTxnRequest], int]:
    items: list[AddOffsetsToTxnRequest] = []
    transactional_id: str
    group_id: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AddOffsetsToTxnRequest.transactional_id")
        end = position + n
        transactional_id = str(data[position:end], "utf-8")
        position = end
        producer_id, producer_epoch, n = _unpack_qhh(data, position)
        position += 12
        if n < 0:
            raise null_fault("AddOffsetsToTxnRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        items.append(
            AddOffsetsToTxnRequest(transactional_id, producer_id, producer_epoch, group_id)
        )
    return items, position


def _write_add_offsets_to_txn_request_classic(
    out: bytearray, items: Sequence[AddOffsetsToTxnRequest], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_qh(item.producer_id, item.producer_epoch)
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
