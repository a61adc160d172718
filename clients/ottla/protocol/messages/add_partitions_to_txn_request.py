"""AddPartitionsToTxnRequest, versions 0–5 (flexible from 3).

Generated from add_partitions_to_txn.schema by ottla.protocol.generator; do not edit.
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
    malformed,
    null_fault,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_qh = struct.Struct(">qh").pack
_pack_qho = struct.Struct(">qh?").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_qhc = struct.Struct(">qhB").unpack_from
_unpack_qhi = struct.Struct(">qhi").unpack_from
_unpack_qhoc = struct.Struct(">qh?B").unpack_from


@dataclass(slots=True)
class AddPartitionsToTxnTopic:
    name: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class AddPartitionsToTxnTransaction:
    transactional_id: str = ""
    producer_id: int = 0
    producer_epoch: int = 0
    verify_only: bool = False
    topics: list[AddPartitionsToTxnTopic] = field(default_factory=list)


@dataclass(slots=True)
class AddPartitionsToTxnRequest(Message):
    transactions: list[AddPartitionsToTxnTransaction] = field(default_factory=list)
    v3_and_below_transactional_id: str = ""
    v3_and_below_producer_id: int = 0
    v3_and_below_producer_epoch: int = 0
    v3_and_below_topics: list[AddPartitionsToTxnTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AddPartitionsToTxnRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AddPartitionsToTxnRequest, int]:
        try:
            if 3 <= version <= 5:
                (message,), end = _read_add_partitions_to_txn_request_flexible(
                    data, offset, 1, version
                )
            elif 0 <= version <= 2:
                (message,), end = _read_add_partitions_to_txn_request_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AddPartitionsToTxnRequest", version)
        except MALFORMED as error:
            raise malformed("AddPartitionsToTxnRequest", version, error) from error
        if end > len(data):
            raise malformed("AddPartitionsToTxnRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 5:
            _write_add_partitions_to_txn_request_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_add_partitions_to_txn_request_classic(out, (self,), version)
        else:
            raise ValueError(f"AddPartitionsToTxnRequest has no version {version}")


def _read_add_partitions_to_txn_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnRequest], int]:
    items: list[AddPartitionsToTxnRequest] = []
    transactions: list[AddPartitionsToTxnTransaction]
    v3_and_below_transactional_id: str
    v3_and_below_topics: list[AddPartitionsToTxnTopic]
    for _ in range(count):
        if version >= 4:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "AddPartitionsToTxnRequest.transactions"
                )
            transactions, position = _read_add_partitions_to_txn_transaction_flexible(
                data, position, n - 1, version
            )
        else:
            transactions = []
        if version <= 3:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "AddPartitionsToTxnRequest.v3_and_below_transactional_id"
                )
            end = position + n - 1
            v3_and_below_transactional_id = str(data[position:end], "utf-8")
            position = end
        else:
            v3_and_below_transactional_id = ""
        if version >= 4:
            v3_and_below_producer_id = 0
            v3_and_below_producer_epoch = 0
        else:
            v3_and_below_producer_id, v3_and_below_producer_epoch, n = _unpack_qhc(data, position)
            position += 11
        if version <= 3:
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "AddPartitionsToTxnRequest.v3_and_below_topics"
                )
            v3_and_below_topics, position = _read_add_partitions_to_txn_topic_flexible(
                data, position, n - 1, version
            )
        else:
            v3_and_below_topics = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AddPartitionsToTxnRequest(
                transactions,
                v3_and_below_transactional_id,
                v3_and_below_producer_id,
                v3_and_below_producer_epoch,
                v3_and_below_topics,
            )
        )
    return items, position


def _write_add_partitions_to_txn_request_flexible(
    out: bytearray, items: Sequence[AddPartitionsToTxnRequest], version: int
) -> None:
    for item in items:
        if version >= 4:
            n = len(item.transactions) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.transactions:
                _write_add_partitions_to_txn_transaction_flexible(out, item.transactions, version)
        elif item.transactions:
            raise absent_fault("AddPartitionsToTxnRequest.transactions", version)
        if version <= 3:
            raw = item.v3_and_below_transactional_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        elif item.v3_and_below_transactional_id:
            raise absent_fault("AddPartitionsToTxnRequest.v3_and_below_transactional_id", version)
        if version >= 4:
            if item.v3_and_below_producer_id != 0:
                raise absent_fault("AddPartitionsToTxnRequest.v3_and_below_producer_id", version)
            if item.v3_and_below_producer_epoch != 0:
                raise absent_fault("AddPartitionsToTxnRequest.v3_and_below_producer_epoch", version)
        else:
            out += _pack_qh(item.v3_and_below_producer_id, item.v3_and_below_producer_epoch)
        if version <= 3:
            n = len(item.v3_and_below_topics) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.v3_and_below_topics:
                _write_add_partitions_to_txn_topic_flexible(out, item.v3_and_below_topics, version)
        elif item.v3_and_below_topics:
            raise absent_fault("AddPartitionsToTxnRequest.v3_and_below_topics", version)
        out.append(0)


def _read_add_partitions_to_txn_transaction_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnTransaction], int]:
    if position + count * 14 > len(data):
        raise count_fault("AddPartitionsToTxnTransaction", count)
    items: list[AddPartitionsToTxnTransaction] = []
    transactional_id: str
    topics: list[AddPartitionsToTxnTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AddPartitionsToTxnTransaction.transactional_id"
            )
        end = position + n - 1
        transactional_id = str(data[position:end], "utf-8")
        position = end
        producer_id, producer_epoch, verify_only, n = _unpack_qhoc(data, position)
        position += 12
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AddPartitionsToTxnTransaction.topics")
        topics, position = _read_add_partitions_to_txn_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AddPartitionsToTxnTransaction(
                transactional_id, producer_id, producer_epoch, verify_only, topics
            )
        )
    return items, position


def _write_add_partitions_to_txn_transaction_flexible(
    out: bytearray, items: Sequence[AddPartitionsToTxnTransaction], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_qho(item.producer_id, item.producer_epoch, item.verify_only)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_add_partitions_to_txn_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_add_partitions_to_txn_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("AddPartitionsToTxnTopic", count)
    items: list[AddPartitionsToTxnTopic] = []
    name: str
    partitions: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AddPartitionsToTxnTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AddPartitionsToTxnTopic.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AddPartitionsToTxnTopic(name, partitions))
    return items, position


def _write_add_partitions_to_txn_topic_flexible(
    out: bytearray, items: Sequence[AddPartitionsToTxnTopic], version: int
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
            write_int32_array(out, item.partitions)
        out.append(0)


def _read_add_partitions_to_txn_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnRequest], int]:
    items: list[AddPartitionsToTxnRequest] = []
    v3_and_below_transactional_id: str
    v3_and_below_topics: list[AddPartitionsToTxnTopic]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AddPartitionsToTxnRequest.v3_and_below_transactional_id")
        end = position + n
        v3_and_below_transactional_id = str(data[position:end], "utf-8")
        position = end
        v3_and_below_producer_id, v3_and_below_producer_epoch, n = _unpack_qhi(data, position)
        position += 14
        if n < 0:
            raise null_fault("AddPartitionsToTxnRequest.v3_and_below_topics")
        v3_and_below_topics, position = _read_add_partitions_to_txn_topic_classic(
            data, position, n, version
        )
        items.append(
            AddPartitionsToTxnRequest(
                [],
                v3_and_below_transactional_id,
                v3_and_below_producer_id,
                v3_and_below_producer_epoch,
                v3_and_below_topics,
            )
        )
    return items, position


def _write_add_partitions_to_txn_request_classic(
    out: bytearray, items: Sequence[AddPartitionsToTxnRequest], version: int
) -> None:
    for item in items:
        if item.transactions:
            raise absent_fault("AddPartitionsToTxnRequest.transactions", version)
        raw = item.v3_and_below_transactional_id.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_qh(item.v3_and_below_producer_id, item.v3_and_below_producer_epoch)
        out += _pack_i(len(item.v3_and_below_topics))
        if item.v3_and_below_topics:
            _write_add_partitions_to_txn_topic_classic(out, item.v3_and_below_topics, version)


def _read_add_partitions_to_txn_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("AddPartitionsToTxnTopic", count)
    items: list[AddPartitionsToTxnTopic] = []
    name: str
    partitions: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AddPartitionsToTxnTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AddPartitionsToTxnTopic.partitions")
        partitions, position = read_int32_array(data, position, n)
        items.append(AddPartitionsToTxnTopic(name, partitions))
    return items, position


def _write_add_partitions_to_txn_topic_classic(
    out: bytearray, items: Sequence[AddPartitionsToTxnTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            write_int32_array(out, item.partitions)
