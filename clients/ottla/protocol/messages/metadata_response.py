"""MetadataResponse, versions 0–13 (flexible from 9).

Generated from metadata.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    null_value_fault,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_hii = struct.Struct(">hii").pack
_pack_hiii = struct.Struct(">hiii").pack
_pack_hx = struct.Struct(">hx").pack
_pack_i = struct.Struct(">i").pack
_pack_ix = struct.Struct(">ix").pack
_pack_o = struct.Struct(">?").pack
_pack_uo = struct.Struct(">16s?").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_hiii = struct.Struct(">hiii").unpack_from
_unpack_hiiic = struct.Struct(">hiiiB").unpack_from
_unpack_hiiii = struct.Struct(">hiiii").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from
_unpack_oi = struct.Struct(">?i").unpack_from
_unpack_uoc = struct.Struct(">16s?B").unpack_from


@dataclass(slots=True)
class MetadataResponsePartition:
    error_code: int = 0
    partition_index: int = 0
    leader_id: int = 0
    leader_epoch: int = -1
    replica_nodes: list[int] = field(default_factory=list)
    isr_nodes: list[int] = field(default_factory=list)
    offline_replicas: list[int] = field(default_factory=list)


@dataclass(slots=True)
class MetadataResponseTopic:
    error_code: int = 0
    name: str | None = ""
    topic_id: bytes = NIL_UUID
    is_internal: bool = False
    partitions: list[MetadataResponsePartition] = field(default_factory=list)
    topic_authorized_operations: int = -2147483648


@dataclass(slots=True)
class MetadataResponseBroker:
    node_id: int = 0
    host: str = ""
    port: int = 0
    rack: str | None = None


@dataclass(slots=True)
class MetadataResponse(Message):
    throttle_time_ms: int = 0
    brokers: list[MetadataResponseBroker] = field(default_factory=list)
    cluster_id: str | None = None
    controller_id: int = -1
    topics: list[MetadataResponseTopic] = field(default_factory=list)
    cluster_authorized_operations: int = -2147483648
    error_code: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 13
    FLEXIBLE_VERSION: ClassVar[int | None] = 9

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> MetadataResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[MetadataResponse, int]:
        try:
            if 9 <= version <= 13:
                (message,), end = _read_metadata_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 8:
                (message,), end = _read_metadata_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("MetadataResponse", version)
        except MALFORMED as error:
            raise malformed("MetadataResponse", version, error) from error
        if end > len(data):
            raise malformed("MetadataResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 9 <= version <= 13:
            _write_metadata_response_flexible(out, (self,), version)
        elif 0 <= version <= 8:
            _write_metadata_response_classic(out, (self,), version)
        else:
            raise ValueError(f"MetadataResponse has no version {version}")


def _read_metadata_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataResponse], int]:
    items: list[MetadataResponse] = []
    brokers: list[MetadataResponseBroker]
    cluster_id: str | None
    topics: list[MetadataResponseTopic]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MetadataResponse.brokers")
        brokers, position = _read_metadata_response_broker_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            cluster_id = None
        else:
            end = position + n - 1
            cluster_id = str(data[position:end], "utf-8")
            position = end
        controller_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MetadataResponse.topics")
        topics, position = _read_metadata_response_topic_flexible(data, position, n - 1, version)
        if version >= 13:
            error_code, tags = _unpack_hc(data, position)
            position += 3
            cluster_authorized_operations = -2147483648
        elif version >= 11:
            tags = data[position]
            position += 1
            cluster_authorized_operations = -2147483648
            error_code = 0
        else:
            cluster_authorized_operations, tags = _unpack_ic(data, position)
            position += 5
            error_code = 0
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            MetadataResponse(
                throttle_time_ms,
                brokers,
                cluster_id,
                controller_id,
                topics,
                cluster_authorized_operations,
                error_code,
            )
        )
    return items, position


def _write_metadata_response_flexible(
    out: bytearray, items: Sequence[MetadataResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.brokers) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.brokers:
            _write_metadata_response_broker_flexible(out, item.brokers, version)
        values_cluster_id = item.cluster_id
        if values_cluster_id is None:
            out.append(0)
        else:
            raw = values_cluster_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_i(item.controller_id)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_metadata_response_topic_flexible(out, item.topics, version)
        if version >= 13:
            if item.cluster_authorized_operations != -2147483648:
                raise absent_fault("MetadataResponse.cluster_authorized_operations", version)
            out += _pack_hx(item.error_code)
        elif version >= 11:
            if item.cluster_authorized_operations != -2147483648:
                raise absent_fault("MetadataResponse.cluster_authorized_operations", version)
            out.append(0)
        else:
            out += _pack_ix(item.cluster_authorized_operations)


def _read_metadata_response_broker_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataResponseBroker], int]:
    if position + count * 11 > len(data):
        raise count_fault("MetadataResponseBroker", count)
    items: list[MetadataResponseBroker] = []
    host: str
    rack: str | None
    for _ in range(count):
        node_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MetadataResponseBroker.host")
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
        items.append(MetadataResponseBroker(node_id, host, port, rack))
    return items, position


def _write_metadata_response_broker_flexible(
    out: bytearray, items: Sequence[MetadataResponseBroker], version: int
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


def _read_metadata_response_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataResponseTopic], int]:
    if position + count * 10 > len(data):
        raise count_fault("MetadataResponseTopic", count)
    items: list[MetadataResponseTopic] = []
    name: str | None
    partitions: list[MetadataResponsePartition]
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            if not (version >= 12):
                raise null_fault("MetadataResponseTopic.name")
            name = None
        else:
            end = position + n - 1
            name = str(data[position:end], "utf-8")
            position = end
        if version >= 10:
            topic_id, is_internal, n = _unpack_uoc(data, position)
            position += 18
        else:
            is_internal, n = _unpack_oc(data, position)
            position += 2
            topic_id = NIL_UUID
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MetadataResponseTopic.partitions")
        partitions, position = _read_metadata_response_partition_flexible(
            data, position, n - 1, version
        )
        topic_authorized_operations, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            MetadataResponseTopic(
                error_code, name, topic_id, is_internal, partitions, topic_authorized_operations
            )
        )
    return items, position


def _write_metadata_response_topic_flexible(
    out: bytearray, items: Sequence[MetadataResponseTopic], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_name = item.name
        if values_name is None:
            if not (version >= 12):
                raise null_value_fault("MetadataResponseTopic.name", version)
            out.append(0)
        else:
            raw = values_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 10:
            out += _pack_uo(item.topic_id, item.is_internal)
        else:
            out += _pack_o(item.is_internal)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_metadata_response_partition_flexible(out, item.partitions, version)
        out += _pack_ix(item.topic_authorized_operations)


def _read_metadata_response_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataResponsePartition], int]:
    if position + count * 18 > len(data):
        raise count_fault("MetadataResponsePartition", count)
    items: list[MetadataResponsePartition] = []
    replica_nodes: list[int]
    isr_nodes: list[int]
    offline_replicas: list[int]
    for _ in range(count):
        error_code, partition_index, leader_id, leader_epoch, n = _unpack_hiiic(data, position)
        position += 15
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MetadataResponsePartition.replica_nodes")
        replica_nodes, position = read_int32_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "MetadataResponsePartition.isr_nodes")
        isr_nodes, position = read_int32_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "MetadataResponsePartition.offline_replicas"
            )
        offline_replicas, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            MetadataResponsePartition(
                error_code,
                partition_index,
                leader_id,
                leader_epoch,
                replica_nodes,
                isr_nodes,
                offline_replicas,
            )
        )
    return items, position


def _write_metadata_response_partition_flexible(
    out: bytearray, items: Sequence[MetadataResponsePartition], version: int
) -> None:
    for item in items:
        out += _pack_hiii(item.error_code, item.partition_index, item.leader_id, item.leader_epoch)
        n = len(item.replica_nodes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.replica_nodes:
            write_int32_array(out, item.replica_nodes)
        n = len(item.isr_nodes) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.isr_nodes:
            write_int32_array(out, item.isr_nodes)
        n = len(item.offline_replicas) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.offline_replicas:
            write_int32_array(out, item.offline_replicas)
        out.append(0)


def _read_metadata_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataResponse], int]:
    items: list[MetadataResponse] = []
    brokers: list[MetadataResponseBroker]
    cluster_id: str | None
    topics: list[MetadataResponseTopic]
    for _ in range(count):
        if version >= 3:
            throttle_time_ms, n = _unpack_ii(data, position)
            position += 8
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            throttle_time_ms = 0
        if n < 0:
            raise null_fault("MetadataResponse.brokers")
        brokers, position = _read_metadata_response_broker_classic(data, position, n, version)
        if version >= 2:
            (n,) = _unpack_h(data, position)
            position += 2
            if n < 0:
                cluster_id = None
            else:
                end = position + n
                cluster_id = str(data[position:end], "utf-8")
                position = end
        else:
            cluster_id = None
        if version >= 1:
            controller_id, n = _unpack_ii(data, position)
            position += 8
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            controller_id = -1
        if n < 0:
            raise null_fault("MetadataResponse.topics")
        topics, position = _read_metadata_response_topic_classic(data, position, n, version)
        if version >= 8:
            (cluster_authorized_operations,) = _unpack_i(data, position)
            position += 4
        else:
            cluster_authorized_operations = -2147483648
        items.append(
            MetadataResponse(
                throttle_time_ms,
                brokers,
                cluster_id,
                controller_id,
                topics,
                cluster_authorized_operations,
                0,
            )
        )
    return items, position


def _write_metadata_response_classic(
    out: bytearray, items: Sequence[MetadataResponse], version: int
) -> None:
    for item in items:
        if version >= 3:
            out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.brokers))
        if item.brokers:
            _write_metadata_response_broker_classic(out, item.brokers, version)
        if version >= 2:
            values_cluster_id = item.cluster_id
            if values_cluster_id is None:
                out += b"\xff\xff"
            else:
                raw = values_cluster_id.encode()
                out += _pack_h(len(raw))
                out += raw
        if version >= 1:
            out += _pack_i(item.controller_id)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_metadata_response_topic_classic(out, item.topics, version)
        if version >= 8:
            out += _pack_i(item.cluster_authorized_operations)
        else:
            if item.cluster_authorized_operations != -2147483648:
                raise absent_fault("MetadataResponse.cluster_authorized_operations", version)


def _read_metadata_response_broker_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataResponseBroker], int]:
    if position + count * 10 > len(data):
        raise count_fault("MetadataResponseBroker", count)
    items: list[MetadataResponseBroker] = []
    host: str
    rack: str | None
    for _ in range(count):
        node_id, n = _unpack_ih(data, position)
        position += 6
        if n < 0:
            raise null_fault("MetadataResponseBroker.host")
        end = position + n
        host = str(data[position:end], "utf-8")
        position = end
        if version >= 1:
            port, n = _unpack_ih(data, position)
            position += 6
        else:
            (port,) = _unpack_i(data, position)
            position += 4
        if version >= 1:
            if n < 0:
                rack = None
            else:
                end = position + n
                rack = str(data[position:end], "utf-8")
                position = end
        else:
            rack = None
        items.append(MetadataResponseBroker(node_id, host, port, rack))
    return items, position


def _write_metadata_response_broker_classic(
    out: bytearray, items: Sequence[MetadataResponseBroker], version: int
) -> None:
    for item in items:
        out += _pack_i(item.node_id)
        raw = item.host.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(item.port)
        if version >= 1:
            values_rack = item.rack
            if values_rack is None:
                out += b"\xff\xff"
            else:
                raw = values_rack.encode()
                out += _pack_h(len(raw))
                out += raw


def _read_metadata_response_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataResponseTopic], int]:
    if position + count * 8 > len(data):
        raise count_fault("MetadataResponseTopic", count)
    items: list[MetadataResponseTopic] = []
    name: str | None
    partitions: list[MetadataResponsePartition]
    for _ in range(count):
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            if not (version >= 12):
                raise null_fault("MetadataResponseTopic.name")
            name = None
        else:
            end = position + n
            name = str(data[position:end], "utf-8")
            position = end
        if version >= 1:
            is_internal, n = _unpack_oi(data, position)
            position += 5
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            is_internal = False
        if n < 0:
            raise null_fault("MetadataResponseTopic.partitions")
        partitions, position = _read_metadata_response_partition_classic(data, position, n, version)
        if version >= 8:
            (topic_authorized_operations,) = _unpack_i(data, position)
            position += 4
        else:
            topic_authorized_operations = -2147483648
        items.append(
            MetadataResponseTopic(
                error_code, name, NIL_UUID, is_internal, partitions, topic_authorized_operations
            )
        )
    return items, position


def _write_metadata_response_topic_classic(
    out: bytearray, items: Sequence[MetadataResponseTopic], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        values_name = item.name
        if values_name is None:
            if not (version >= 12):
                raise null_value_fault("MetadataResponseTopic.name", version)
            out += b"\xff\xff"
        else:
            raw = values_name.encode()
            out += _pack_h(len(raw))
            out += raw
        if version >= 1:
            out += _pack_o(item.is_internal)
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_metadata_response_partition_classic(out, item.partitions, version)
        if version >= 8:
            out += _pack_i(item.topic_authorized_operations)
        else:
            if item.topic_authorized_operations != -2147483648:
                raise absent_fault("MetadataResponseTopic.topic_authorized_operations", version)


def _read_metadata_response_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[MetadataResponsePartition], int]:
    if position + count * 18 > len(data):
        raise count_fault("MetadataResponsePartition", count)
    items: list[MetadataResponsePartition] = []
    replica_nodes: list[int]
    isr_nodes: list[int]
    offline_replicas: list[int]
    for _ in range(count):
        if version >= 7:
            error_code, partition_index, leader_id, leader_epoch, n = _unpack_hiiii(data, position)
            position += 18
        else:
            error_code, partition_index, leader_id, n = _unpack_hiii(data, position)
            position += 14
            leader_epoch = -1
        if n < 0:
            raise null_fault("MetadataResponsePartition.replica_nodes")
        replica_nodes, position = read_int32_array(data, position, n)
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("MetadataResponsePartition.isr_nodes")
        isr_nodes, position = read_int32_array(data, position, n)
        if version >= 5:
            (n,) = _unpack_i(data, position)
            position += 4
            if n < 0:
                raise null_fault("MetadataResponsePartition.offline_replicas")
            offline_replicas, position = read_int32_array(data, position, n)
        else:
            offline_replicas = []
        items.append(
            MetadataResponsePartition(
                error_code,
                partition_index,
                leader_id,
                leader_epoch,
                replica_nodes,
                isr_nodes,
                offline_replicas,
            )
        )
    return items, position


def _write_metadata_response_partition_classic(
    out: bytearray, items: Sequence[MetadataResponsePartition], version: int
) -> None:
    for item in items:
        if version >= 7:
            out += _pack_hiii(
                item.error_code, item.partition_index, item.leader_id, item.leader_epoch
            )
        else:
            out += _pack_hii(item.error_code, item.partition_index, item.leader_id)
        out += _pack_i(len(item.replica_nodes))
        if item.replica_nodes:
            write_int32_array(out, item.replica_nodes)
        out += _pack_i(len(item.isr_nodes))
        if item.isr_nodes:
            write_int32_array(out, item.isr_nodes)
        if version >= 5:
            out += _pack_i(len(item.offline_replicas))
            if item.offline_replicas:
                write_int32_array(out, item.offline_replicas)
