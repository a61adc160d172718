"""TransactionLogValue, versions 0–1 (flexible from 1).

Generated from transaction_state.schema by ottla.protocol.generator; do not edit.
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
    read_int32_array,
    read_tag,
    skip_tags,
    tag_fault,
    unknown_version,
    write_int32_array,
    write_tagged,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_q = struct.Struct(">q").pack
_pack_qhib = struct.Struct(">qhib").pack
_pack_qq = struct.Struct(">qq").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_q = struct.Struct(">q").unpack_from
_unpack_qhibc = struct.Struct(">qhibB").unpack_from
_unpack_qhibi = struct.Struct(">qhibi").unpack_from
_unpack_qq = struct.Struct(">qq").unpack_from
_unpack_qqc = struct.Struct(">qqB").unpack_from


@dataclass(slots=True)
class PartitionsSchema:
    topic: str = ""
    partition_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class TransactionLogValue(Message):
    producer_id: int = 0
    previous_producer_id: int = -1
    next_producer_id: int = -1
    producer_epoch: int = 0
    transaction_timeout_ms: int = 0
    transaction_status: int = 0
    transaction_partitions: list[PartitionsSchema] | None = field(default_factory=list)
    transaction_last_update_timestamp_ms: int = 0
    transaction_start_timestamp_ms: int = 0
    client_transaction_version: int = 0

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 1

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> TransactionLogValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[TransactionLogValue, int]:
        try:
            if version == 1:
                (message,), end = _read_transaction_log_value_flexible(data, offset, 1, version)
            elif version == 0:
                (message,), end = _read_transaction_log_value_classic(data, offset, 1, version)
            else:
                raise unknown_version("TransactionLogValue", version)
        except MALFORMED as error:
            raise malformed("TransactionLogValue", version, error) from error
        if end > len(data):
            raise malformed("TransactionLogValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 1:
            _write_transaction_log_value_flexible(out, (self,), version)
        elif version == 0:
            _write_transaction_log_value_classic(out, (self,), version)
        else:
            raise ValueError(f"TransactionLogValue has no version {version}")


def _read_transaction_log_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TransactionLogValue], int]:
    items: list[TransactionLogValue] = []
    transaction_partitions: list[PartitionsSchema] | None
    for _ in range(count):
        producer_id, producer_epoch, transaction_timeout_ms, transaction_status, n = _unpack_qhibc(
            data, position
        )
        position += 16
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            transaction_partitions = None
        else:
            transaction_partitions, position = _read_partitions_schema_flexible(
                data, position, n - 1, version
            )
        transaction_last_update_timestamp_ms, transaction_start_timestamp_ms, tags = _unpack_qqc(
            data, position
        )
        position += 17
        previous_producer_id = -1
        next_producer_id = -1
        client_transaction_version = 0
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0:
                    (previous_producer_id,) = _unpack_q(data, position)
                    position += 8
                elif tag == 1:
                    (next_producer_id,) = _unpack_q(data, position)
                    position += 8
                elif tag == 2:
                    (client_transaction_version,) = _unpack_h(data, position)
                    position += 2
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("TransactionLogValue", tag)
        items.append(
            TransactionLogValue(
                producer_id,
                previous_producer_id,
                next_producer_id,
                producer_epoch,
                transaction_timeout_ms,
                transaction_status,
                transaction_partitions,
                transaction_last_update_timestamp_ms,
                transaction_start_timestamp_ms,
                client_transaction_version,
            )
        )
    return items, position


def _write_transaction_log_value_flexible(
    out: bytearray, items: Sequence[TransactionLogValue], version: int
) -> None:
    for item in items:
        out += _pack_qhib(
            item.producer_id,
            item.producer_epoch,
            item.transaction_timeout_ms,
            item.transaction_status,
        )
        values_transaction_partitions = item.transaction_partitions
        if values_transaction_partitions is None:
            out.append(0)
        else:
            n = len(values_transaction_partitions) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_transaction_partitions:
                _write_partitions_schema_flexible(out, values_transaction_partitions, version)
        out += _pack_qq(
            item.transaction_last_update_timestamp_ms, item.transaction_start_timestamp_ms
        )
        tags = 0
        if item.previous_producer_id != -1:
            tags += 1
        if item.next_producer_id != -1:
            tags += 1
        if item.client_transaction_version != 0:
            tags += 1
        out.append(tags)
        if tags:
            if item.previous_producer_id != -1:
                write_tagged(out, 0, _pack_q(item.previous_producer_id))
            if item.next_producer_id != -1:
                write_tagged(out, 1, _pack_q(item.next_producer_id))
            if item.client_transaction_version != 0:
                write_tagged(out, 2, _pack_h(item.client_transaction_version))


def _read_partitions_schema_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionsSchema], int]:
    if position + count * 3 > len(data):
        raise count_fault("PartitionsSchema", count)
    items: list[PartitionsSchema] = []
    topic: str
    partition_ids: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PartitionsSchema.topic")
        end = position + n - 1
        topic = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "PartitionsSchema.partition_ids")
        partition_ids, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(PartitionsSchema(topic, partition_ids))
    return items, position


def _write_partitions_schema_flexible(
    out: bytearray, items: Sequence[PartitionsSchema], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.partition_ids) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partition_ids:
            write_int32_array(out, item.partition_ids)
        out.append(0)


def _read_transaction_log_value_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TransactionLogValue], int]:
    items: list[TransactionLogValue] = []
    transaction_partitions: list[PartitionsSchema] | None
    for _ in range(count):
        producer_id, producer_epoch, transaction_timeout_ms, transaction_status, n = _unpack_qhibi(
            data, position
        )
        position += 19
        if n < 0:
            transaction_partitions = None
        else:
            transaction_partitions, position = _read_partitions_schema_classic(
                data, position, n, version
            )
        transaction_last_update_timestamp_ms, transaction_start_timestamp_ms = _unpack_qq(
            data, position
        )
        position += 16
        items.append(
            TransactionLogValue(
                producer_id,
                -1,
                -1,
                producer_epoch,
                transaction_timeout_ms,
                transaction_status,
                transaction_partitions,
                transaction_last_update_timestamp_ms,
                transaction_start_timestamp_ms,
                0,
            )
        )
    return items, position


def _write_transaction_log_value_classic(
    out: bytearray, items: Sequence[TransactionLogValue], version: int
) -> None:
    for item in items:
        if item.previous_producer_id != -1:
            raise absent_fault("TransactionLogValue.previous_producer_id", version)
        if item.next_producer_id != -1:
            raise absent_fault("TransactionLogValue.next_producer_id", version)
        if item.client_transaction_version != 0:
            raise absent_fault("TransactionLogValue.client_transaction_version", version)
        out += _pack_qhib(
            item.producer_id,
            item.producer_epoch,
            item.transaction_timeout_ms,
            item.transaction_status,
        )
        values_transaction_partitions = item.transaction_partitions
        if values_transaction_partitions is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += _pack_i(len(values_transaction_partitions))
            if values_transaction_partitions:
                _write_partitions_schema_classic(out, values_transaction_partitions, version)
        out += _pack_qq(
            item.transaction_last_update_timestamp_ms, item.transaction_start_timestamp_ms
        )


def _read_partitions_schema_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionsSchema], int]:
    if position + count * 6 > len(data):
        raise count_fault("PartitionsSchema", count)
    items: list[PartitionsSchema] = []
    topic: str
    partition_ids: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("PartitionsSchema.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("PartitionsSchema.partition_ids")
        partition_ids, position = read_int32_array(data, position, n)
        items.append(PartitionsSchema(topic, partition_ids))
    return items, position


def _write_partitions_schema_classic(
    out: bytearray, items: Sequence[PartitionsSchema], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partition_ids))
        if item.partition_ids:
            write_int32_array(out, item.partition_ids)
