"""ShareAcknowledgeRequest, versions 1–2 (flexible from 1).

Generated from share_acknowledge.schema by ottla.protocol.generator; do not edit.
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
    read_int8_array,
    skip_tags,
    unknown_version,
    write_int8_array,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_pack_io = struct.Struct(">i?").pack
_pack_qq = struct.Struct(">qq").pack
_pack_u = struct.Struct(">16s").pack
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ioc = struct.Struct(">i?B").unpack_from
_unpack_qqc = struct.Struct(">qqB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class AcknowledgementBatch:
    first_offset: int = 0
    last_offset: int = 0
    acknowledge_types: list[int] = field(default_factory=list)


@dataclass(slots=True)
class AcknowledgePartition:
    partition_index: int = 0
    acknowledgement_batches: list[AcknowledgementBatch] = field(default_factory=list)


@dataclass(slots=True)
class AcknowledgeTopic:
    topic_id: bytes = NIL_UUID
    partitions: list[AcknowledgePartition] = field(default_factory=list)


@dataclass(slots=True)
class ShareAcknowledgeRequest(Message):
    group_id: str | None = None
    member_id: str | None = ""
    share_session_epoch: int = 0
    is_renew_ack: bool = False
    topics: list[AcknowledgeTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ShareAcknowledgeRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ShareAcknowledgeRequest, int]:
        try:
            if 1 <= version <= 2:
                (message,), end = _read_share_acknowledge_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("ShareAcknowledgeRequest", version)
        except MALFORMED as error:
            raise malformed("ShareAcknowledgeRequest", version, error) from error
        if end > len(data):
            raise malformed("ShareAcknowledgeRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 1 <= version <= 2:
            _write_share_acknowledge_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"ShareAcknowledgeRequest has no version {version}")


def _read_share_acknowledge_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ShareAcknowledgeRequest], int]:
    items: list[ShareAcknowledgeRequest] = []
    group_id: str | None
    member_id: str | None
    topics: list[AcknowledgeTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            group_id = None
        else:
            end = position + n - 1
            group_id = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            member_id = None
        else:
            end = position + n - 1
            member_id = str(data[position:end], "utf-8")
            position = end
        if version >= 2:
            share_session_epoch, is_renew_ack, n = _unpack_ioc(data, position)
            position += 6
        else:
            share_session_epoch, n = _unpack_ic(data, position)
            position += 5
            is_renew_ack = False
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareAcknowledgeRequest.topics")
        topics, position = _read_acknowledge_topic_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ShareAcknowledgeRequest(group_id, member_id, share_session_epoch, is_renew_ack, topics)
        )
    return items, position


def _write_share_acknowledge_request_flexible(
    out: bytearray, items: Sequence[ShareAcknowledgeRequest], version: int
) -> None:
    for item in items:
        values_group_id = item.group_id
        if values_group_id is None:
            out.append(0)
        else:
            raw = values_group_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        values_member_id = item.member_id
        if values_member_id is None:
            out.append(0)
        else:
            raw = values_member_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 2:
            out += _pack_io(item.share_session_epoch, item.is_renew_ack)
        else:
            if item.is_renew_ack:
                raise absent_fault("ShareAcknowledgeRequest.is_renew_ack", version)
            out += _pack_i(item.share_session_epoch)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_acknowledge_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_acknowledge_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AcknowledgeTopic], int]:
    if position + count * 18 > len(data):
        raise count_fault("AcknowledgeTopic", count)
    items: list[AcknowledgeTopic] = []
    partitions: list[AcknowledgePartition]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AcknowledgeTopic.partitions")
        partitions, position = _read_acknowledge_partition_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AcknowledgeTopic(topic_id, partitions))
    return items, position


def _write_acknowledge_topic_flexible(
    out: bytearray, items: Sequence[AcknowledgeTopic], version: int
) -> None:
    for item in items:
        out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_acknowledge_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_acknowledge_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AcknowledgePartition], int]:
    if position + count * 6 > len(data):
        raise count_fault("AcknowledgePartition", count)
    items: list[AcknowledgePartition] = []
    acknowledgement_batches: list[AcknowledgementBatch]
    for _ in range(count):
        partition_index, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AcknowledgePartition.acknowledgement_batches"
            )
        acknowledgement_batches, position = _read_acknowledgement_batch_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AcknowledgePartition(partition_index, acknowledgement_batches))
    return items, position


def _write_acknowledge_partition_flexible(
    out: bytearray, items: Sequence[AcknowledgePartition], version: int
) -> None:
    for item in items:
        out += _pack_i(item.partition_index)
        n = len(item.acknowledgement_batches) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.acknowledgement_batches:
            _write_acknowledgement_batch_flexible(out, item.acknowledgement_batches, version)
        out.append(0)


def _read_acknowledgement_batch_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AcknowledgementBatch], int]:
    if position + count * 18 > len(data):
        raise count_fault("AcknowledgementBatch", count)
    items: list[AcknowledgementBatch] = []
    acknowledge_types: list[int]
    for _ in range(count):
        first_offset, last_offset, n = _unpack_qqc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AcknowledgementBatch.acknowledge_types")
        acknowledge_types, position = read_int8_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AcknowledgementBatch(first_offset, last_offset, acknowledge_types))
    return items, position


def _write_acknowledgement_batch_flexible(
    out: bytearray, items: Sequence[AcknowledgementBatch], version: int
) -> None:
    for item in items:
        out += _pack_qq(item.first_offset, item.last_offset)
        n = len(item.acknowledge_types) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.acknowledge_types:
            write_int8_array(out, item.acknowledge_types)
        out.append(0)
