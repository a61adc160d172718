"""ShareFetchResponse, versions 1–2 (flexible from 1).

Generated from share_fetch.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.core.identifiers import NIL_UUID
from ottla.protocol.message import Buffer, Message
from ottla.protocol.parts import Part, RecordsSource
from ottla.protocol.wire import (
    MALFORMED,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    skip_tags,
    unknown_version,
    write_compact_records,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_iix = struct.Struct(">iix").pack
_pack_qqhx = struct.Struct(">qqhx").pack
_pack_u = struct.Struct(">16s").pack
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_iic = struct.Struct(">iiB").unpack_from
_unpack_qqhc = struct.Struct(">qqhB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = 0
    host: str = ""
    port: int = 0
    rack: str | None = None


@dataclass(slots=True)
class AcquiredRecords:
    first_offset: int = 0
    last_offset: int = 0
    delivery_count: int = 0


@dataclass(slots=True)
class LeaderIdAndEpoch:
    leader_id: int = 0
    leader_epoch: int = 0


@dataclass(slots=True)
class PartitionData:
    partition_index: int = 0
    error_code: int = 0
    error_message: str | None = None
    acknowledge_error_code: int = 0
    acknowledge_error_message: str | None = None
    current_leader: LeaderIdAndEpoch = field(default_factory=LeaderIdAndEpoch)
    records: Buffer | RecordsSource = b""
    acquired_records: list[AcquiredRecords] = field(default_factory=list)


@dataclass(slots=True)
class ShareFetchableTopicResponse:
    topic_id: bytes = NIL_UUID
    partitions: list[PartitionData] = field(default_factory=list)


@dataclass(slots=True)
class ShareFetchResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = None
    acquisition_lock_timeout_ms: int = 0
    responses: list[ShareFetchableTopicResponse] = field(default_factory=list)
    node_endpoints: list[NodeEndpoint] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ShareFetchResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ShareFetchResponse, int]:
        try:
            if 1 <= version <= 2:
                (message,), end = _read_share_fetch_response_flexible(data, offset, 1, version)
            else:
                raise unknown_version("ShareFetchResponse", version)
        except MALFORMED as error:
            raise malformed("ShareFetchResponse", version, error) from error
        if end > len(data):
            raise malformed("ShareFetchResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 1 <= version <= 2:
            _write_share_fetch_response_flexible(out, (self,), version, None)
        else:
            raise ValueError(f"ShareFetchResponse has no version {version}")

    def encode_parts(self, version: int) -> list[Part]:
        out = bytearray()
        parts: list[Part] = []
        if 1 <= version <= 2:
            _write_share_fetch_response_flexible(out, (self,), version, parts)
        else:
            raise ValueError(f"ShareFetchResponse has no version {version}")
        if out:
            parts.append(bytes(out))
        return parts


def _read_share_fetch_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ShareFetchResponse], int]:
    items: list[ShareFetchResponse] = []
    error_message: str | None
    responses: list[ShareFetchableTopicResponse]
    node_endpoints: list[NodeEndpoint]
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
        acquisition_lock_timeout_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareFetchResponse.responses")
        responses, position = _read_share_fetchable_topic_response_flexible(
            data, position, n - 1, version
        )
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareFetchResponse.node_endpoints")
        node_endpoints, position = _read_node_endpoint_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ShareFetchResponse(
                throttle_time_ms,
                error_code,
                error_message,
                acquisition_lock_timeout_ms,
                responses,
                node_endpoints,
            )
        )
    return items, position


def _write_share_fetch_response_flexible(
    out: bytearray, items: Sequence[ShareFetchResponse], version: int, parts: list[Part] | None
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
        out += _pack_i(item.acquisition_lock_timeout_ms)
        n = len(item.responses) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.responses:
            _write_share_fetchable_topic_response_flexible(out, item.responses, version, parts)
        n = len(item.node_endpoints) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.node_endpoints:
            _write_node_endpoint_flexible(out, item.node_endpoints, version)
        out.append(0)


def _read_share_fetchable_topic_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ShareFetchableTopicResponse], int]:
    if position + count * 18 > len(data):
        raise count_fault("ShareFetchableTopicResponse", count)
    items: list[ShareFetchableTopicResponse] = []
    partitions: list[PartitionData]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareFetchableTopicResponse.partitions")
        partitions, position = _read_partition_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ShareFetchableTopicResponse(topic_id, partitions))
    return items, position


def _write_share_fetchable_topic_response_flexible(
    out: bytearray,
    items: Sequence[ShareFetchableTopicResponse],
    version: int,
    parts: list[Part] | None,
) -> None:
    for item in items:
        out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_partition_data_flexible(out, item.partitions, version, parts)
        out.append(0)


def _read_partition_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionData], int]:
    if position + count * 22 > len(data):
        raise count_fault("PartitionData", count)
    items: list[PartitionData] = []
    error_message: str | None
    acknowledge_error_message: str | None
    current_leader: LeaderIdAndEpoch
    records: Buffer
    acquired_records: list[AcquiredRecords]
    for _ in range(count):
        partition_index, error_code, n = _unpack_ihc(data, position)
        position += 7
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        acknowledge_error_code, n = _unpack_hc(data, position)
        position += 3
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            acknowledge_error_message = None
        else:
            end = position + n - 1
            acknowledge_error_message = str(data[position:end], "utf-8")
            position = end
        (current_leader,), position = _read_leader_id_and_epoch_flexible(data, position, 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PartitionData.records")
        end = position + n - 1
        records = memoryview(data)[position:end]
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PartitionData.acquired_records")
        acquired_records, position = _read_acquired_records_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            PartitionData(
                partition_index,
                error_code,
                error_message,
                acknowledge_error_code,
                acknowledge_error_message,
                current_leader,
                records,
                acquired_records,
            )
        )
    return items, position


def _write_partition_data_flexible(
    out: bytearray, items: Sequence[PartitionData], version: int, parts: list[Part] | None
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.error_code)
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
        out += _pack_h(item.acknowledge_error_code)
        values_acknowledge_error_message = item.acknowledge_error_message
        if values_acknowledge_error_message is None:
            out.append(0)
        else:
            raw = values_acknowledge_error_message.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        _write_leader_id_and_epoch_flexible(out, (item.current_leader,), version)
        write_compact_records(out, item.records, parts)
        n = len(item.acquired_records) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.acquired_records:
            _write_acquired_records_flexible(out, item.acquired_records, version)
        out.append(0)


def _read_leader_id_and_epoch_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[LeaderIdAndEpoch], int]:
    if position + count * 9 > len(data):
        raise count_fault("LeaderIdAndEpoch", count)
    items: list[LeaderIdAndEpoch] = []
    for _ in range(count):
        leader_id, leader_epoch, tags = _unpack_iic(data, position)
        position += 9
        if tags:
            position = skip_tags(data, position, tags)
        items.append(LeaderIdAndEpoch(leader_id, leader_epoch))
    return items, position


def _write_leader_id_and_epoch_flexible(
    out: bytearray, items: Sequence[LeaderIdAndEpoch], version: int
) -> None:
    for item in items:
        out += _pack_iix(item.leader_id, item.leader_epoch)


def _read_acquired_records_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AcquiredRecords], int]:
    if position + count * 19 > len(data):
        raise count_fault("AcquiredRecords", count)
    items: list[AcquiredRecords] = []
    for _ in range(count):
        first_offset, last_offset, delivery_count, tags = _unpack_qqhc(data, position)
        position += 19
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AcquiredRecords(first_offset, last_offset, delivery_count))
    return items, position


def _write_acquired_records_flexible(
    out: bytearray, items: Sequence[AcquiredRecords], version: int
) -> None:
    for item in items:
        out += _pack_qqhx(item.first_offset, item.last_offset, item.delivery_count)


def _read_node_endpoint_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[NodeEndpoint], int]:
    if position + count * 11 > len(data):
        raise count_fault("NodeEndpoint", count)
    items: list[NodeEndpoint] = []
    host: str
    rack: str | None
    for _ in range(count):
        node_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "NodeEndpoint.host")
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
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(NodeEndpoint(node_id, host, port, rack))
    return items, position


def _write_node_endpoint_flexible(
    out: bytearray, items: Sequence[NodeEndpoint], version: int
) -> None:
    for item in items:
        out += _pack_i(item.node_id)
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
        out.append(0)
