"""FetchRequest, versions 0–18 (flexible from 12).

Generated from fetch.schema by ottla.protocol.generator; do not edit.
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
_pack_iii = struct.Struct(">iii").pack
_pack_iiibii = struct.Struct(">iiibii").pack
_pack_iiii = struct.Struct(">iiii").pack
_pack_iiiib = struct.Struct(">iiiib").pack
_pack_iiiibii = struct.Struct(">iiiibii").pack
_pack_iiqiqi = struct.Struct(">iiqiqi").pack
_pack_iiqqi = struct.Struct(">iiqqi").pack
_pack_iqi = struct.Struct(">iqi").pack
_pack_iqqi = struct.Struct(">iqqi").pack
_pack_iqx = struct.Struct(">iqx").pack
_pack_q = struct.Struct(">q").pack
_pack_u = struct.Struct(">16s").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_iiibiic = struct.Struct(">iiibiiB").unpack_from
_unpack_iiii = struct.Struct(">iiii").unpack_from
_unpack_iiiibi = struct.Struct(">iiiibi").unpack_from
_unpack_iiiibiic = struct.Struct(">iiiibiiB").unpack_from
_unpack_iiiibiii = struct.Struct(">iiiibiii").unpack_from
_unpack_iiiii = struct.Struct(">iiiii").unpack_from
_unpack_iiqiqic = struct.Struct(">iiqiqiB").unpack_from
_unpack_iiqqi = struct.Struct(">iiqqi").unpack_from
_unpack_iqc = struct.Struct(">iqB").unpack_from
_unpack_iqi = struct.Struct(">iqi").unpack_from
_unpack_iqqi = struct.Struct(">iqqi").unpack_from
_unpack_q = struct.Struct(">q").unpack_from
_unpack_u = struct.Struct(">16s").unpack_from
_unpack_uc = struct.Struct(">16sB").unpack_from


@dataclass(slots=True)
class ForgottenTopic:
    topic: str = ""
    topic_id: bytes = NIL_UUID
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class FetchPartition:
    partition: int = 0
    current_leader_epoch: int = -1
    fetch_offset: int = 0
    last_fetched_epoch: int = -1
    log_start_offset: int = -1
    partition_max_bytes: int = 0
    replica_directory_id: bytes = NIL_UUID
    high_watermark: int = 9223372036854775807


@dataclass(slots=True)
class FetchTopic:
    topic: str = ""
    topic_id: bytes = NIL_UUID
    partitions: list[FetchPartition] = field(default_factory=list)


@dataclass(slots=True)
class ReplicaState:
    replica_id: int = -1
    replica_epoch: int = -1


@dataclass(slots=True)
class FetchRequest(Message):
    cluster_id: str | None = None
    replica_id: int = -1
    replica_state: ReplicaState | None = None
    max_wait_ms: int = 0
    min_bytes: int = 0
    max_bytes: int = 2147483647
    isolation_level: int = 0
    session_id: int = 0
    session_epoch: int = -1
    topics: list[FetchTopic] = field(default_factory=list)
    forgotten_topics_data: list[ForgottenTopic] = field(default_factory=list)
    rack_id: str = ""

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 18
    FLEXIBLE_VERSION: ClassVar[int | None] = 12

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> FetchRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[FetchRequest, int]:
        try:
            if 12 <= version <= 18:
                (message,), end = _read_fetch_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 11:
                (message,), end = _read_fetch_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("FetchRequest", version)
        except MALFORMED as error:
            raise malformed("FetchRequest", version, error) from error
        if end > len(data):
            raise malformed("FetchRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 12 <= version <= 18:
            _write_fetch_request_flexible(out, (self,), version)
        elif 0 <= version <= 11:
            _write_fetch_request_classic(out, (self,), version)
        else:
            raise ValueError(f"FetchRequest has no version {version}")


def _read_fetch_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchRequest], int]:
    items: list[FetchRequest] = []
    topics: list[FetchTopic]
    forgotten_topics_data: list[ForgottenTopic]
    rack_id: str
    cluster_id: str | None
    replica_state: ReplicaState | None
    for _ in range(count):
        if version >= 15:
            max_wait_ms, min_bytes, max_bytes, isolation_level, session_id, session_epoch, n = (
                _unpack_iiibiic(data, position)
            )
            position += 22
            replica_id = -1
        else:
            (
                replica_id,
                max_wait_ms,
                min_bytes,
                max_bytes,
                isolation_level,
                session_id,
                session_epoch,
                n,
            ) = _unpack_iiiibiic(data, position)
            position += 26
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FetchRequest.topics")
        topics, position = _read_fetch_topic_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FetchRequest.forgotten_topics_data")
        forgotten_topics_data, position = _read_forgotten_topic_flexible(
            data, position, n - 1, version
        )
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "FetchRequest.rack_id")
        end = position + n - 1
        rack_id = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        cluster_id = None
        replica_state = None
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0:
                    n = data[position]
                    position += 1
                    if n > 127:
                        n, position = long_uvarint(data, position, n)
                    if n == 0:
                        cluster_id = None
                    else:
                        end = position + n - 1
                        cluster_id = str(data[position:end], "utf-8")
                        position = end
                elif tag == 1 and version >= 15:
                    (replica_state,), position = _read_replica_state_flexible(
                        data, position, 1, version
                    )
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("FetchRequest", tag)
        items.append(
            FetchRequest(
                cluster_id,
                replica_id,
                replica_state,
                max_wait_ms,
                min_bytes,
                max_bytes,
                isolation_level,
                session_id,
                session_epoch,
                topics,
                forgotten_topics_data,
                rack_id,
            )
        )
    return items, position


def _write_fetch_request_flexible(
    out: bytearray, items: Sequence[FetchRequest], version: int
) -> None:
    for item in items:
        if version >= 15:
            if item.replica_id != -1:
                raise absent_fault("FetchRequest.replica_id", version)
            out += _pack_iiibii(
                item.max_wait_ms,
                item.min_bytes,
                item.max_bytes,
                item.isolation_level,
                item.session_id,
                item.session_epoch,
            )
        else:
            out += _pack_iiiibii(
                item.replica_id,
                item.max_wait_ms,
                item.min_bytes,
                item.max_bytes,
                item.isolation_level,
                item.session_id,
                item.session_epoch,
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
        raw = item.rack_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        if not (version >= 15) and item.replica_state is not None:
            raise absent_fault("FetchRequest.replica_state", version)
        tags = 0
        if item.cluster_id is not None:
            tags += 1
        if version >= 15 and item.replica_state is not None:
            tags += 1
        out.append(tags)
        if tags:
            if item.cluster_id is not None:
                content = bytearray()
                raw = item.cluster_id.encode()
                n = len(raw) + 1
                if n < 128:
                    content.append(n)
                else:
                    write_uvarint(content, n)
                content += raw
                write_tagged(out, 0, content)
            if version >= 15 and item.replica_state is not None:
                content = bytearray()
                _write_replica_state_flexible(content, (item.replica_state,), version)
                write_tagged(out, 1, content)


def _read_replica_state_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ReplicaState], int]:
    if position + count * 13 > len(data):
        raise count_fault("ReplicaState", count)
    items: list[ReplicaState] = []
    for _ in range(count):
        replica_id, replica_epoch, tags = _unpack_iqc(data, position)
        position += 13
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ReplicaState(replica_id, replica_epoch))
    return items, position


def _write_replica_state_flexible(
    out: bytearray, items: Sequence[ReplicaState], version: int
) -> None:
    for item in items:
        out += _pack_iqx(item.replica_id, item.replica_epoch)


def _read_fetch_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("FetchTopic", count)
    items: list[FetchTopic] = []
    topic: str
    partitions: list[FetchPartition]
    for _ in range(count):
        if version <= 12:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "FetchTopic.topic")
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
            n, position = long_length(data, position, n, "FetchTopic.partitions")
        partitions, position = _read_fetch_partition_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(FetchTopic(topic, topic_id, partitions))
    return items, position


def _write_fetch_topic_flexible(out: bytearray, items: Sequence[FetchTopic], version: int) -> None:
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
            _write_fetch_partition_flexible(out, item.partitions, version)
        out.append(0)


def _read_fetch_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchPartition], int]:
    if position + count * 33 > len(data):
        raise count_fault("FetchPartition", count)
    items: list[FetchPartition] = []
    for _ in range(count):
        (
            partition,
            current_leader_epoch,
            fetch_offset,
            last_fetched_epoch,
            log_start_offset,
            partition_max_bytes,
            tags,
        ) = _unpack_iiqiqic(data, position)
        position += 33
        replica_directory_id = NIL_UUID
        high_watermark = 9223372036854775807
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0 and version >= 17:
                    (replica_directory_id,) = _unpack_u(data, position)
                    position += 16
                elif tag == 1 and version >= 18:
                    (high_watermark,) = _unpack_q(data, position)
                    position += 8
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("FetchPartition", tag)
        items.append(
            FetchPartition(
                partition,
                current_leader_epoch,
                fetch_offset,
                last_fetched_epoch,
                log_start_offset,
                partition_max_bytes,
                replica_directory_id,
                high_watermark,
            )
        )
    return items, position


def _write_fetch_partition_flexible(
    out: bytearray, items: Sequence[FetchPartition], version: int
) -> None:
    for item in items:
        out += _pack_iiqiqi(
            item.partition,
            item.current_leader_epoch,
            item.fetch_offset,
            item.last_fetched_epoch,
            item.log_start_offset,
            item.partition_max_bytes,
        )
        tags = 0
        if version >= 17 and item.replica_directory_id != NIL_UUID:
            tags += 1
        if version >= 18 and item.high_watermark != 9223372036854775807:
            tags += 1
        out.append(tags)
        if tags:
            if version >= 17 and item.replica_directory_id != NIL_UUID:
                write_tagged(out, 0, _pack_u(item.replica_directory_id))
            if version >= 18 and item.high_watermark != 9223372036854775807:
                write_tagged(out, 1, _pack_q(item.high_watermark))


def _read_forgotten_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ForgottenTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("ForgottenTopic", count)
    items: list[ForgottenTopic] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        if version <= 12:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "ForgottenTopic.topic")
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
            n, position = long_length(data, position, n, "ForgottenTopic.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ForgottenTopic(topic, topic_id, partitions))
    return items, position


def _write_forgotten_topic_flexible(
    out: bytearray, items: Sequence[ForgottenTopic], version: int
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
            write_int32_array(out, item.partitions)
        out.append(0)


def _read_fetch_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchRequest], int]:
    items: list[FetchRequest] = []
    topics: list[FetchTopic]
    forgotten_topics_data: list[ForgottenTopic]
    rack_id: str
    for _ in range(count):
        if version >= 7:
            (
                replica_id,
                max_wait_ms,
                min_bytes,
                max_bytes,
                isolation_level,
                session_id,
                session_epoch,
                n,
            ) = _unpack_iiiibiii(data, position)
            position += 29
        elif version >= 4:
            replica_id, max_wait_ms, min_bytes, max_bytes, isolation_level, n = _unpack_iiiibi(
                data, position
            )
            position += 21
            session_id = 0
            session_epoch = -1
        elif version >= 3:
            replica_id, max_wait_ms, min_bytes, max_bytes, n = _unpack_iiiii(data, position)
            position += 20
            isolation_level = 0
            session_id = 0
            session_epoch = -1
        else:
            replica_id, max_wait_ms, min_bytes, n = _unpack_iiii(data, position)
            position += 16
            max_bytes = 2147483647
            isolation_level = 0
            session_id = 0
            session_epoch = -1
        if n < 0:
            raise null_fault("FetchRequest.topics")
        topics, position = _read_fetch_topic_classic(data, position, n, version)
        if version >= 7:
            (n,) = _unpack_i(data, position)
            position += 4
            if n < 0:
                raise null_fault("FetchRequest.forgotten_topics_data")
            forgotten_topics_data, position = _read_forgotten_topic_classic(
                data, position, n, version
            )
        else:
            forgotten_topics_data = []
        if version >= 11:
            (n,) = _unpack_h(data, position)
            position += 2
            if n < 0:
                raise null_fault("FetchRequest.rack_id")
            end = position + n
            rack_id = str(data[position:end], "utf-8")
            position = end
        else:
            rack_id = ""
        items.append(
            FetchRequest(
                None,
                replica_id,
                None,
                max_wait_ms,
                min_bytes,
                max_bytes,
                isolation_level,
                session_id,
                session_epoch,
                topics,
                forgotten_topics_data,
                rack_id,
            )
        )
    return items, position


def _write_fetch_request_classic(
    out: bytearray, items: Sequence[FetchRequest], version: int
) -> None:
    for item in items:
        if item.replica_state is not None:
            raise absent_fault("FetchRequest.replica_state", version)
        if version >= 7:
            out += _pack_iiiibii(
                item.replica_id,
                item.max_wait_ms,
                item.min_bytes,
                item.max_bytes,
                item.isolation_level,
                item.session_id,
                item.session_epoch,
            )
        elif version >= 4:
            out += _pack_iiiib(
                item.replica_id,
                item.max_wait_ms,
                item.min_bytes,
                item.max_bytes,
                item.isolation_level,
            )
        elif version >= 3:
            out += _pack_iiii(item.replica_id, item.max_wait_ms, item.min_bytes, item.max_bytes)
        else:
            out += _pack_iii(item.replica_id, item.max_wait_ms, item.min_bytes)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_fetch_topic_classic(out, item.topics, version)
        if version >= 7:
            out += _pack_i(len(item.forgotten_topics_data))
            if item.forgotten_topics_data:
                _write_forgotten_topic_classic(out, item.forgotten_topics_data, version)
        elif item.forgotten_topics_data:
            raise absent_fault("FetchRequest.forgotten_topics_data", version)
        if version >= 11:
            raw = item.rack_id.encode()
            out += _pack_h(len(raw))
            out += raw


def _read_fetch_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("FetchTopic", count)
    items: list[FetchTopic] = []
    topic: str
    partitions: list[FetchPartition]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("FetchTopic.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("FetchTopic.partitions")
        partitions, position = _read_fetch_partition_classic(data, position, n, version)
        items.append(FetchTopic(topic, NIL_UUID, partitions))
    return items, position


def _write_fetch_topic_classic(out: bytearray, items: Sequence[FetchTopic], version: int) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            _write_fetch_partition_classic(out, item.partitions, version)


def _read_fetch_partition_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[FetchPartition], int]:
    if position + count * 16 > len(data):
        raise count_fault("FetchPartition", count)
    items: list[FetchPartition] = []
    for _ in range(count):
        if version >= 9:
            partition, current_leader_epoch, fetch_offset, log_start_offset, partition_max_bytes = (
                _unpack_iiqqi(data, position)
            )
            position += 28
        elif version >= 5:
            partition, fetch_offset, log_start_offset, partition_max_bytes = _unpack_iqqi(
                data, position
            )
            position += 24
            current_leader_epoch = -1
        else:
            partition, fetch_offset, partition_max_bytes = _unpack_iqi(data, position)
            position += 16
            current_leader_epoch = -1
            log_start_offset = -1
        items.append(
            FetchPartition(
                partition,
                current_leader_epoch,
                fetch_offset,
                -1,
                log_start_offset,
                partition_max_bytes,
                NIL_UUID,
                9223372036854775807,
            )
        )
    return items, position


def _write_fetch_partition_classic(
    out: bytearray, items: Sequence[FetchPartition], version: int
) -> None:
    for item in items:
        if item.last_fetched_epoch != -1:
            raise absent_fault("FetchPartition.last_fetched_epoch", version)
        if version >= 9:
            out += _pack_iiqqi(
                item.partition,
                item.current_leader_epoch,
                item.fetch_offset,
                item.log_start_offset,
                item.partition_max_bytes,
            )
        elif version >= 5:
            out += _pack_iqqi(
                item.partition, item.fetch_offset, item.log_start_offset, item.partition_max_bytes
            )
        else:
            out += _pack_iqi(item.partition, item.fetch_offset, item.partition_max_bytes)


def _read_forgotten_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ForgottenTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("ForgottenTopic", count)
    items: list[ForgottenTopic] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("ForgottenTopic.topic")
        end = position + n
        topic = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("ForgottenTopic.partitions")
        partitions, position = read_int32_array(data, position, n)
        items.append(ForgottenTopic(topic, NIL_UUID, partitions))
    return items, position


def _write_forgotten_topic_classic(
    out: bytearray, items: Sequence[ForgottenTopic], version: int
) -> None:
    for item in items:
        raw = item.topic.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            write_int32_array(out, item.partitions)
