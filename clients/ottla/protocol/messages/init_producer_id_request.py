"""InitProducerIdRequest, versions 0–5 (flexible from 2).

Generated from init_producer_id.schema by ottla.protocol.generator; do not edit.
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
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_iqhx = struct.Struct(">iqhx").pack
_pack_ix = struct.Struct(">ix").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_iqhc = struct.Struct(">iqhB").unpack_from


@dataclass(slots=True)
class InitProducerIdRequest(Message):
    transactional_id: str | None = ""
    transaction_timeout_ms: int = 0
    producer_id: int = -1
    producer_epoch: int = -1

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> InitProducerIdRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[InitProducerIdRequest, int]:
        try:
            if 2 <= version <= 5:
                (message,), end = _read_init_producer_id_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_init_producer_id_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("InitProducerIdRequest", version)
        except MALFORMED as error:
            raise malformed("InitProducerIdRequest", version, error) from error
        if end > len(data):
            raise malformed("InitProducerIdRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 5:
            _write_init_producer_id_request_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_init_producer_id_request_classic(out, (self,), version)
        else:
            raise ValueError(f"InitProducerIdRequest has no version {version}")


def _read_init_producer_id_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[InitProducerIdRequest], int]:
    items: list[InitProducerIdRequest] = []
    transactional_id: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            transactional_id = None
        else:
            end = position + n - 1
            transactional_id = str(data[position:end], "utf-8")
            position = end
        if version >= 3:
            transaction_timeout_ms, producer_id, producer_epoch, tags = _unpack_iqhc(data, position)
            position += 15
        else:
            transaction_timeout_ms, tags = _unpack_ic(data, position)
            position += 5
            producer_id = -1
            producer_epoch = -1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            InitProducerIdRequest(
                transactional_id, transaction_timeout_ms, producer_id, producer_epoch
            )
        )
    return items, position


def _write_init_producer_id_request_flexible(
    out: bytearray, items: Sequence[InitProducerIdRequest], version: int
) -> None:
    for item in items:
        values_transactional_id = item.transactional_id
        if values_transactional_id is None:
            out.append(0)
        else:
            raw = values_transactional_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 3:
            out += _pack_iqhx(item.transaction_timeout_ms, item.producer_id, item.producer_epoch)
        else:
            if item.producer_id != -1:
                raise absent_fault("InitProducerIdRequest.producer_id", version)
            if item.producer_epoch != -1:
                raise absent_fault("InitProducerIdRequest.producer_epoch", version)
            out += _pack_ix(item.transaction_timeout_ms)


def _read_init_producer_id_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[InitProducerIdRequest], int]:
    items: list[InitProducerIdRequest] = []
    transactional_id: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            transactional_id = None
        else:
            end = position + n
            transactional_id = str(data[position:end], "utf-8")
            position = end
        (transaction_timeout_ms,) = _unpack_i(data, position)
        position += 4
        items.append(InitProducerIdRequest(transactional_id, transaction_timeout_ms, -1, -1))
    return items, position


def _write_init_producer_id_request_classic(
    out: bytearray, items: Sequence[InitProducerIdRequest], version: int
) -> None:
    for item in items:
        if item.producer_id != -1:
            raise absent_fault("InitProducerIdRequest.producer_id", version)
        if item.producer_epoch != -1:
            raise absent_fault("InitProducerIdRequest.producer_epoch", version)
        values_transactional_id = item.transactional_id
        if values_transactional_id is None:
            out += b"\xff\xff"
        else:
            raw = values_transactional_id.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_i(item.transaction_timeout_ms)
