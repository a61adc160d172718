"""UnregisterBrokerRequest, versions 0 (flexible from 0).

Generated from unregister_broker.schema by ottla.protocol.generator; do not edit.
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

_pack_ix = struct.Struct(">ix").pack
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class UnregisterBrokerRequest(Message):
    broker_id: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> UnregisterBrokerRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[UnregisterBrokerRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_unregister_broker_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("UnregisterBrokerRequest", version)
        except MALFORMED as error:
            raise malformed("UnregisterBrokerRequest", version, error) from error
        if end > len(data):
            raise malformed("UnregisterBrokerRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_unregister_broker_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"UnregisterBrokerRequest has no version {version}")


def _read_unregister_broker_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[UnregisterBrokerRequest], int]:
    items: list[UnregisterBrokerRequest] = []
    for _ in range(count):
        broker_id, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(UnregisterBrokerRequest(broker_id))
    return items, position


def _write_unregister_broker_request_flexible(
    out: bytearray, items: Sequence[UnregisterBrokerRequest], version: int
) -> None:
    for item in items:
        out += _pack_ix(item.broker_id)
