"""ProduceResponse, versions 0–13 (flexible from 9).

Generated from produce.schema by ottla.protocol.generator; do not edit.
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
    read_tag,
    skip_tags,
    tag_fault,
    unknown_version,
    write_tagged,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ihq = struct.Struct(">ihq").pack
_pack_ihqq = struct.Struct(">ihqq").pack
_pack_ihqqq = struct.Struct(">ihqqq").pack
_pack_iix = struct.Struct(">iix").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihq = struct.Struct(">ihq").unpack_from
_unpack_ihqq = struct.Struct(">ihqq").unpack_from
_unpack_ihqqq = struct.Struct(">ihqqq").unpack_from
_unpack_ihqqqc = struct.Struct(">ihqqqB").unpack_from
_unpack_ihqqqi = struct.Struct(">ihqqqi").unpack_from
_unpack_iic = struct.Struct(">iiB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = 0
    host: str = ""
    port: int = 0
    rack: str | None = None


@dataclass(slots=True)
class LeaderIdAndEpoch:
    leader_id: int = -1
    leader_epoch: int = -1


@dataclass(slots=True)
class BatchIndexAndErrorMessage:
    batch_index: int = 0
    batch_index_error_message: str | None = None


@dataclass(slots=True)
class PartitionProduceResponse:
    index: int = 0
    error_code: int = 0
    base_offset: int = 0
    log_append_time_ms: int = -1
    log_start_offset: int = -1
    record_errors: list[BatchIndexAndErrorMessage] = field(default_factory=list)
    error_message: str | None = None
    current_leader: LeaderIdAndEpoch | None = None


@dataclass(slots=True)
class TopicProduceResponse:
    name: str = ""
    topic_id: bytes = NIL_UUID
    partition_responses: list[PartitionProduceResponse] = field(default_factory=list)


@dataclass(slots=True)
class ProduceResponse(Message):
    responses: list[TopicProduceResponse] = field(default_factory=list)
    throttle_time_ms: int = 0
    node_endpoints: list[NodeEndpoint] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 13
    FLEXIBLE_VERSION: ClassVar[int | None] = 9

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ProduceResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ProduceResponse, int]:
        try:
            if 9 <= version <= 13:
                (message,), end = _read_produce_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 8:
                (message,), end = _read_produce_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("ProduceResponse", version)
        except MALFORMED as error:
            raise malformed("ProduceResponse", version, error) from error
        if end > len(data):
            raise malformed("ProduceResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 9 <= version <= 13:
            _write_produce_response_flexible(out, (self,), version)
        elif 0 <= version <= 8:
            _write_produce_response_classic(out, (self,), version)
        else:
            raise ValueError(f"ProduceResponse has no version {version}")


def _read_produce_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ProduceResponse], int]:
    items: list[ProduceResponse] = []
    responses: list[TopicProduceResponse]
    node_endpoints: list[NodeEndpoint]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ProduceResponse.responses")
        responses, position = _read_topic_produce_response_flexible(data, position, n - 1, version)
        throttle_time_ms, tags = _unpack_ic(data, position)
        position += 5
        node_endpoints = []
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0 and version >= 10:
                    n = data[position]
                    position += 1
                    if not 0 < n < 128:
                        n, position = long_length(
                            data, position, n, "ProduceResponse.node_endpoints"
                        )
                    node_endpoints, position = _read_node_endpoint_flexible(
                        data, position, n - 1, version
                    )
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("ProduceResponse", tag)
        items.append(ProduceResponse(responses, throttle_time_ms, node_endpoints))
    return items, position


def _write_produce_response_flexible(
    out: bytearray, items: Sequence[ProduceResponse], version: int
) -> None:
    for item in items:
        n = len(item.responses) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.responses:
            _write_topic_produce_response_flexible(out, item.responses, version)
        out += _pack_i(item.throttle_time_ms)
        if not (version >= 10) and item.node_endpoints:
            raise absent_fault("ProduceResponse.node_endpoints", version)
        if version >= 10 and item.node_endpoints:
            out.append(1)
            content = bytearray()
            n = len(item.node_endpoints) + 1
            if n < 128:
                content.append(n)
            else:
                write_uvarint(content, n)
            if item.node_endpoints:
                _write_node_endpoint_flexible(content, item.node_endpoints, version)
            write_tagged(out, 0, content)
        else:
            out.append(0)


def _read_topic_produce_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicProduceResponse], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicProduceResponse", count)
    items: list[TopicProduceResponse] = []
    name: str
    partition_responses: list[PartitionProduceResponse]
    for _ in range(count):
        if version <= 12:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "TopicProduceResponse.name")
            end = position + n - 1
            name = str(data[position:end], "utf-8")
            position = end
        else:
            name = ""
        if version >= 13:
            topic_id, n = _unpack_uc(data, position)
            position += 17
        else:
            n = data[position]
            position += 1
            topic_id = NIL_UUID
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicProduceResponse.partition_responses")
        partition_responses, position = _read_partition_produce_response_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicProduceResponse(name, topic_id, partition_responses))
    return items, position


def _write_topic_produce_response_flexible(
    out: bytearray, items: Sequence[TopicProduceResponse], version: int
) -> None:
    for item in items:
        if version <= 12:
            raw = item.name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 13:
            out += _pack_u(item.topic_id)
        n = len(item.partition_responses) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partition_responses:
            _write_partition_produce_response_flexible(out, item.partition_responses, version)
        out.append(0)


def _read_partition_produce_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionProduceResponse], int]:
    if position + count * 33 > len(data):
        raise count_fault("PartitionProduceResponse", count)
    items: list[PartitionProduceResponse] = []
    record_errors: list[BatchIndexAndErrorMessage]
    error_message: str | None
    current_leader: LeaderIdAndEpoch | None
    for _ in range(count):
        index, error_code, base_offset, log_append_time_ms, log_start_offset, n = _unpack_ihqqqc(
            data, position
        )
        position += 31
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PartitionProduceResponse.record_errors")
        record_errors, position = _read_batch_index_and_error_message_flexible(
            data, position, n - 1, version
        )
        n = data[position]
        position += 1
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
        current_leader = None
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0 and version >= 10:
                    (current_leader,), position = _read_leader_id_and_epoch_flexible(
                        data, position, 1, version
                    )
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("PartitionProduceResponse", tag)
        items.append(
            PartitionProduceResponse(
                index,
                error_code,
                base_offset,
                log_append_time_ms,
                log_start_offset,
                record_errors,
                error_message,
                current_leader,
            )
        )
    return items, position


def _write_partition_produce_response_flexible(
    out: bytearray, items: Sequence[PartitionProduceResponse], version: int
) -> None:
    for item in items:
        out += _pack_ihqqq(
            item.index,
            item.error_code,
            item.base_offset,
            item.log_append_time_ms,
            item.log_start_offset,
        )
        n = len(item.record_errors) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.record_errors:
            _write_batch_index_and_error_message_flexible(out, item.record_errors, version)
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
        if not (version >= 10) and item.current_leader is not None:
            raise absent_fault("PartitionProduceResponse.current_leader", version)
        if version >= 10 and item.current_leader is not None:
            out.append(1)
            content = bytearray()
            _write_leader_id_and_epoch_flexible(content, (item.current_leader,), version)
            write_tagged(out, 0, content)
        else:
            out.append(0)


def _read_batch_index_and_error_message_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[BatchIndexAndErrorMessage], int]:
    if position + count * 6 > len(data):
        raise count_fault("BatchIndexAndErrorMessage", count)
    items: list[BatchIndexAndErrorMessage] = []
    batch_index_error_message: str | None
    for _ in range(count):
        batch_index, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            batch_index_error_message = None
        else:
            end = position + n - 1
            batch_index_error_message = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(BatchIndexAndErrorMessage(batch_index, batch_index_error_message))
    return items, position


def _write_batch_index_and_error_message_flexible(
    out: bytearray, items: Sequence[BatchIndexAndErrorMessage], version: int
) -> None:
    for item in items:
        out += _pack_i(item.batch_index)
        values_batch_index_error_message = item.batch_index_error_message
        if values_batch_index_error_message is None:
            out.append(0)
        else:
            raw = values_batch_index_error_message.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
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


def _read_produce_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ProduceResponse], int]:
    items: list[ProduceResponse] = []
    responses: list[TopicProduceResponse]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("ProduceResponse.responses")
        responses, position = _read_topic_produce_response_classic(data, position, n, version)
        if version >= 1:
            (throttle_time_ms,) = _unpack_i(data, position)
            position += 4
        else:
            throttle_time_ms = 0
        items.append(ProduceResponse(responses, throttle_time_ms, []))
    return items, position


def _write_produce_response_classic(
    out: bytearray, items: Sequence[ProduceResponse], version: int
) -> None:
    for item in items:
        if item.node_endpoints:
            raise absent_fault("ProduceResponse.node_endpoints", version)
        out += _pack_i(len(item.responses))
        if item.responses:
            _write_topic_produce_response_classic(out, item.responses, version)
        if version >= 1:
            out += _pack_i(item.throttle_time_ms)


def _read_topic_produce_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicProduceResponse], int]:
    if position + count * 6 > len(data):
        raise count_fault("TopicProduceResponse", count)
    items: list[TopicProduceResponse] = []
    name: str
    partition_responses: list[PartitionProduceResponse]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TopicProduceResponse.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("TopicProduceResponse.partition_responses")
        partition_responses, position = _read_partition_produce_response_classic(
            data, position, n, version
        )
        items.append(TopicProduceResponse(name, NIL_UUID, partition_responses))
    return items, position


def _write_topic_produce_response_classic(
    out: bytearray, items: Sequence[TopicProduceResponse], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partition_responses))
        if item.partition_responses:
            _write_partition_produce_response_classic(out, item.partition_responses, version)


def _read_partition_produce_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionProduceResponse], int]:
    if position + count * 14 > len(data):
        raise count_fault("PartitionProduceResponse", count)
    items: list[PartitionProduceResponse] = []
    record_errors: list[BatchIndexAndErrorMessage]
    error_message: str | None
    for _ in range(count):
        if version >= 8:
            index, error_code, base_offset, log_append_time_ms, log_start_offset, n = (
                _unpack_ihqqqi(data, position)
            )
            position += 34
        elif version >= 5:
            index, error_code, base_offset, log_append_time_ms, log_start_offset = _unpack_ihqqq(
                data, position
            )
            position += 30
        elif version >= 2:
            index, error_code, base_offset, log_append_time_ms = _unpack_ihqq(data, position)
            position += 22
            log_start_offset = -1
        else:
            index, error_code, base_offset = _unpack_ihq(data, position)
            position += 14
            log_append_time_ms = -1
            log_start_offset = -1
        if version >= 8:
            if n < 0:
                raise null_fault("PartitionProduceResponse.record_errors")
            record_errors, position = _read_batch_index_and_error_message_classic(
                data, position, n, version
            )
        else:
            record_errors = []
        if version >= 8:
            (n,) = _unpack_h(data, position)
            position += 2
            if n < 0:
                error_message = None
            else:
                end = position + n
                error_message = str(data[position:end], "utf-8")
                position = end
        else:
            error_message = None
        items.append(
            PartitionProduceResponse(
                index,
                error_code,
                base_offset,
                log_append_time_ms,
                log_start_offset,
                record_errors,
                error_message,
                None,
            )
        )
    return items, position


def _write_partition_produce_response_classic(
    out: bytearray, items: Sequence[PartitionProduceResponse], version: int
) -> None:
    for item in items:
        if item.current_leader is not None:
            raise absent_fault("PartitionProduceResponse.current_leader", version)
        if version >= 5:
            out += _pack_ihqqq(
                item.index,
                item.error_code,
                item.base_offset,
                item.log_append_time_ms,
                item.log_start_offset,
            )
        elif version >= 2:
            out += _pack_ihqq(
                item.index, item.error_code, item.base_offset, item.log_append_time_ms
            )
        else:
            out += _pack_ihq(item.index, item.error_code, item.base_offset)
        if version >= 8:
            out += _pack_i(len(item.record_errors))
            if item.record_errors:
                _write_batch_index_and_error_message_classic(out, item.record_errors, version)
        if version >= 8:
            values_error_message = item.error_message
            if values_error_message is None:
                out += b"\xff\xff"
            else:
                raw = values_error_message.encode()
                out += _pack_h(len(raw))
                out += raw


def _read_batch_index_and_error_message_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[BatchIndexAndErrorMessage], int]:
    if position + count * 6 > len(data):
        raise count_fault("BatchIndexAndErrorMessage", count)
    items: list[BatchIndexAndErrorMessage] = []
    batch_index_error_message: str | None
    for _ in range(count):
        batch_index, n = _unpack_ih(data, position)
        position += 6
        if n < 0:
            batch_index_error_message = None
        else:
            end = position + n
            batch_index_error_message = str(data[position:end], "utf-8")
            position = end
        items.append(BatchIndexAndErrorMessage(batch_index, batch_index_error_message))
    return items, position


def _write_batch_index_and_error_message_classic(
    out: bytearray, items: Sequence[BatchIndexAndErrorMessage], version: int
) -> None:
    for item in items:
        out += _pack_i(item.batch_index)
        values_batch_index_error_message = item.batch_index_error_message
        if values_batch_index_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_batch_index_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
