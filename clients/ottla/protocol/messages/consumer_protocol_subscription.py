"""ConsumerProtocolSubscription, versions 0–3 (none is flexible).

Generated from consumer_protocol.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    count_fault,
    malformed,
    null_fault,
    read_int32_array,
    read_string_array,
    unknown_version,
    write_int32_array,
    write_string_array,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from


@dataclass(slots=True)
class TopicPartition:
    topic: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ConsumerProtocolSubscription(Message):
    topics: list[str] = field(default_factory=list)
    user_data: bytes | None = None
    owned_partitions: list[TopicPartition] = field(default_factory=list)
    generation_id: int = -1
    rack_id: str | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 3
    FLEXIBLE_VERSION: ClassVar[int | None] = None

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ConsumerProtocolSubscription:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerProtocolSubscription, int]:
        try:
            if 0 <= version <= 3:
                (message,), end = _read_consumer_protocol_subscription_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerProtocolSubscription", version)
        except MALFORMED as error:
            raise malformed("ConsumerProtocolSubscription", version, error) from error
        if end > len(data):
            raise malformed("ConsumerProtocolSubscription", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 3:
            _write_consumer_protocol_subscription_classic(out, (self,), version)
        else:
            raise ValueError(f"ConsumerProtocolSubscription has no version {version}")


def _read_consumer_protocol_subscription_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerProtocolSubscription], int]:
    items: list[ConsumerProtocolSubscription] = []
    topics: list[str]
    user_data: bytes | None
    owned_partitions: list[TopicPartition]
    rack_id: str | None
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("ConsumerProtocolSubscription.topics")
        topics, position = read_string_array(data, position, n)
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            user_data = None
        else:
            end = position + n
            user_data = bytes(data[position:end])
            position = end
        if version >= 1:
            (n,) = _unpack_i(data, position)
            position += 4
            if n < 0:
                raise null_fault("ConsumerProtocolSubscription.owned_partitions")
            owned_partitions, position = _read_topic_partition_classic(data, position, n, version)
        else:
            owned_partitions = []
        if version >= 3:
            generation_id, n = _unpack_ih(data, position)
            position += 6
        elif version >= 2:
            (generation_id,) = _unpack_i(data, position)
            position += 4
        else:
            generation_id = -1
        if version >= 3:
            if n < 0:
                rack_id = None
            else:
                end = position + n
                rack_id = str(data[position:end], "utf-8")
                position = end
        else:
            rack_id = None
        items.append(
            ConsumerProtocolSubscription(
                topics, user_data, owned_partitions, generation_id, rack_id
            )
        )
    return items, position


def _write_consumer_protocol_subscription_classic(
    out: bytearray, items: Sequence[ConsumerProtocolSubscription], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.topics))
        if item.topics:
            write_string_array(out, item.topics)
        values_user_data = item.user_data
        if values_user_data is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_user_data))
            out += values_user_data
        if version >= 1:
            out += _pack_i(len(item.owned_partitions))
            if item.owned_partitions:
                _write_topic_partition_classic(out, item.owned_partitions, version)
        if version >= 2:
            out += _pack_i(item.generation_id)
        if version >= 3:
            values_rack_id = item.rack_id
            if values_rack_id is None:
                out += b"\xff\xff"
            else:
                raw = values_rack_id.encode()
                out += _pack_h(len(raw))
                out += raw


def _read_topic_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicPartition], int]:
    if position + count * 6 > len(data):
        raise count_fault("TopicPartition", count)
    items: list[TopicPartition] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TopicPartition.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("TopicPartition.partitions")
        partitions, position = read_int32_array(data, position, n)
        items.append(TopicPartition(topic, partitions))
    return items, position


def _write_topic_partition_classic(
    out: bytearray, items: Sequence[TopicPartition], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            write_int32_array(out, item.partitions)
