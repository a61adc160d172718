"""ConsumerGroupHeartbeatRequest, versions 0–1 (flexible from 0).

Generated from consumer_group_heartbeat.schema by ottla.protocol.generator; do not edit.
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
    read_compact_string_array,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_int32_array,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_pack_u = struct.Struct(">16s").pack
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class TopicPartitions:
    topic_id: bytes = NIL_UUID
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ConsumerGroupHeartbeatRequest(Message):
    group_id: str = ""
    member_id: str = ""
    member_epoch: int = 0
    instance_id: str | None = None
    rack_id: str | None = None
    rebalance_timeout_ms: int = -1
    subscribed_topic_names: list[str] | None = None
    subscribed_topic_regex: str | None = None
    server_assignor: str | None = None
    topic_partitions: list[TopicPartitions] | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ConsumerGroupHeartbeatRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupHeartbeatRequest, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_consumer_group_heartbeat_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupHeartbeatRequest", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupHeartbeatRequest", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupHeartbeatRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_consumer_group_heartbeat_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupHeartbeatRequest has no version {version}")


def _read_consumer_group_heartbeat_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupHeartbeatRequest], int]:
    items: list[ConsumerGroupHeartbeatRequest] = []
    group_id: str
    member_id: str
    instance_id: str | None
    rack_id: str | None
    subscribed_topic_names: list[str] | None
    subscribed_topic_regex: str | None
    server_assignor: str | None
    topic_partitions: list[TopicPartitions] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ConsumerGroupHeartbeatRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ConsumerGroupHeartbeatRequest.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        member_epoch, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            instance_id = None
        else:
            end = position + n - 1
            instance_id = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            rack_id = None
        else:
            end = position + n - 1
            rack_id = str(data[position:end], "utf-8")
            position = end
        rebalance_timeout_ms, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            subscribed_topic_names = None
        else:
            subscribed_topic_names, position = read_compact_string_array(data, position, n - 1)
        if version >= 1:
            n = data[position]
            position += 1
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                subscribed_topic_regex = None
            else:
                end = position + n - 1
                subscribed_topic_regex = str(data[position:end], "utf-8")
                position = end
        else:
            subscribed_topic_regex = None
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            server_assignor = None
        else:
            end = position + n - 1
            server_assignor = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            topic_partitions = None
        else:
            topic_partitions, position = _read_topic_partitions_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ConsumerGroupHeartbeatRequest(
                group_id,
                member_id,
                member_epoch,
                instance_id,
                rack_id,
                rebalance_timeout_ms,
                subscribed_topic_names,
                subscribed_topic_regex,
                server_assignor,
                topic_partitions,
            )
        )
    return items, position


def _write_consumer_group_heartbeat_request_flexible(
    out: bytearray, items: Sequence[ConsumerGroupHeartbeatRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.member_epoch)
        values_instance_id = item.instance_id
        if values_instance_id is None:
            out.append(0)
        else:
            raw = values_instance_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        values_rack_id = item.rack_id
        if values_rack_id is None:
            out.append(0)
        else:
            raw = values_rack_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_i(item.rebalance_timeout_ms)
        values_subscribed_topic_names = item.subscribed_topic_names
        if values_subscribed_topic_names is None:
            out.append(0)
        else:
            n = len(values_subscribed_topic_names) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_subscribed_topic_names:
                write_compact_string_array(out, values_subscribed_topic_names)
        if version >= 1:
            values_subscribed_topic_regex = item.subscribed_topic_regex
            if values_subscribed_topic_regex is None:
                out.append(0)
            else:
                raw = values_subscribed_topic_regex.encode()
                n = len(raw) + 1
                if n < 128:
                    out.append(n)
                else:
                    write_uvarint(out, n)
                out += raw
        elif item.subscribed_topic_regex is not None:
            raise absent_fault("ConsumerGroupHeartbeatRequest.subscribed_topic_regex", version)
        values_server_assignor = item.server_assignor
        if values_server_assignor is None:
            out.append(0)
        else:
            raw = values_server_assignor.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        values_topic_partitions = item.topic_partitions
        if values_topic_partitions is None:
            out.append(0)
        else:
            n = len(values_topic_partitions) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_topic_partitions:
                _write_topic_partitions_flexible(out, values_topic_partitions, version)
        out.append(0)


def _read_topic_partitions_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicPartitions], int]:
    if position + count * 18 > len(data):
        raise count_fault("TopicPartitions", count)
    items: list[TopicPartitions] = []
    partitions: list[int]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicPartitions.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicPartitions(topic_id, partitions))
    return items, position


def _write_topic_partitions_flexible(
    out: bytearray, items: Sequence[TopicPartitions], version: int
) -> None:
    for item in items:
        out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            write_int32_array(out, item.partitions)
        out.append(0)
