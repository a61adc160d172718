"""EndTxnResponse, versions 0–5 (flexible from 3).

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
    malformed,
    skip_tags,
    unknown_version,
)

_pack_ih = struct.Struct(">ih").pack
_pack_ihqhx = struct.Struct(">ihqhx").pack
_pack_ihx = struct.Struct(">ihx").pack
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihqhc = struct.Struct(">ihqhB").unpack_from


@dataclass(slots=True)
class EndTxnResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    producer_id: int = -1
    producer_epoch: int = -1

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> EndTxnResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[EndTxnResponse, int]:
        try:
            if 3 <= version <= 5:
                (message,), end = _read_end_txn_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_end_txn_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("EndTxnResponse", version)
        except MALFORMED as error:
            raise malformed("EndTxnResponse", version, error) from error
        if end > len(data):
            raise malformed("EndTxnResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 5:
            _write_end_txn_response_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_end_txn_response_classic(out, (self,), version)
        else:
            raise ValueError(f"EndTxnResponse has no version {version}")


def _read_end_txn_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EndTxnResponse], int]:
    items: list[EndTxnResponse] = []
    for _ in range(count):
        if version >= 5:
            throttle_time_ms, error_code, producer_id, producer_epoch, tags = _unpack_ihqhc(
                data, position
            )
            position += 17
        else:
            throttle_time_ms, error_code, tags = _unpack_ihc(data, position)
            position += 7
            producer_id = -1
            producer_epoch = -1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EndTxnResponse(throttle_time_ms, error_code, producer_id, producer_epoch))
    return items, position


def _write_end_txn_response_flexible(
    out: bytearray, items: Sequence[EndTxnResponse], version: int
) -> None:
    for item in items:
        if version >= 5:
            out += _pack_ihqhx(
                item.throttle_time_ms, item.error_code, item.producer_id, item.producer_epoch
            )
        else:
            out += _pack_ihx(item.throttle_time_ms, item.error_code)


def _read_end_txn_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EndTxnResponse], int]:
    items: list[EndTxnResponse] = []
    for _ in range(count):
        throttle_time_ms, error_code = _unpack_ih(data, position)
        position += 6
        items.append(EndTxnResponse(throttle_time_ms, error_code, -1, -1))
    return items, position


def _write_end_txn_response_classic(
    out: bytearray, items: Sequence[EndTxnResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
