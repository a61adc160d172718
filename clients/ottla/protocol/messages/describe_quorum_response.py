"""DescribeQuorumResponse, versions 0–2 (flexible from 0).

Generated from describe_quorum.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.core.identifiers import NIL_UUID
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

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_iiq = struct.Struct(">iiq").pack
_pack_iqqqx = struct.Struct(">iqqqx").pack
_pack_iqx = struct.Struct(">iqx").pack
_pack_iuqqqx = struct.Struct(">i16sqqqx").pack
_pack_wx = struct.Struct(">Hx").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_iiqc = struct.Struct(">iiqB").unpack_from
_unpack_iqc = struct.Struct(">iqB").unpack_from
_unpack_iqqqc = struct.Struct(">iqqqB").unpack_from
_unpack_iuqqqc = struct.Struct(">i16sqqqB").unpack_from
_unpack_wc = struct.Struct(">HB").unpack_from


@dataclass(slots=True)
class ReplicaState:
    replica_id: int = 0
    replica_directory_id: bytes = NIL_UUID
    log_end_offset: int = 0
    last_fetch_timestamp: int = -1
    last_caught_up_timestamp: int = -1


@dataclass(slots=True)
class Listener:
    name: str = ""
    host: str = ""
    port: int = 0


@dataclass(slots=True)
class Node:
    node_id: int = 0
    listeners: list[Listener] = field(default_factory=list)


@dataclass(slots=True)
class PartitionData:
    partition_index: int = 0
    error_code: int = 0
    error_message: str | None = ""
    leader_id: int = 0
    leader_epoch: int = 0
    high_watermark: int = 0
    current_voters: list[ReplicaState] = field(default_factory=list)
    observers: list[ReplicaState] = field(default_factory=list)


@dataclass(slots=True)
class TopicData:
    topic_name: str = ""
    partitions: list[PartitionData] = field(default_factory=list)


@dataclass(slots=True)
class DescribeQuorumResponse(Message):
    error_code: int = 0
    error_message: str | None = ""
    topics: list[TopicData] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeQuorumResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeQuorumResponse, int]:
        try:
            if 0 <= version <= 2:
                (message,), end = _read_describe_quorum_response_flexible(data, offset, 1, version)
            else:
                raise unknown_version("DescribeQuorumResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeQuorumResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeQuorumResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 2:
            _write_describe_quorum_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeQuorumResponse has no version {version}")


def _read_describe_quorum_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeQuorumResponse], int]:
    items: list[DescribeQuorumResponse] = []
    error_message: str | None
    topics: list[TopicData]
    nodes: list[Node]
    for _ in range(count):
        if version >= 2:
            error_code, n = _unpack_hc(data, position)
            position += 3
        else:
            (error_code,) = _unpack_h(data, position)
            position += 2
        if version >= 2:
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
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribeQuorumResponse.topics")
        topics, position = _read_topic_data_flexible(data, position, n - 1, version)
        if version >= 2:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "DescribeQuorumResponse.nodes")
            nodes, position = _read_node_flexible(data, position, n - 1, version)
        else:
            nodes = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeQuorumResponse(error_code, error_message, topics, nodes))
    return items, position


def _write_describe_quorum_response_flexible(
    out: bytearray, items: Sequence[DescribeQuorumResponse], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        if version >= 2:
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
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_topic_data_flexible(out, item.topics, version)
        if version >= 2:
            n = len(item.nodes) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.nodes:
                _write_node_flexible(out, item.nodes, version)
        elif item.nodes:
            raise absent_fault("DescribeQuorumResponse.nodes", version)
        out.append(0)


def _read_topic_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicData], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicData", count)
    items: list[TopicData] = []
    topic_name: str
    partitions: list[PartitionData]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicData.topic_name")
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicData.partitions")
        partitions, position = _read_partition_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicData(topic_name, partitions))
    return items, position


def _write_topic_data_flexible(out: bytearray, items: Sequence[TopicData], version: int) -> None:
    for item in items:
        raw = item.topic_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_partition_data_flexible(out, item.partitions, version)
        out.append(0)


def _read_partition_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionData], int]:
    if position + count * 25 > len(data):
        raise count_fault("PartitionData", count)
    items: list[PartitionData] = []
    error_message: str | None
    current_voters: list[ReplicaState]
    observers: list[ReplicaState]
    for _ in range(count):
        if version >= 2:
            partition_index, error_code, n = _unpack_ihc(data, position)
            position += 7
        else:
            partition_index, error_code = _unpack_ih(data, position)
            position += 6
        if version >= 2:
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
        leader_id, leader_epoch, high_watermark, n = _unpack_iiqc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PartitionData.current_voters")
        current_voters, position = _read_replica_state_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PartitionData.observers")
        observers, position = _read_replica_state_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            PartitionData(
                partition_index,
                error_code,
                error_message,
                leader_id,
                leader_epoch,
                high_watermark,
                current_voters,
                observers,
            )
        )
    return items, position


def _write_partition_data_flexible(
    out: bytearray, items: Sequence[PartitionData], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.error_code)
        if version >= 2:
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
        out += _pack_iiq(item.leader_id, item.leader_epoch, item.high_watermark)
        n = len(item.current_voters) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.current_voters:
            _write_replica_state_flexible(out, item.current_voters, version)
        n = len(item.observers) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.observers:
            _write_replica_state_flexible(out, item.observers, version)
        out.append(0)


def _read_node_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Node], int]:
    if position + count * 6 > len(data):
        raise count_fault("Node", count)
    items: list[Node] = []
    listeners: list[Listener]
    for _ in range(count):
        node_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Node.listeners")
        listeners, position = _read_listener_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Node(node_id, listeners))
    return items, position


def _write_node_flexible(out: bytearray, items: Sequence[Node], version: int) -> None:
    for item in items:
        out += _pack_i(item.node_id)
        n = len(item.listeners) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.listeners:
            _write_listener_flexible(out, item.listeners, version)
        out.append(0)


def _read_listener_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Listener], int]:
    if position + count * 5 > len(data):
        raise count_fault("Listener", count)
    items: list[Listener] = []
    name: str
    host: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Listener.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Listener.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        port, tags = _unpack_wc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Listener(name, host, port))
    return items, position


def _write_listener_flexible(out: bytearray, items: Sequence[Listener], version: int) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_wx(item.port)


def _read_replica_state_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ReplicaState], int]:
    if position + count * 13 > len(data):
        raise count_fault("ReplicaState", count)
    items: list[ReplicaState] = []
    for _ in range(count):
        if version >= 2:
            (
                replica_id,
                replica_directory_id,
                log_end_offset,
                last_fetch_timestamp,
                last_caught_up_timestamp,
                tags,
            ) = _unpack_iuqqqc(data, position)
            position += 45
        elif version >= 1:
            replica_id, log_end_offset, last_fetch_timestamp, last_caught_up_timestamp, tags = (
                _unpack_iqqqc(data, position)
            )
            position += 29
            replica_directory_id = NIL_UUID
        else:
            replica_id, log_end_offset, tags = _unpack_iqc(data, position)
            position += 13
            replica_directory_id = NIL_UUID
            last_fetch_timestamp = -1
            last_caught_up_timestamp = -1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ReplicaState(
                replica_id,
                replica_directory_id,
                log_end_offset,
                last_fetch_timestamp,
                last_caught_up_timestamp,
            )
        )
    return items, position


def _write_replica_state_flexible(
    out: bytearray, items: Sequence[ReplicaState], version: int
) -> None:
    for item in items:
        if version >= 2:
            out += _pack_iuqqqx(
                item.replica_id,
                item.replica_directory_id,
                item.log_end_offset,
                item.last_fetch_timestamp,
                item.last_caught_up_timestamp,
            )
        elif version >= 1:
            if item.replica_directory_id != NIL_UUID:
                raise absent_fault("ReplicaState.replica_directory_id", version)
            out += _pack_iqqqx(
                item.replica_id,
                item.log_end_offset,
                item.last_fetch_timestamp,
                item.last_caught_up_timestamp,
            )
        else:
            if item.replica_directory_id != NIL_UUID:
                raise absent_fault("ReplicaState.replica_directory_id", version)
            out += _pack_iqx(item.replica_id, item.log_end_offset)
