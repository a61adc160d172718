"""ElectLeadersResponse, versions 0–2 (flexible from 2).

Generated from elect_leaders.schema by ottla.protocol.generator; do not edit.
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
_pack_ih = struct.Struct(">ih").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihh = struct.Struct(">ihh").unpack_from
_unpack_ihi = struct.Struct(">ihi").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from


@dataclass(slots=True)
class PartitionResult:
    partition_id: int = 0
    error_code: int = 0
    error_message: str | None = ""


@dataclass(slots=True)
class ReplicaElectionResult:
    topic: str = ""
    partition_result: list[PartitionResult] = field(default_factory=list)


@dataclass(slots=True)
class ElectLeadersResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    replica_election_results: list[ReplicaElectionResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ElectLeadersResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ElectLeadersResponse, int]:
        try:
            if version == 2:
                (message,), end = _read_elect_leaders_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 1:
                (message,), end = _read_elect_leaders_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("ElectLeadersResponse", version)
        except MALFORMED as error:
            raise malformed("ElectLeadersResponse", version, error) from error
        if end > len(data):
            raise malformed("ElectLeadersResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_elect_leaders_response_flexible(out, (self,), version)
        elif 0 <= version <= 1:
            _write_elect_leaders_response_classic(out, (self,), version)
        else:
            raise ValueError(f"ElectLeadersResponse has no version {version}")


def _read_elect_leaders_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ElectLeadersResponse], int]:
    items: list[ElectLeadersResponse] = []
    replica_election_results: list[ReplicaElectionResult]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ElectLeadersResponse.replica_election_results"
            )
        replica_election_results, position = _read_replica_election_result_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ElectLeadersResponse(throttle_time_ms, error_code, replica_election_results))
    return items, position


def _write_elect_leaders_response_flexible(
    out: bytearray, items: Sequence[ElectLeadersResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        n = len(item.replica_election_results) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.replica_election_results:
            _write_replica_election_result_flexible(out, item.replica_election_results, version)
        out.append(0)


def _read_replica_election_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ReplicaElectionResult], int]:
    if position + count * 3 > len(data):
        raise count_fault("ReplicaElectionResult", count)
    items: list[ReplicaElectionResult] = []
    topic: str
    partition_result: list[PartitionResult]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ReplicaElectionResult.topic")
        end = position + n - 1
        topic = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ReplicaElectionResult.partition_result")
        partition_result, position = _read_partition_result_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ReplicaElectionResult(topic, partition_result))
    return items, position


def _write_replica_election_result_flexible(
    out: bytearray, items: Sequence[ReplicaElectionResult], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.partition_result) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partition_result:
            _write_partition_result_flexible(out, item.partition_result, version)
        out.append(0)


def _read_partition_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionResult], int]:
    if position + count * 8 > len(data):
        raise count_fault("PartitionResult", count)
    items: list[PartitionResult] = []
    error_message: str | None
    for _ in range(count):
        partition_id, error_code, n = _unpack_ihc(data, position)
        position += 7
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
        if tags:
            position = skip_tags(data, position, tags)
        items.append(PartitionResult(partition_id, error_code, error_message))
    return items, position


def _write_partition_result_flexible(
    out: bytearray, items: Sequence[PartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_id, item.error_code)
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
        out.append(0)


def _read_elect_leaders_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ElectLeadersResponse], int]:
    items: list[ElectLeadersResponse] = []
    replica_election_results: list[ReplicaElectionResult]
    for _ in range(count):
        if version >= 1:
            throttle_time_ms, error_code, n = _unpack_ihi(data, position)
            position += 10
        else:
            throttle_time_ms, n = _unpack_ii(data, position)
            position += 8
            error_code = 0
        if n < 0:
            raise null_fault("ElectLeadersResponse.replica_election_results")
        replica_election_results, position = _read_replica_election_result_classic(
            data, position, n, version
        )
        items.append(ElectLeadersResponse(throttle_time_ms, error_code, replica_election_results))
    return items, position


def _write_elect_leaders_response_classic(
    out: bytearray, items: Sequence[ElectLeadersResponse], version: int
) -> None:
    for item in items:
        if version >= 1:
            out += _pack_ih(item.throttle_time_ms, item.error_code)
        else:
            if item.error_code != 0:
                raise absent_fault("ElectLeadersResponse.error_code", version)
            out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.replica_election_results))
        if item.replica_election_results:
            _write_replica_election_result_classic(out, item.replica_election_results, version)


def _read_replica_election_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ReplicaElectionResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("ReplicaElectionResult", count)
    items: list[ReplicaElectionResult] = []
    topic: str
    partition_result: list[PartitionResult]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ReplicaElectionResult.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("ReplicaElectionResult.partition_result")
        partition_result, position = _read_partition_result_classic(data, position, n, version)
        items.append(ReplicaElectionResult(topic, partition_result))
    return items, position


def _write_replica_election_result_classic(
    out: bytearray, items: Sequence[ReplicaElectionResult], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partition_result))
        if item.partition_result:
            _write_partition_result_classic(out, item.partition_result, version)


def _read_partition_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionResult], int]:
    if position + count * 8 > len(data):
        raise count_fault("PartitionResult", count)
    items: list[PartitionResult] = []
    error_message: str | None
    for _ in range(count):
        partition_id, error_code, n = _unpack_ihh(data, position)
        position += 8
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        items.append(PartitionResult(partition_id, error_code, error_message))
    return items, position


def _write_partition_result_classic(
    out: bytearray, items: Sequence[PartitionResult], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.partition_id, item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
