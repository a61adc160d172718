"""DescribeClusterRequest, versions 0–2 (flexible from 0).

Generated from describe_cluster.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    skip_tags,
    unknown_version,
)

_pack_obox = struct.Struct(">?b?x").pack
_pack_obx = struct.Struct(">?bx").pack
_pack_ox = struct.Struct(">?x").pack
_unpack_obc = struct.Struct(">?bB").unpack_from
_unpack_oboc = struct.Struct(">?b?B").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from


@dataclass(slots=True)
class DescribeClusterRequest(Message):
    include_cluster_authorized_operations: bool = False
    endpoint_type: int = 1
    include_fenced_brokers: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeClusterRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeClusterRequest, int]:
        try:
            if 0 <= version <= 2:
                (message,), end = _read_describe_cluster_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("DescribeClusterRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeClusterRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeClusterRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 2:
            _write_describe_cluster_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeClusterRequest has no version {version}")


def _read_describe_cluster_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeClusterRequest], int]:
    items: list[DescribeClusterRequest] = []
    for _ in range(count):
        if version >= 2:
            include_cluster_authorized_operations, endpoint_type, include_fenced_brokers, tags = (
                _unpack_oboc(data, position)
            )
            position += 4
        elif version >= 1:
            include_cluster_authorized_operations, endpoint_type, tags = _unpack_obc(data, position)
            position += 3
            include_fenced_brokers = False
        else:
            include_cluster_authorized_operations, tags = _unpack_oc(data, position)
            position += 2
            endpoint_type = 1
            include_fenced_brokers = False
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribeClusterRequest(
                include_cluster_authorized_operations, endpoint_type, include_fenced_brokers
            )
        )
    return items, position


def _write_describe_cluster_request_flexible(
    out: bytearray, items: Sequence[DescribeClusterRequest], version: int
) -> None:
    for item in items:
        if version >= 2:
            out += _pack_obox(
                item.include_cluster_authorized_operations,
                item.endpoint_type,
                item.include_fenced_brokers,
            )
        elif version >= 1:
            if item.include_fenced_brokers:
                raise absent_fault("DescribeClusterRequest.include_fenced_brokers", version)
            out += _pack_obx(item.include_cluster_authorized_operations, item.endpoint_type)
        else:
            if item.endpoint_type != 1:
                raise absent_fault("DescribeClusterRequest.endpoint_type", version)
            if item.include_fenced_brokers:
                raise absent_fault("DescribeClusterRequest.include_fenced_brokers", version)
            out += _pack_ox(item.include_cluster_authorized_operations)
