"""TxnOffsetCommitRequest, versions 0–5 (flexible from 3).

Generated from txn_offset_commit.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_iq = struct.Struct(">iq").pack
_pack_iqi = struct.Struct(">iqi").pack
_pack_qh = struct.Struct(">qh").pack
_pack_qhi = struct.Struct(">qhi").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_iqh = struct.Struct(">iqh").unpack_from
_unpack_iqic = struct.Struct(">iqiB").unpack_from
_unpack_iqih = struct.Struct(">iqih").unpack_from
_unpack_qhi = struct.Struct(">qhi").unpack_from
_unpack_qhic = struct.Struct(">qhiB").unpack_from


@dataclass(slots=True)
class TxnOffsetCommitRequestPartition:
    partition_index: int = 0
    committed_offset: int = 0
    committed_leader_epoch: int = -1
    committed_metadata: str | None = ""


@dataclass(slots=True)
class TxnOffsetCommitRequestTopic:
    name: str = ""
    partitions: list[TxnOffsetCommitRequestPartition] = field(default_factory=list)


@dataclass(slots=True)
class TxnOffsetCommitRequest(Message):
    transactional_id: str = ""
    group_id: str = ""
    producer_id: int = 0
    producer_epoch: int = 0
    generation_id: int = -1
    member_id: str = ""
    group_instance_id: str | None = None
    topics: list[TxnOffsetCommitRequestTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> TxnOffsetCommitRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[TxnOffsetCommitRequest, int]:
        try:
            if 3 <= version <= 5:
                (message,), end = _read_txn_offset_commit_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_txn_offset_commit_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("TxnOffsetCommitRequest", version)
        except MALFORMED as error:
            raise malformed("TxnOffsetCommitRequest", version, error) from error
        if end > len(data):
            raise malformed("TxnOffsetCommitRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 5:
            _write_txn_offset_commit_request_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_txn_offset_commit_request_classic(out, (self,), version)
        else:
            raise ValueError(f"TxnOffsetCommitRequest has no version {version}")


def _read_txn_offset_commit_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitRequest], int]:
    items: list[TxnOffsetCommitRequest] = []
    transactional_id: str
    group_id: str
    member_id: str
    group_instance_id: str | None
    topics: list[TxnOffsetCommitRequestTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitRequest.transactional_id")
        end = position + n - 1
        transactional_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        producer_id, producer_epoch, generation_id, n = _unpack_qhic(data, position)
        position += 15
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitRequest.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            group_instance_id = None
        else:
            end = position + n - 1
            group_instance_id = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitRequest.topics")
        topics, position = _read_txn_offset_commit_request_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            TxnOffsetCommitRequest(
                transactional_id,
                group_id,
                producer_id,
                producer_epoch,
                generation_id,
                member_id,
                group_instance_id,
                topics,
            )
        )
    return items, position


def _write_txn_offset_commit_request_flexible(
    out: bytearray, items: Sequence[TxnOffsetCommitRequest], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_qhi(item.producer_id, item.producer_epoch, item.generation_id)
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_group_instance_id = item.group_instance_id
        if values_group_instance_id is None:
            out.append(0)
        else:
            raw = values_group_instance_id.encode()
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
            _write_txn_offset_commit_request_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_txn_offset_commit_request_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitRequestTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("TxnOffsetCommitRequestTopic", count)
    items: list[TxnOffsetCommitRequestTopic] = []
    name: str
    partitions: list[TxnOffsetCommitRequestPartition]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitRequestTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TxnOffsetCommitRequestTopic.partitions")
        partitions, position = _read_txn_offset_commit_request_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TxnOffsetCommitRequestTopic(name, partitions))
    return items, position


def _write_txn_offset_commit_request_topic_flexible(
    out: bytearray, items: Sequence[TxnOffsetCommitRequestTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
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
            _write_txn_offset_commit_request_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_txn_offset_commit_request_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitRequestPartition], int]:
    if position + count * 18 > len(data):
        raise count_fault("TxnOffsetCommitRequestPartition", count)
    items: list[TxnOffsetCommitRequestPartition] = []
    committed_metadata: str | None
    for _ in range(count):
        partition_index, committed_offset, committed_leader_epoch, n = _unpack_iqic(data, position)
        position += 17
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            committed_metadata = None
        else:
            end = position + n - 1
            committed_metadata = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            TxnOffsetCommitRequestPartition(
                partition_index, committed_offset, committed_leader_epoch, committed_metadata
            )
        )
    return items, position


def _write_txn_offset_commit_request_partition_flexible(
    out: bytearray, items: Sequence[TxnOffsetCommitRequestPartition], version: int
) -> None:
    for item in items:
        out += _pack_iqi(item.partition_index, item.committed_offset, item.committed_leader_epoch)
        values_committed_metadata = item.committed_metadata
        if values_committed_metadata is None:
            out.append(0)
        else:
            raw = values_committed_metadata.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_txn_offset_commit_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitRequest], int]:
    items: list[TxnOffsetCommitRequest] = []
    transactional_id: str
    group_id: str
    topics: list[TxnOffsetCommitRequestTopic]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TxnOffsetCommitRequest.transactional_id")
        end = position + n
        transactional_id = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TxnOffsetCommitRequest.group_id")
        end = position + n
        group_id = str(data[position:end], "utf-8")
        position = end
        producer_id, producer_epoch, n = _unpack_qhi(data, position)
        position += 14
        if n < 0:
            raise null_fault("TxnOffsetCommitRequest.topics")
        topics, position = _read_txn_offset_commit_request_topic_classic(data, position, n, version)
        items.append(
            TxnOffsetCommitRequest(
                transactional_id, group_id, producer_id, producer_epoch, -1, "", None, topics
            )
        )
    return items, position


def _write_txn_offset_commit_request_classic(
    out: bytearray, items: Sequence[TxnOffsetCommitRequest], version: int
) -> None:
    for item in items:
        if item.generation_id != -1:
            raise absent_fault("TxnOffsetCommitRequest.generation_id", version)
        if item.member_id:
            raise absent_fault("TxnOffsetCommitRequest.member_id", version)
        if item.group_instance_id is not None:
            raise absent_fault("TxnOffsetCommitRequest.group_instance_id", version)
        raw = item.transactional_id.encode()
        out += _pack_h(len(raw))
        out += raw
        raw = item.group_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_qh(item.producer_id, item.producer_epoch)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_txn_offset_commit_request_topic_classic(out, item.topics, version)


def _read_txn_offset_commit_request_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitRequestTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("TxnOffsetCommitRequestTopic", count)
    items: list[TxnOffsetCommitRequestTopic] = []
    name: str
    partitions: list[TxnOffsetCommitRequestPartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("TxnOffsetCommitRequestTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("TxnOffsetCommitRequestTopic.partitions")
        partitions, position = _read_txn_offset_commit_request_partition_classic(
            data, position, n, version
        )
        items.append(TxnOffsetCommitRequestTopic(name, partitions))
    return items, position


def _write_txn_offset_commit_request_topic_classic(
    out: bytearray, items: Sequence[TxnOffsetCommitRequestTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_txn_offset_commit_request_partition_classic(out, item.partitions, version)


def _read_txn_offset_commit_request_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TxnOffsetCommitRequestPartition], int]:
    if position + count * 14 > len(data):
        raise count_fault("TxnOffsetCommitRequestPartition", count)
    items: list[TxnOffsetCommitRequestPartition] = []
    committed_metadata: str | None
    for _ in range(count):
        if version >= 2:
            partition_index, committed_offset, committed_leader_epoch, n = _unpack_iqih(
                data, position
            )
            position += 18
        else:
            partition_index, committed_offset, n = _unpack_iqh(data, position)
            position += 14
            committed_leader_epoch = -1
        if n < 0:
            committed_metadata = None
        else:
            end = position + n
            committed_metadata = str(data[position:end], "utf-8")
            position = end
        items.append(
            TxnOffsetCommitRequestPartition(
                partition_index, committed_offset, committed_leader_epoch, committed_metadata
            )
        )
    return items, position


def _write_txn_offset_commit_request_partition_classic(
    out: bytearray, items: Sequence[TxnOffsetCommitRequestPartition], version: int
) -> None:
    for item in items:
        if version >= 2:
            out += _pack_iqi(
                item.partition_index, item.committed_offset, item.committed_leader_epoch
            )
        else:
            out += _pack_iq(item.partition_index, item.committed_offset)
        values_committed_metadata = item.committed_metadata
        if values_committed_metadata is None:
            out += b"\xff\xff"
        else:
            raw = values_committed_metadata.encode()
            out += _pack_h(len(raw))
            out += raw
