"""FetchResponse, versions 0–18 (flexible from 12).

Generated from fetch.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.core.identifiers import NIL_UUID
from ottla.protocol.message import Buffer, Message
from ottla.protocol.parts import Part, RecordsSource
from ottla.protocol.wire import (
    MALFORMED,
    absent_fault,
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    read_tag,
    skip_tags,
    tag_fault,
    unknown_version,
    write_compact_records,
    write_records,
    write_tagged,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ihi = struct.Struct(">ihi").pack
_pack_ihq = struct.Struct(">ihq").pack
_pack_ihqq = struct.Struct(">ihqq").pack
_pack_ihqqq = struct.Struct(">ihqqq").pack
_pack_iix = struct.Struct(">iix").pack
_pack_iqx = struct.Struct(">iqx").pack
_pack_qix = struct.Struct(">qix").pack
_pack_qq = struct.Struct(">qq").pack
_pack_qqx = struct.Struct(">qqx").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihic = struct.Struct(">ihiB").unpack_from
_unpack_ihii = struct.Struct(">ihii").unpack_from
_unpack_ihq = struct.Struct(">ihq").unpack_from
_unpack_ihqqi = struct.Struct(">ihqqi").unpack_from
_unpack_ihqqqc = struct.Struct(">ihqqqB").unpack_from
_unpack_ihqqqi = struct.Struct(">ihqqqi").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_iic = struct.Struct(">iiB").unpack_from
_unpack_iqc = struct.Struct(">iqB").unpack_from
_unpack_qic = struct.Struct(">qiB").unpack_from
_unpack_qq = struct.Struct(">qq").unpack_from
_unpack_qqc = struct.Struct(">qqB").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = 0
    host: str = ""
    port: int = 0
    rack: str | None = None


@dataclass(slots=True)
class AbortedTransaction:
    producer_id: int = 0
    first_offset: int = 0


@dataclass(slots=True)
class SnapshotId:
    end_offset: int = -1
    epoch: int = -1


@dataclass(slots=True)
class LeaderIdAndEpoch:
    leader_id: int = -1
    leader_epoch: int = -1


@dataclass(slots=True)
class EpochEndOffset:
    epoch: int = -1
    end_offset: int = -1


@dataclass(slots=True)
class PartitionData:
    partition_index: int = 0
    error_code: int = 0
    high_watermark: int = 0
    last_stable_offset: int = -1
    log_start_offset: int = -1
    diverging_epoch: EpochEndOffset | None = None
    current_leader: LeaderIdAndEpoch | None = None
    snapshot_id: SnapshotId | None = None
    aborted_transactions: list[AbortedTransaction] | None = field(default_factory=list)
    preferred_read_replica: int = -1
    records: Buffer | RecordsSource | None = None


@dataclass(slots=True)
class FetchableTopicResponse:
    topic: str = ""
    topic_id: bytes = NIL_UUID
    partitions: list[PartitionData] = field(default_factory=list)


@dataclass(slots=True)
class FetchResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    session_id: int = 0
    responses: list[FetchableTopicResponse] = field(default_factory=list)
    node_endpoints: list[NodeEndpoint] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 18
    FLEXIBLE_VERSION: ClassVar[int | None] = 12

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> FetchResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[FetchResponse, int]:
        try:
            if 12 <= version <= 18:
                (message,), end = _read_fetch_response_flexible(data, offset, 1, version)
            elif 0 <= version <= 11:
                (message,), end = _read_fetch_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("FetchResponse", version)
        except MALFORMED as error:
            raise malformed("FetchResponse", version, error) from error
        if end > len(data):
            raise malformed("FetchResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 12 <= version <= 18:
            _write_fetch_response_flexible(out, (self,), version, None)
        elif 0 <= version <= 11:
            _write_fetch_response_classic(out, (self,), version, None)
        else:
            raise ValueError(f"FetchResponse has no version {version}")

    def encode_parts(self, version: int) -> list[Part]:
        out = bytearray()
        parts: list[Part] = []
        if 12 <= version <= 18:
            _write_fetch_response_flexible(out, (self,), version, parts)
        elif 0 <= version <= 11:
            _write_fetch_response_classic(out, (self,), version, parts)
        else:
            raise ValueError(f"FetchResponse has no version {version}")
        if out:
            parts.append(bytes(out))
        return parts


def _read_fetch_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchResponse], int]:
    items: list[FetchResponse] = []
    responses: list[FetchableTopicResponse]
    node_endpoints: list[NodeEndpoint]
    for _ in range(count):
        throttle_time_ms, error_code, session_id, n = _unpack_ihic(data, position)
        position += 11
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FetchResponse.responses")
        responses, position = _read_fetchable_topic_response_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        node_endpoints = []
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0 and version >= 16:
                    n = data[position]
                    position += 1
                    if not 0 < n < 128:
                        n, position = long_length(data, position, n, "FetchResponse.node_endpoints")
                    node_endpoints, position = _read_node_endpoint_flexible(
                        data, position, n - 1, version
                    )
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("FetchResponse", tag)
        items.append(
            FetchResponse(throttle_time_ms, error_code, session_id, responses, node_endpoints)
        )
    return items, position


def _write_fetch_response_flexible(
    out: bytearray, items: Sequence[FetchResponse], version: int, parts: list[Part] | None
) -> None:
    for item in items:
        out += _pack_ihi(item.throttle_time_ms, item.error_code, item.session_id)
        n = len(item.responses) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.responses:
            _write_fetchable_topic_response_flexible(out, item.responses, version, parts)
        if not (version >= 16) and item.node_endpoints:
            raise absent_fault("FetchResponse.node_endpoints", version)
        if version >= 16 and item.node_endpoints:
            out.append(1)
            content = bytearray()
            n = len(item.node_endpoints) + 1
            if n < 128:
                content.append(n)
            else:
                write_uvarint(content, n)
            if item.node_endpoints:
                _write_node_endpoint_flexible(content, item.node_endpoints, version)
            write_tagged(out, 0, content)
        else:
            out.append(0)


def _read_fetchable_topic_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchableTopicResponse], int]:
    if position + count * 3 > len(data):
        raise count_fault("FetchableTopicResponse", count)
    items: list[FetchableTopicResponse] = []
    topic: str
    partitions: list[PartitionData]
    for _ in range(count):
        if version <= 12:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "FetchableTopicResponse.topic")
            end = position + n - 1
            topic = str(data[position:end], "utf-8")
            position = end
        else:
            topic = ""
        if version >= 13:
            topic_id, n = _unpack_uc(data, position)
            position += 17
        else:
            n = data[position]
            position += 1
            topic_id = NIL_UUID
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FetchableTopicResponse.partitions")
        partitions, position = _read_partition_data_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(FetchableTopicResponse(topic, topic_id, partitions))
    return items, position


def _write_fetchable_topic_response_flexible(
    out: bytearray, items: Sequence[FetchableTopicResponse], version: int, parts: list[Part] | None
) -> None:
    for item in items:
        if version <= 12:
            raw = item.topic.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 13:
            out += _pack_u(item.topic_id)
        n = len(item.partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.partitions:
            _write_partition_data_flexible(out, item.partitions, version, parts)
        out.append(0)


def _read_partition_data_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionData], int]:
    if position + count * 37 > len(data):
        raise count_fault("PartitionData", count)
    items: list[PartitionData] = []
    aborted_transactions: list[AbortedTransaction] | None
    records: Buffer | None
    diverging_epoch: EpochEndOffset | None
    current_leader: LeaderIdAndEpoch | None
    snapshot_id: SnapshotId | None
    for _ in range(count):
        partition_index, error_code, high_watermark, last_stable_offset, log_start_offset, n = (
            _unpack_ihqqqc(data, position)
        )
        position += 31
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            aborted_transactions = None
        else:
            aborted_transactions, position = _read_aborted_transaction_flexible(
                data, position, n - 1, version
            )
        preferred_read_replica, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            records = None
        else:
            end = position + n - 1
            records = memoryview(data)[position:end]
            position = end
        tags = data[position]
        position += 1
        diverging_epoch = None
        current_leader = None
        snapshot_id = None
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0:
                    (diverging_epoch,), position = _read_epoch_end_offset_flexible(
                        data, position, 1, version
                    )
                elif tag == 1:
                    (current_leader,), position = _read_leader_id_and_epoch_flexible(
                        data, position, 1, version
                    )
                elif tag == 2:
                    (snapshot_id,), position = _read_snapshot_id_flexible(
                        data, position, 1, version
                    )
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("PartitionData", tag)
        items.append(
            PartitionData(
                partition_index,
                error_code,
                high_watermark,
                last_stable_offset,
                log_start_offset,
                diverging_epoch,
                current_leader,
                snapshot_id,
                aborted_transactions,
                preferred_read_replica,
                records,
            )
        )
    return items, position


def _write_partition_data_flexible(
    out: bytearray, items: Sequence[PartitionData], version: int, parts: list[Part] | None
) -> None:
    for item in items:
        out += _pack_ihqqq(
            item.partition_index,
            item.error_code,
            item.high_watermark,
            item.last_stable_offset,
            item.log_start_offset,
        )
        values_aborted_transactions = item.aborted_transactions
        if values_aborted_transactions is None:
            out.append(0)
        else:
            n = len(values_aborted_transactions) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_aborted_transactions:
                _write_aborted_transaction_flexible(out, values_aborted_transactions, version)
        out += _pack_i(item.preferred_read_replica)
        values_records = item.records
        if values_records is None:
            out.append(0)
        else:
            write_compact_records(out, values_records, parts)
        tags = 0
        if item.diverging_epoch is not None:
            tags += 1
        if item.current_leader is not None:
            tags += 1
        if item.snapshot_id is not None:
            tags += 1
        out.append(tags)
        if tags:
            if item.diverging_epoch is not None:
                content = bytearray()
                _write_epoch_end_offset_flexible(content, (item.diverging_epoch,), version)
                write_tagged(out, 0, content)
            if item.current_leader is not None:
                content = bytearray()
                _write_leader_id_and_epoch_flexible(content, (item.current_leader,), version)
                write_tagged(out, 1, content)
            if item.snapshot_id is not None:
                content = bytearray()
                _write_snapshot_id_flexible(content, (item.snapshot_id,), version)
                write_tagged(out, 2, content)


def _read_epoch_end_offset_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EpochEndOffset], int]:
    if position + count * 13 > len(data):
        raise count_fault("EpochEndOffset", count)
    items: list[EpochEndOffset] = []
    for _ in range(count):
        epoch, end_offset, tags = _unpack_iqc(data, position)
        position += 13
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EpochEndOffset(epoch, end_offset))
    return items, position


def _write_epoch_end_offset_flexible(
    out: bytearray, items: Sequence[EpochEndOffset], version: int
) -> None:
    for item in items:
        out += _pack_iqx(item.epoch, item.end_offset)


def _read_leader_id_and_epoch_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[LeaderIdAndEpoch], int]:
    if position + count * 9 > len(data):
        raise count_fault("LeaderIdAndEpoch", count)
    items: list[LeaderIdAndEpoch] = []
    for _ in range(count):
        leader_id, leader_epoch, tags = _unpack_iic(data, position)
        position += 9
        if tags:
            position = skip_tags(data, position, tags)
        items.append(LeaderIdAndEpoch(leader_id, leader_epoch))
    return items, position


def _write_leader_id_and_epoch_flexible(
    out: bytearray, items: Sequence[LeaderIdAndEpoch], version: int
) -> None:
    for item in items:
        out += _pack_iix(item.leader_id, item.leader_epoch)


def _read_snapshot_id_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[SnapshotId], int]:
    if position + count * 13 > len(data):
        raise count_fault("SnapshotId", count)
    items: list[SnapshotId] = []
    for _ in range(count):
        end_offset, epoch, tags = _unpack_qic(data, position)
        position += 13
        if tags:
            position = skip_tags(data, position, tags)
        items.append(SnapshotId(end_offset, epoch))
    return items, position


def _write_snapshot_id_flexible(out: bytearray, items: Sequence[SnapshotId], version: int) -> None:
    for item in items:
        out += _pack_qix(item.end_offset, item.epoch)


def _read_aborted_transaction_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AbortedTransaction], int]:
    if position + count * 17 > len(data):
        raise count_fault("AbortedTransaction", count)
    items: list[AbortedTransaction] = []
    for _ in range(count):
        producer_id, first_offset, tags = _unpack_qqc(data, position)
        position += 17
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AbortedTransaction(producer_id, first_offset))
    return items, position


def _write_aborted_transaction_flexible(
    out: bytearray, items: Sequence[AbortedTransaction], version: int
) -> None:
    for item in items:
        out += _pack_qqx(item.producer_id, item.first_offset)


def _read_node_endpoint_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[NodeEndpoint], int]:
    if position + count * 11 > len(data):
        raise count_fault("NodeEndpoint", count)
    items: list[NodeEndpoint] = []
    host: str
    rack: str | None
    for _ in range(count):
        node_id, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "NodeEndpoint.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        port, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            rack = None
        else:
            end = position + n - 1
            rack = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(NodeEndpoint(node_id, host, port, rack))
    return items, position


def _write_node_endpoint_flexible(
    out: bytearray, items: Sequence[NodeEndpoint], version: int
) -> None:
    for item in items:
        out += _pack_i(item.node_id)
        raw = item.host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.port)
        values_rack = item.rack
        if values_rack is None:
            out.append(0)
        else:
            raw = values_rack.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_fetch_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchResponse], int]:
    items: list[FetchResponse] = []
    responses: list[FetchableTopicResponse]
    for _ in range(count):
        if version >= 7:
            throttle_time_ms, error_code, session_id, n = _unpack_ihii(data, position)
            position += 14
        elif version >= 1:
            throttle_time_ms, n = _unpack_ii(data, position)
            position += 8
            error_code = 0
            session_id = 0
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            throttle_time_ms = 0
            error_code = 0
            session_id = 0
        if n < 0:
            raise null_fault("FetchResponse.responses")
        responses, position = _read_fetchable_topic_response_classic(data, position, n, version)
        items.append(FetchResponse(throttle_time_ms, error_code, session_id, responses, []))
    return items, position


def _write_fetch_response_classic(
    out: bytearray, items: Sequence[FetchResponse], version: int, parts: list[Part] | None
) -> None:
    for item in items:
        if item.node_endpoints:
            raise absent_fault("FetchResponse.node_endpoints", version)
        if version >= 7:
            out += _pack_ihi(item.throttle_time_ms, item.error_code, item.session_id)
        elif version >= 1:
            if item.session_id != 0:
                raise absent_fault("FetchResponse.session_id", version)
            out += _pack_i(item.throttle_time_ms)
        else:
            if item.session_id != 0:
                raise absent_fault("FetchResponse.session_id", version)
        out += _pack_i(len(item.responses))
        if item.responses:
            _write_fetchable_topic_response_classic(out, item.responses, version, parts)


def _read_fetchable_topic_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchableTopicResponse], int]:
    if position + count * 6 > len(data):
        raise count_fault("FetchableTopicResponse", count)
    items: list[FetchableTopicResponse] = []
    topic: str
    partitions: list[PartitionData]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("FetchableTopicResponse.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("FetchableTopicResponse.partitions")
        partitions, position = _read_partition_data_classic(data, position, n, version)
        items.append(FetchableTopicResponse(topic, NIL_UUID, partitions))
    return items, position


def _write_fetchable_topic_response_classic(
    out: bytearray, items: Sequence[FetchableTopicResponse], version: int, parts: list[Part] | None
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_partition_data_classic(out, item.partitions, version, parts)


def _read_partition_data_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[PartitionData], int]:
    if position + count * 18 > len(data):
        raise count_fault("PartitionData", count)
    items: list[PartitionData] = []
    aborted_transactions: list[AbortedTransaction] | None
    records: Buffer | None
    for _ in range(count):
        if version >= 5:
            partition_index, error_code, high_watermark, last_stable_offset, log_start_offset, n = (
                _unpack_ihqqqi(data, position)
            )
            position += 34
        elif version >= 4:
            partition_index, error_code, high_watermark, last_stable_offset, n = _unpack_ihqqi(
                data, position
            )
            position += 26
            log_start_offset = -1
        else:
            partition_index, error_code, high_watermark = _unpack_ihq(data, position)
            position += 14
            last_stable_offset = -1
            log_start_offset = -1
        if version >= 4:
            if n < 0:
                aborted_transactions = None
            else:
                aborted_transactions, position = _read_aborted_transaction_classic(
                    data, position, n, version
                )
        else:
            aborted_transactions = []
        if version >= 11:
            preferred_read_replica, n = _unpack_ii(data, position)
            position += 8
        else:
            (n,) = _unpack_i(data, position)
            position += 4
            preferred_read_replica = -1
        if n < 0:
            records = None
        else:
            end = position + n
            records = memoryview(data)[position:end]
            position = end
        items.append(
            PartitionData(
                partition_index,
                error_code,
                high_watermark,
                last_stable_offset,
                log_start_offset,
                None,
                None,
                None,
                aborted_transactions,
                preferred_read_replica,
                records,
            )
        )
    return items, position


def _write_partition_data_classic(
    out: bytearray, items: Sequence[PartitionData], version: int, parts: list[Part] | None
) -> None:
    for item in items:
        if item.diverging_epoch is not None:
            raise absent_fault("PartitionData.diverging_epoch", version)
        if item.current_leader is not None:
            raise absent_fault("PartitionData.current_leader", version)
        if item.snapshot_id is not None:
            raise absent_fault("PartitionData.snapshot_id", version)
        if version >= 5:
            out += _pack_ihqqq(
                item.partition_index,
                item.error_code,
                item.high_watermark,
                item.last_stable_offset,
                item.log_start_offset,
            )
        elif version >= 4:
            out += _pack_ihqq(
                item.partition_index, item.error_code, item.high_watermark, item.last_stable_offset
            )
        else:
            out += _pack_ihq(item.partition_index, item.error_code, item.high_watermark)
        if version >= 4:
            values_aborted_transactions = item.aborted_transactions
            if values_aborted_transactions is None:
                out += b"\xff\xff\xff\xff"
            else:
                out += _pack_i(len(values_aborted_transactions))
                if values_aborted_transactions:
                    _write_aborted_transaction_classic(out, values_aborted_transactions, version)
        if version >= 11:
            out += _pack_i(item.preferred_read_replica)
        else:
            if item.preferred_read_replica != -1:
                raise absent_fault("PartitionData.preferred_read_replica", version)
        values_records = item.records
        if values_records is None:
            out += b"\xff\xff\xff\xff"
        else:
            write_records(out, values_records, parts)


def _read_aborted_transaction_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AbortedTransaction], int]:
    if position + count * 16 > len(data):
        raise count_fault("AbortedTransaction", count)
    items: list[AbortedTransaction] = []
    for _ in range(count):
        producer_id, first_offset = _unpack_qq(data, position)
        position += 16
        items.append(AbortedTransaction(producer_id, first_offset))
    return items, position


def _write_aborted_transaction_classic(
    out: bytearray, items: Sequence[AbortedTransaction], version: int
) -> None:
    for item in items:
        out += _pack_qq(item.producer_id, item.first_offset)
