"""DescribeTransactionsResponse, versions 0 (flexible from 0).

Generated from describe_transactions.schema by ottla.protocol.generator; do not edit.
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
    long_length,
    malformed,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_iqqh = struct.Struct(">iqqh").pack
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_iqqhc = struct.Struct(">iqqhB").unpack_from


@dataclass(slots=True)
class TopicData:
    topic: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class TransactionState:
    error_code: int = 0
    transactional_id: str = ""
    transaction_state: str = ""
    transaction_timeout_ms: int = 0
    transaction_start_time_ms: int = 0
    producer_id: int = 0
    producer_epoch: int = 0
    topics: list[TopicData] = field(default_factory=list)


@dataclass(slots=True)
class DescribeTransactionsResponse(Message):
    throttle_time_ms: int = 0
    transaction_states: list[TransactionState] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeTransactionsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeTransactionsResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_describe_transactions_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeTransactionsResponse", version)
        except MALFORMED as error:
            raise malformed("DescribeTransactionsResponse", version, error) from error
        if end > len(data):
            raise malformed("DescribeTransactionsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_describe_transactions_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeTransactionsResponse has no version {version}")


def _read_describe_transactions_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeTransactionsResponse], int]:
    items: list[DescribeTransactionsResponse] = []
    transaction_states: list[TransactionState]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeTransactionsResponse.transaction_states"
            )
        transaction_states, position = _read_transaction_state_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeTransactionsResponse(throttle_time_ms, transaction_states))
    return items, position


def _write_describe_transactions_response_flexible(
    out: bytearray, items: Sequence[DescribeTransactionsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.transaction_states) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.transaction_states:
            _write_transaction_state_flexible(out, item.transaction_states, version)
        out.append(0)


def _read_transaction_state_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TransactionState], int]:
    if position + count * 28 > len(data):
        raise count_fault("TransactionState", count)
    items: list[TransactionState] = []
    transactional_id: str
    transaction_state: str
    topics: list[TopicData]
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TransactionState.transactional_id")
        end = position + n - 1
        transactional_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TransactionState.transaction_state")
        end = position + n - 1
        transaction_state = str(data[position:end], "utf-8")
        position = end
        transaction_timeout_ms, transaction_start_time_ms, producer_id, producer_epoch, n = (
            _unpack_iqqhc(data, position)
        )
        position += 23
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TransactionState.topics")
        topics, position = _read_topic_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            TransactionState(
                error_code,
                transactional_id,
                transaction_state,
                transaction_timeout_ms,
                transaction_start_time_ms,
                producer_id,
                producer_epoch,
                topics,
            )
        )
    return items, position


def _write_transaction_state_flexible(
    out: bytearray, items: Sequence[TransactionState], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
        raw = item.transactional_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.transaction_state.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_iqqh(
            item.transaction_timeout_ms,
            item.transaction_start_time_ms,
            item.producer_id,
            item.producer_epoch,
        )
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_topic_data_flexible(out, item.topics, version)
        out.append(0)


def _read_topic_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicData], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicData", count)
    items: list[TopicData] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicData.topic")
        end = position + n - 1
        topic = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicData.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicData(topic, partitions))
    return items, position


def _write_topic_data_flexible(out: bytearray, items: Sequence[TopicData], version: int) -> None:
    for item in items:
        raw = item.topic.encode()
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
