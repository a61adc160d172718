"""ShareFetchRequest, versions 1–2 (flexible from 1).

Generated from share_fetch.schema by ottla.protocol.generator; do not edit.
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
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int8_array,
    write_int32_array,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_pack_iiiiii = struct.Struct(">iiiiii").pack
_pack_iiiiiibo = struct.Struct(">iiiiiib?").pack
_pack_qq = struct.Struct(">qq").pack
_pack_u = struct.Struct(">16s").pack
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_iiiiiiboc = struct.Struct(">iiiiiib?B").unpack_from
_unpack_iiiiiic = struct.Struct(">iiiiiiB").unpack_from
_unpack_qqc = struct.Struct(">qqB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class ForgottenTopic:
    topic_id: bytes = NIL_UUID
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class AcknowledgementBatch:
    first_offset: int = 0
    last_offset: int = 0
    acknowledge_types: list[int] = field(default_factory=list)


@dataclass(slots=True)
class FetchPartition:
    partition_index: int = 0
    acknowledgement_batches: list[AcknowledgementBatch] = field(default_factory=list)


@dataclass(slots=True)
class FetchTopic:
    topic_id: bytes = NIL_UUID
    partitions: list[FetchPartition] = field(default_factory=list)


@dataclass(slots=True)
class ShareFetchRequest(Message):
    group_id: str | None = None
    member_id: str | None = ""
    share_session_epoch: int = 0
    max_wait_ms: int = 0
    min_bytes: int = 0
    max_bytes: int = 2147483647
    max_records: int = 0
    batch_size: int = 0
    share_acquire_mode: int = 0
    is_renew_ack: bool = False
    topics: list[FetchTopic] = field(default_factory=list)
    forgotten_topics_data: list[ForgottenTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ShareFetchRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ShareFetchRequest, int]:
        try:
            if 1 <= version <= 2:
                (message,), end = _read_share_fetch_request_flexible(data, offset, 1, version)
            else:
                raise unknown_version("ShareFetchRequest", version)
        except MALFORMED as error:
            raise malformed("ShareFetchRequest", version, error) from error
        if end > len(data):
            raise malformed("ShareFetchRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 1 <= version <= 2:
            _write_share_fetch_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"ShareFetchRequest has no version {version}")


def _read_share_fetch_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ShareFetchRequest], int]:
    items: list[ShareFetchRequest] = []
    group_id: str | None
    member_id: str | None
    topics: list[FetchTopic]
    forgotten_topics_data: list[ForgottenTopic]
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
            (
                share_session_epoch,
                max_wait_ms,
                min_bytes,
                max_bytes,
                max_records,
                batch_size,
                share_acquire_mode,
                is_renew_ack,
                n,
            ) = _unpack_iiiiiiboc(data, position)
            position += 27
        else:
            share_session_epoch, max_wait_ms, min_bytes, max_bytes, max_records, batch_size, n = (
                _unpack_iiiiiic(data, position)
            )
            position += 25
            share_acquire_mode = 0
            is_renew_ack = False
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareFetchRequest.topics")
        topics, position = _read_fetch_topic_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ShareFetchRequest.forgotten_topics_data")
        forgotten_topics_data, position = _read_forgotten_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            ShareFetchRequest(
                group_id,
                member_id,
                share_session_epoch,
                max_wait_ms,
                min_bytes,
                max_bytes,
                max_records,
                batch_size,
                share_acquire_mode,
                is_renew_ack,
                topics,
                forgotten_topics_data,
            )
        )
    return items, position


def _write_share_fetch_request_flexible(
    out: bytearray, items: Sequence[ShareFetchRequest], version: int
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
            out += _pack_iiiiiibo(
                item.share_session_epoch,
                item.max_wait_ms,
                item.min_bytes,
                item.max_bytes,
                item.max_records,
                item.batch_size,
                item.share_acquire_mode,
                item.is_renew_ack,
            )
        else:
            if item.share_acquire_mode != 0:
                raise absent_fault("ShareFetchRequest.share_acquire_mode", version)
            if item.is_renew_ack:
                raise absent_fault("ShareFetchRequest.is_renew_ack", version)
            out += _pack_iiiiii(
                item.share_session_epoch,
                item.max_wait_ms,
                item.min_bytes,
                item.max_bytes,
                item.max_records,
                item.batch_size,
            )
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_fetch_topic_flexible(out, item.topics, version)
        n = len(item.forgotten_topics_data) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.forgotten_topics_data:
            _write_forgotten_topic_flexible(out, item.forgotten_topics_data, version)
        out.append(0)


def _read_fetch_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchTopic], int]:
    if position + count * 18 > len(data):
        raise count_fault("FetchTopic", count)
    items: list[FetchTopic] = []
    partitions: list[FetchPartition]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FetchTopic.partitions")
        partitions, position = _read_fetch_partition_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(FetchTopic(topic_id, partitions))
    return items, position


def _write_fetch_topic_flexible(out: bytearray, items: Sequence[FetchTopic], version: int) -> None:
    for item in items:
        out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_fetch_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_fetch_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchPartition], int]:
    if position + count * 6 > len(data):
        raise count_fault("FetchPartition", count)
    items: list[FetchPartition] = []
    acknowledgement_batches: list[AcknowledgementBatch]
    for _ in range(count):
        partition_index, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FetchPartition.acknowledgement_batches")
        acknowledgement_batches, position = _read_acknowledgement_batch_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(FetchPartition(partition_index, acknowledgement_batches))
    return items, position


def _write_fetch_partition_flexible(
    out: bytearray, items: Sequence[FetchPartition], version: int
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


def _read_forgotten_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ForgottenTopic], int]:
    if position + count * 18 > len(data):
        raise count_fault("ForgottenTopic", count)
    items: list[ForgottenTopic] = []
    partitions: list[int]
    for _ in range(count):
        topic_id, n = _unpack_uc(data, position)
        position += 17
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ForgottenTopic.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ForgottenTopic(topic_id, partitions))
    return items, position


def _write_forgotten_topic_flexible(
    out: bytearray, items: Sequence[ForgottenTopic], version: int
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
