"""InitProducerIdResponse, versions 0–5 (flexible from 2).

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
    malformed,
    skip_tags,
    unknown_version,
)

_pack_ihqh = struct.Struct(">ihqh").pack
_pack_ihqhx = struct.Struct(">ihqhx").pack
_unpack_ihqh = struct.Struct(">ihqh").unpack_from
_unpack_ihqhc = struct.Struct(">ihqhB").unpack_from


@dataclass(slots=True)
class InitProducerIdResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    producer_id: int = -1
    producer_epoch: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> InitProducerIdResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[InitProducerIdResponse, int]:
        try:
            if 2 <= version <= 5:
                (message,), end = _read_init_producer_id_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_init_producer_id_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("InitProducerIdResponse", version)
        except MALFORMED as error:
            raise malformed("InitProducerIdResponse", version, error) from error
        if end > len(data):
            raise malformed("InitProducerIdResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 2 <= version <= 5:
            _write_init_producer_id_response_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_init_producer_id_response_classic(out, (self,), version)
        else:
            raise ValueError(f"InitProducerIdResponse has no version {version}")


def _read_init_producer_id_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[InitProducerIdResponse], int]:
    items: list[InitProducerIdResponse] = []
    for _ in range(count):
        throttle_time_ms, error_code, producer_id, producer_epoch, tags = _unpack_ihqhc(
            data, position
        )
        position += 17
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            InitProducerIdResponse(throttle_time_ms, error_code, producer_id, producer_epoch)
        )
    return items, position


def _write_init_producer_id_response_flexible(
    out: bytearray, items: Sequence[InitProducerIdResponse], version: int
) -> None:
    for item in items:
        out += _pack_ihqhx(
            item.throttle_time_ms, item.error_code, item.producer_id, item.producer_epoch
        )


def _read_init_producer_id_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[InitProducerIdResponse], int]:
    items: list[InitProducerIdResponse] = []
    for _ in range(count):
        throttle_time_ms, error_code, producer_id, producer_epoch = _unpack_ihqh(data, position)
        position += 16
        items.append(
            InitProducerIdResponse(throttle_time_ms, error_code, producer_id, producer_epoch)
        )
    return items, position


def _write_init_producer_id_response_classic(
    out: bytearray, items: Sequence[InitProducerIdResponse], version: int
) -> None:
    for item in items:
        out += _pack_ihqh(
            item.throttle_time_ms, item.error_code, item.producer_id, item.producer_epoch
        )
