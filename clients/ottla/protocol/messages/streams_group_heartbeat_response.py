"""StreamsGroupHeartbeatResponse, versions 0 (flexible from 0).

Generated from streams_group_heartbeat.schema by ottla.protocol.generator; do not edit.
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
    long_uvarint,
    malformed,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_b = struct.Struct(">b").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_iiii = struct.Struct(">iiii").pack
_pack_wx = struct.Struct(">Hx").pack
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_iiiic = struct.Struct(">iiiiB").unpack_from
_unpack_wc = struct.Struct(">HB").unpack_from


@dataclass(slots=True)
class TopicPartition:
    topic: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Endpoint:
    host: str = ""
    port: int = 0


@dataclass(slots=True)
class EndpointToPartitions:
    user_endpoint: Endpoint = field(default_factory=Endpoint)
    active_partitions: list[TopicPartition] = field(default_factory=list)
    standby_partitions: list[TopicPartition] = field(default_factory=list)


@dataclass(slots=True)
class TaskIds:
    subtopology_id: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Status:
    status_code: int = 0
    status_detail: str = ""


@dataclass(slots=True)
class StreamsGroupHeartbeatResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = None
    member_id: str = ""
    member_epoch: int = 0
    heartbeat_interval_ms: int = 0
    acceptable_recovery_lag: int = 0
    task_offset_interval_ms: int = 0
    status: list[Status] | None = field(default_factory=list)
    active_tasks: list[TaskIds] | None = field(default_factory=list)
    standby_tasks: list[TaskIds] | None = field(default_factory=list)
    warmup_tasks: list[TaskIds] | None = field(default_factory=list)
    endpoint_information_epoch: int = 0
    partitions_by_user_endpoint: list[EndpointToPartitions] | None = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> StreamsGroupHeartbeatResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[StreamsGroupHeartbeatResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_streams_group_heartbeat_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("StreamsGroupHeartbeatResponse", version)
        except MALFORMED as error:
            raise malformed("StreamsGroupHeartbeatResponse", version, error) from error
        if end > len(data):
            raise malformed("StreamsGroupHeartbeatResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_streams_group_heartbeat_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"StreamsGroupHeartbeatResponse has no version {version}")


def _read_streams_group_heartbeat_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[StreamsGroupHeartbeatResponse], int]:
    items: list[StreamsGroupHeartbeatResponse] = []
    error_message: str | None
    member_id: str
    status: list[Status] | None
    active_tasks: list[TaskIds] | None
    standby_tasks: list[TaskIds] | None
    warmup_tasks: list[TaskIds] | None
    partitions_by_user_endpoint: list[EndpointToPartitions] | None
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "StreamsGroupHeartbeatResponse.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        member_epoch, heartbeat_interval_ms, acceptable_recovery_lag, task_offset_interval_ms, n = (
            _unpack_iiiic(data, position)
        )
        position += 17
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            status = None
        else:
            status, position = _read_status_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            active_tasks = None
        else:
            active_tasks, position = _read_task_ids_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            standby_tasks = None
        else:
            standby_tasks, position = _read_task_ids_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            warmup_tasks = None
        else:
            warmup_tasks, position = _read_task_ids_flexible(data, position, n - 1, version)
        endpoint_information_epoch, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            partitions_by_user_endpoint = None
        else:
            partitions_by_user_endpoint, position = _read_endpoint_to_partitions_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            StreamsGroupHeartbeatResponse(
                throttle_time_ms,
                error_code,
                error_message,
                member_id,
                member_epoch,
                heartbeat_interval_ms,
                acceptable_recovery_lag,
                task_offset_interval_ms,
                status,
                active_tasks,
                standby_tasks,
                warmup_tasks,
                endpoint_information_epoch,
                partitions_by_user_endpoint,
            )
        )
    return items, position


def _write_streams_group_heartbeat_response_flexible(
    out: bytearray, items: Sequence[StreamsGroupHeartbeatResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
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
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_iiii(
            item.member_epoch,
            item.heartbeat_interval_ms,
            item.acceptable_recovery_lag,
            item.task_offset_interval_ms,
        )
        values_status = item.status
        if values_status is None:
            out.append(0)
        else:
            n = len(values_status) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_status:
                _write_status_flexible(out, values_status, version)
        values_active_tasks = item.active_tasks
        if values_active_tasks is None:
            out.append(0)
        else:
            n = len(values_active_tasks) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_active_tasks:
                _write_task_ids_flexible(out, values_active_tasks, version)
        values_standby_tasks = item.standby_tasks
        if values_standby_tasks is None:
            out.append(0)
        else:
            n = len(values_standby_tasks) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_standby_tasks:
                _write_task_ids_flexible(out, values_standby_tasks, version)
        values_warmup_tasks = item.warmup_tasks
        if values_warmup_tasks is None:
            out.append(0)
        else:
            n = len(values_warmup_tasks) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_warmup_tasks:
                _write_task_ids_flexible(out, values_warmup_tasks, version)
        out += _pack_i(item.endpoint_information_epoch)
        values_partitions_by_user_endpoint = item.partitions_by_user_endpoint
        if values_partitions_by_user_endpoint is None:
            out.append(0)
        else:
            n = len(values_partitions_by_user_endpoint) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_partitions_by_user_endpoint:
                _write_endpoint_to_partitions_flexible(
                    out, values_partitions_by_user_endpoint, version
                )
        out.append(0)


def _read_status_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Status], int]:
    if position + count * 3 > len(data):
        raise count_fault("Status", count)
    items: list[Status] = []
    status_detail: str
    for _ in range(count):
        status_code, n = _unpack_bc(data, position)
        position += 2
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Status.status_detail")
        end = position + n - 1
        status_detail = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Status(status_code, status_detail))
    return items, position


def _write_status_flexible(out: bytearray, items: Sequence[Status], version: int) -> None:
    for item in items:
        out += _pack_b(item.status_code)
        raw = item.status_detail.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)


def _read_task_ids_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TaskIds], int]:
    if position + count * 3 > len(data):
        raise count_fault("TaskIds", count)
    items: list[TaskIds] = []
    subtopology_id: str
    partitions: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TaskIds.subtopology_id")
        end = position + n - 1
        subtopology_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TaskIds.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TaskIds(subtopology_id, partitions))
    return items, position


def _write_task_ids_flexible(out: bytearray, items: Sequence[TaskIds], version: int) -> None:
    for item in items:
        raw = item.subtopology_id.encode()
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


def _read_endpoint_to_partitions_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[EndpointToPartitions], int]:
    if position + count * 7 > len(data):
        raise count_fault("EndpointToPartitions", count)
    items: list[EndpointToPartitions] = []
    user_endpoint: Endpoint
    active_partitions: list[TopicPartition]
    standby_partitions: list[TopicPartition]
    for _ in range(count):
        (user_endpoint,), position = _read_endpoint_flexible(data, position, 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EndpointToPartitions.active_partitions")
        active_partitions, position = _read_topic_partition_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "EndpointToPartitions.standby_partitions")
        standby_partitions, position = _read_topic_partition_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(EndpointToPartitions(user_endpoint, active_partitions, standby_partitions))
    return items, position


def _write_endpoint_to_partitions_flexible(
    out: bytearray, items: Sequence[EndpointToPartitions], version: int
) -> None:
    for item in items:
        _write_endpoint_flexible(out, (item.user_endpoint,), version)
        n = len(item.active_partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.active_partitions:
            _write_topic_partition_flexible(out, item.active_partitions, version)
        n = len(item.standby_partitions) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.standby_partitions:
            _write_topic_partition_flexible(out, item.standby_partitions, version)
        out.append(0)


def _read_endpoint_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Endpoint], int]:
    if position + count * 4 > len(data):
        raise count_fault("Endpoint", count)
    items: list[Endpoint] = []
    host: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Endpoint.host")
        end = position + n - 1
        host = str(data[position:end], "utf-8")
        position = end
        port, tags = _unpack_wc(data, position)
        position += 3
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Endpoint(host, port))
    return items, position


def _write_endpoint_flexible(out: bytearray, items: Sequence[Endpoint], version: int) -> None:
    for item in items:
        raw = item.host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_wx(item.port)


def _read_topic_partition_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicPartition], int]:
    if position + count * 3 > len(data):
        raise count_fault("TopicPartition", count)
    items: list[TopicPartition] = []
    topic: str
    partitions: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicPartition.topic")
        end = position + n - 1
        topic = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicPartition.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicPartition(topic, partitions))
    return items, position


def _write_topic_partition_flexible(
    out: bytearray, items: Sequence[TopicPartition], version: int
) -> None:
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
