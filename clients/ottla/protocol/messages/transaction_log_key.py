"""TransactionLogKey, versions 0 (none is flexible).

Generated from transaction_state.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    unknown_version,
)

_pack_h = struct.Struct(">h").pack
_unpack_h = struct.Struct(">h").unpack_from


@dataclass(slots=True)
class TransactionLogKey(Message):
    transactional_id: str = ""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> TransactionLogKey:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[TransactionLogKey, int]:
        try:
            if version == 0:
                (message,), end = _read_transaction_log_key_classic(data, offset, 1, version)
            else:
                raise unknown_version("TransactionLogKey", version)
        except MALFORMED as error:
            raise malformed("TransactionLogKey", version, error) from error
        if end > len(data):
            raise malformed("TransactionLogKey", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_transaction_log_key_classic(out, (self,), version)
        else:
            raise ValueError(f"TransactionLogKey has no version {version}")


def _read_transaction_log_key_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TransactionLogKey], int]:
    items: list[TransactionLogKey] = []
    transactional_id: str
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TransactionLogKey.transactional_id")
        end = position + n
        transactional_id = str(data[position:end], "utf-8")
        position = end
        items.append(TransactionLogKey(transactional_id))
    return items, position


def _write_transaction_log_key_classic(
    out: bytearray, items: Sequence[TransactionLogKey], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        out += _pack_h(len(raw))
        out += raw
