"""FindCoordinatorResponse, versions 0–6 (flexible from 3).

Generated from find_coordinator.schema by ottla.protocol.generator; do not edit.
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
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihh = struct.Struct(">ihh").unpack_from


@dataclass(slots=True)
class Coordinator:
    key: str = ""
    node_id: int = 0
    host: str = ""
    port: int = 0
    error_code: int = 0
    error_message: str | None = ""


@dataclass(slots=True)
class FindCoordinatorResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = ""
    node_id: int = 0
    host: str = ""
    port: int = 0
    coordinators: list[Coordinator] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 6
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> FindCoordinatorResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[FindCoordinatorResponse, int]:
        try:
            if 3 <= version <= 6:
                (message,), end = _read_find_coordinator_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_find_coordinator_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("FindCoordinatorResponse", version)
        except MALFORMED as error:
            raise malformed("FindCoordinatorResponse", version, error) from error
        if end > len(data):
            raise malformed("FindCoordinatorResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 6:
            _write_find_coordinator_response_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_find_coordinator_response_classic(out, (self,), version)
        else:
            raise ValueError(f"FindCoordinatorResponse has no version {version}")


def _read_find_coordinator_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FindCoordinatorResponse], int]:
    items: list[FindCoordinatorResponse] = []
    error_message: str | None
    host: str
    coordinators: list[Coordinator]
    for _ in range(count):
        if version >= 4:
            (throttle_time_ms,) = _unpack_i(data, position)
            position += 4
            error_code = 0
        else:
            throttle_time_ms, error_code, n = _unpack_ihc(data, position)
            position += 7
        if version <= 3:
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                error_message = None
            else:
                end = position + n - 1
                error_message = str(data[position:end], "utf-8")
                position = end
        else:
            error_message = ""
        if version >= 4:
            node_id = 0
        else:
            node_id, n = _unpack_ic(data, position)
            position += 5
        if version <= 3:
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "FindCoordinatorResponse.host")
            end = position + n - 1
            host = str(data[position:end], "utf-8")
            position = end
        else:
            host = ""
        if version >= 4:
            n = data[position]
            position += 1
            port = 0
        else:
            (port,) = _unpack_i(data, position)
            position += 4
        if version >= 4:
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "FindCoordinatorResponse.coordinators")
            coordinators, position = _read_coordinator_flexible(data, position, n - 1, version)
        else:
            coordinators = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            FindCoordinatorResponse(
                throttle_time_ms, error_code, error_message, node_id, host, port, coordinators
            )
        )
    return items, position


def _write_find_coordinator_response_flexible(
    out: bytearray, items: Sequence[FindCoordinatorResponse], version: int
) -> None:
    for item in items:
        if version >= 4:
            if item.error_code != 0:
                raise absent_fault("FindCoordinatorResponse.error_code", version)
            out += _pack_i(item.throttle_time_ms)
        else:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        if version <= 3:
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
        if version >= 4:
            if item.node_id != 0:
                raise absent_fault("FindCoordinatorResponse.node_id", version)
        else:
            out += _pack_i(item.node_id)
        if version <= 3:
            raw = item.host.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        elif item.host:
            raise absent_fault("FindCoordinatorResponse.host", version)
        if version >= 4:
            if item.port != 0:
                raise absent_fault("FindCoordinatorResponse.port", version)
        else:
            out += _pack_i(item.port)
        if version >= 4:
            n = len(item.coordinators) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.coordinators:
                _write_coordinator_flexible(out, item.coordinators, version)
        elif item.coordinators:
            raise absent_fault("FindCoordinatorResponse.coordinators", version)
        out.append(0)


def _read_coordinator_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Coordinator], int]:
    if position + count * 14 > len(data):
        raise count_fault("Coordinator", count)
    items: list[Coordinator] = []
    key: str
    host: str
    error_message: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Coordinator.key")
        end = position + n - 1
        key = str(data[position:end], "utf-8")
        position = end
        node_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Coordinator.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        port, error_code, n = _unpack_ihc(data, position)
        position += 7
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Coordinator(key, node_id, host, port, error_code, error_message))
    return items, position


def _write_coordinator_flexible(out: bytearray, items: Sequence[Coordinator], version: int) -> None:
    for item in items:
        raw = item.key.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.node_id)
        raw = item.host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_ih(item.port, item.error_code)
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
        out.append(0)


def _read_find_coordinator_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FindCoordinatorResponse], int]:
    items: list[FindCoordinatorResponse] = []
    error_message: str | None
    host: str
    for _ in range(count):
        if version >= 1:
            throttle_time_ms, error_code, n = _unpack_ihh(data, position)
            position += 8
        else:
            (error_code,) = _unpack_h(data, position)
            position += 2
            throttle_time_ms = 0
        if version >= 1:
            if n < 0:
                error_message = None
            else:
                end = position + n
                error_message = str(data[position:end], "utf-8")
                position = end
        else:
            error_message = ""
        node_id, n = _unpack_ih(data, position)
        position += 6
        if n < 0:
            raise null_fault("FindCoordinatorResponse.host")
        end = position + n
        host = str(data[position:end], "utf-8")
        position = end
        (port,) = _unpack_i(data, position)
        position += 4
        items.append(
            FindCoordinatorResponse(
                throttle_time_ms, error_code, error_message, node_id, host, port, []
            )
        )
    return items, position


def _write_find_coordinator_response_classic(
    out: bytearray, items: Sequence[FindCoordinatorResponse], version: int
) -> None:
    for item in items:
        if item.coordinators:
            raise absent_fault("FindCoordinatorResponse.coordinators", version)
        if version >= 1:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        else:
            out += _pack_h(item.error_code)
        if version >= 1:
            values_error_message = item.error_message
            if values_error_message is None:
                out += b"\xff\xff"
            else:
                raw = values_error_message.encode()
                out += _pack_h(len(raw))
                out += raw
        out += _pack_i(item.node_id)
        raw = item.host.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(item.port)
