"""AddPartitionsToTxnResponse, versions 0–5 (flexible from 3).

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
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_ihx = struct.Struct(">ihx").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ih = struct.Struct(">ih").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class AddPartitionsToTxnPartitionResult:
    partition_index: int = 0
    partition_error_code: int = 0


@dataclass(slots=True)
class AddPartitionsToTxnTopicResult:
    name: str = ""
    results_by_partition: list[AddPartitionsToTxnPartitionResult] = field(default_factory=list)


@dataclass(slots=True)
class AddPartitionsToTxnResult:
    transactional_id: str = ""
    topic_results: list[AddPartitionsToTxnTopicResult] = field(default_factory=list)


@dataclass(slots=True)
class AddPartitionsToTxnResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    results_by_transaction: list[AddPartitionsToTxnResult] = field(default_factory=list)
    results_by_topic_v3_and_below: list[AddPartitionsToTxnTopicResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AddPartitionsToTxnResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AddPartitionsToTxnResponse, int]:
        try:
            if 3 <= version <= 5:
                (message,), end = _read_add_partitions_to_txn_response_flexible(
                    data, offset, 1, version
                )
            elif 0 <= version <= 2:
                (message,), end = _read_add_partitions_to_txn_response_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AddPartitionsToTxnResponse", version)
        except MALFORMED as error:
            raise malformed("AddPartitionsToTxnResponse", version, error) from error
        if end > len(data):
            raise malformed("AddPartitionsToTxnResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 5:
            _write_add_partitions_to_txn_response_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_add_partitions_to_txn_response_classic(out, (self,), version)
        else:
            raise ValueError(f"AddPartitionsToTxnResponse has no version {version}")


def _read_add_partitions_to_txn_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnResponse], int]:
    items: list[AddPartitionsToTxnResponse] = []
    results_by_transaction: list[AddPartitionsToTxnResult]
    results_by_topic_v3_and_below: list[AddPartitionsToTxnTopicResult]
    for _ in range(count):
        if version >= 4:
            throttle_time_ms, error_code, n = _unpack_ihc(data, position)
            position += 7
        else:
            (throttle_time_ms,) = _unpack_i(data, position)
            position += 4
            error_code = 0
        if version >= 4:
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "AddPartitionsToTxnResponse.results_by_transaction"
                )
            results_by_transaction, position = _read_add_partitions_to_txn_result_flexible(
                data, position, n - 1, version
            )
        else:
            results_by_transaction = []
        if version <= 3:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "AddPartitionsToTxnResponse.results_by_topic_v3_and_below"
                )
            results_by_topic_v3_and_below, position = (
                _read_add_partitions_to_txn_topic_result_flexible(data, position, n - 1, version)
            )
        else:
            results_by_topic_v3_and_below = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            AddPartitionsToTxnResponse(
                throttle_time_ms, error_code, results_by_transaction, results_by_topic_v3_and_below
            )
        )
    return items, position


def _write_add_partitions_to_txn_response_flexible(
    out: bytearray, items: Sequence[AddPartitionsToTxnResponse], version: int
) -> None:
    for item in items:
        if version >= 4:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        else:
            out += _pack_i(item.throttle_time_ms)
        if version >= 4:
            n = len(item.results_by_transaction) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.results_by_transaction:
                _write_add_partitions_to_txn_result_flexible(
                    out, item.results_by_transaction, version
                )
        elif item.results_by_transaction:
            raise absent_fault("AddPartitionsToTxnResponse.results_by_transaction", version)
        if version <= 3:
            n = len(item.results_by_topic_v3_and_below) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.results_by_topic_v3_and_below:
                _write_add_partitions_to_txn_topic_result_flexible(
                    out, item.results_by_topic_v3_and_below, version
                )
        elif item.results_by_topic_v3_and_below:
            raise absent_fault("AddPartitionsToTxnResponse.results_by_topic_v3_and_below", version)
        out.append(0)


def _read_add_partitions_to_txn_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnResult], int]:
    if position + count * 3 > len(data):
        raise count_fault("AddPartitionsToTxnResult", count)
    items: list[AddPartitionsToTxnResult] = []
    transactional_id: str
    topic_results: list[AddPartitionsToTxnTopicResult]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AddPartitionsToTxnResult.transactional_id"
            )
        end = position + n - 1
        transactional_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AddPartitionsToTxnResult.topic_results")
        topic_results, position = _read_add_partitions_to_txn_topic_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AddPartitionsToTxnResult(transactional_id, topic_results))
    return items, position


def _write_add_partitions_to_txn_result_flexible(
    out: bytearray, items: Sequence[AddPartitionsToTxnResult], version: int
) -> None:
    for item in items:
        raw = item.transactional_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.topic_results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topic_results:
            _write_add_partitions_to_txn_topic_result_flexible(out, item.topic_results, version)
        out.append(0)


def _read_add_partitions_to_txn_topic_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnTopicResult], int]:
    if position + count * 3 > len(data):
        raise count_fault("AddPartitionsToTxnTopicResult", count)
    items: list[AddPartitionsToTxnTopicResult] = []
    name: str
    results_by_partition: list[AddPartitionsToTxnPartitionResult]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AddPartitionsToTxnTopicResult.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "AddPartitionsToTxnTopicResult.results_by_partition"
            )
        results_by_partition, position = _read_add_partitions_to_txn_partition_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AddPartitionsToTxnTopicResult(name, results_by_partition))
    return items, position


def _write_add_partitions_to_txn_topic_result_flexible(
    out: bytearray, items: Sequence[AddPartitionsToTxnTopicResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.results_by_partition) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.results_by_partition:
            _write_add_partitions_to_txn_partition_result_flexible(
                out, item.results_by_partition, version
            )
        out.append(0)


def _read_add_partitions_to_txn_partition_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnPartitionResult], int]:
    if position + count * 7 > len(data):
        raise count_fault("AddPartitionsToTxnPartitionResult", count)
    items: list[AddPartitionsToTxnPartitionResult] = []
    for _ in range(count):
        partition_index, partition_error_code, tags = _unpack_ihc(data, position)
        position += 7
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AddPartitionsToTxnPartitionResult(partition_index, partition_error_code))
    return items, position


def _write_add_partitions_to_txn_partition_result_flexible(
    out: bytearray, items: Sequence[AddPartitionsToTxnPartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_ihx(item.partition_index, item.partition_error_code)


def _read_add_partitions_to_txn_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnResponse], int]:
    items: list[AddPartitionsToTxnResponse] = []
    results_by_topic_v3_and_below: list[AddPartitionsToTxnTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("AddPartitionsToTxnResponse.results_by_topic_v3_and_below")
        results_by_topic_v3_and_below, position = _read_add_partitions_to_txn_topic_result_classic(
            data, position, n, version
        )
        items.append(
            AddPartitionsToTxnResponse(throttle_time_ms, 0, [], results_by_topic_v3_and_below)
        )
    return items, position


def _write_add_partitions_to_txn_response_classic(
    out: bytearray, items: Sequence[AddPartitionsToTxnResponse], version: int
) -> None:
    for item in items:
        if item.results_by_transaction:
            raise absent_fault("AddPartitionsToTxnResponse.results_by_transaction", version)
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.results_by_topic_v3_and_below))
        if item.results_by_topic_v3_and_below:
            _write_add_partitions_to_txn_topic_result_classic(
                out, item.results_by_topic_v3_and_below, version
            )


def _read_add_partitions_to_txn_topic_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnTopicResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("AddPartitionsToTxnTopicResult", count)
    items: list[AddPartitionsToTxnTopicResult] = []
    name: str
    results_by_partition: list[AddPartitionsToTxnPartitionResult]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AddPartitionsToTxnTopicResult.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AddPartitionsToTxnTopicResult.results_by_partition")
        results_by_partition, position = _read_add_partitions_to_txn_partition_result_classic(
            data, position, n, version
        )
        items.append(AddPartitionsToTxnTopicResult(name, results_by_partition))
    return items, position


def _write_add_partitions_to_txn_topic_result_classic(
    out: bytearray, items: Sequence[AddPartitionsToTxnTopicResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.results_by_partition))
        if item.results_by_partition:
            _write_add_partitions_to_txn_partition_result_classic(
                out, item.results_by_partition, version
            )


def _read_add_partitions_to_txn_partition_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AddPartitionsToTxnPartitionResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("AddPartitionsToTxnPartitionResult", count)
    items: list[AddPartitionsToTxnPartitionResult] = []
    for _ in range(count):
        partition_index, partition_error_code = _unpack_ih(data, position)
        position += 6
        items.append(AddPartitionsToTxnPartitionResult(partition_index, partition_error_code))
    return items, position


def _write_add_partitions_to_txn_partition_result_classic(
    out: bytearray, items: Sequence[AddPartitionsToTxnPartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_index, item.partition_error_code)
