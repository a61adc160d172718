"""DescribeClusterResponse, versions 0–2 (flexible from 0).

Generated from describe_cluster.schema by ottla.protocol.generator; do not edit.
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
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_b = struct.Struct(">b").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_ix = struct.Struct(">ix").pack
_pack_ox = struct.Struct(">?x").pack
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from


@dataclass(slots=True)
class DescribeClusterBroker:
    broker_id: int = 0
    host: str = ""
    port: int = 0
    rack: str | None = None
    is_fenced: bool = False


@dataclass(slots=True)
class DescribeClusterResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = None
    endpoint_type: int = 1
    cluster_id: str = ""
    controller_id: int = -1
    brokers: list[DescribeClusterBroker] = field(default_factory=list)
    cluster_authorized_operations: int = -2147483648

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeClusterResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeClusterResponse, int]:
        try:
            if 0 <= version <= 2:
                (message,), end = _read_describe_cluster_response_flexible(data, offset, 1, version)
            else:
                raise unknown_version("DescribeClusterResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeClusterResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeClusterResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 2:
            _write_describe_cluster_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeClusterResponse has no version {version}")


def _read_describe_cluster_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeClusterResponse], int]:
    items: list[DescribeClusterResponse] = []
    error_message: str | None
    cluster_id: str
    brokers: list[DescribeClusterBroker]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        if version >= 1:
            endpoint_type, n = _unpack_bc(data, position)
            position += 2
        else:
            n = data[position]
            position += 1
            endpoint_type = 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeClusterResponse.cluster_id")
        end = position + n - 1
        cluster_id = str(data[position:end], "utf-8")
        position = end
        controller_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeClusterResponse.brokers")
        brokers, position = _read_describe_cluster_broker_flexible(data, position, n - 1, version)
        cluster_authorized_operations, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeClusterResponse(
                throttle_time_ms,
                error_code,
                error_message,
                endpoint_type,
                cluster_id,
                controller_id,
                brokers,
                cluster_authorized_operations,
            )
        )
    return items, position


def _write_describe_cluster_response_flexible(
    out: bytearray, items: Sequence[DescribeClusterResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
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
        if version >= 1:
            out += _pack_b(item.endpoint_type)
        else:
            if item.endpoint_type != 1:
                raise absent_fault("DescribeClusterResponse.endpoint_type", version)
        raw = item.cluster_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.controller_id)
        n = len(item.brokers) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.brokers:
            _write_describe_cluster_broker_flexible(out, item.brokers, version)
        out += _pack_ix(item.cluster_authorized_operations)


def _read_describe_cluster_broker_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeClusterBroker], int]:
    if position + count * 11 > len(data):
        raise count_fault("DescribeClusterBroker", count)
    items: list[DescribeClusterBroker] = []
    host: str
    rack: str | None
    for _ in range(count):
        broker_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeClusterBroker.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        port, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            rack = None
        else:
            end = position + n - 1
            rack = str(data[position:end], "utf-8")
            position = end
        if version >= 2:
            is_fenced, tags = _unpack_oc(data, position)
            position += 2
        else:
            tags = data[position]
            position += 1
            is_fenced = False
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeClusterBroker(broker_id, host, port, rack, is_fenced))
    return items, position


def _write_describe_cluster_broker_flexible(
    out: bytearray, items: Sequence[DescribeClusterBroker], version: int
) -> None:
    for item in items:
        out += _pack_i(item.broker_id)
        raw = item.host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.port)
        values_rack = item.rack
        if values_rack is None:
            out.append(0)
        else:
            raw = values_rack.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 2:
            out += _pack_ox(item.is_fenced)
        else:
            if item.is_fenced:
                raise absent_fault("DescribeClusterBroker.is_fenced", version)
            out.append(0)
