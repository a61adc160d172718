"""StreamsGroupHeartbeatRequest, versions 0 (flexible from 0).

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
    read_compact_string_array,
    read_int16_array,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_int16_array,
    write_int32_array,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_ii = struct.Struct(">ii").pack
_pack_iqx = struct.Struct(">iqx").pack
_pack_ox = struct.Struct(">?x").pack
_pack_wx = struct.Struct(">Hx").pack
_unpack_b = struct.Struct(">b").unpack_from
_unpack_ib = struct.Struct(">ib").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_iic = struct.Struct(">iiB").unpack_from
_unpack_iqc = struct.Struct(">iqB").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from
_unpack_wc = struct.Struct(">HB").unpack_from


@dataclass(slots=True)
class TaskOffset:
    subtopology_id: str = ""
    partition: int = 0
    offset: int = 0


@dataclass(slots=True)
class Endpoint:
    host: str = ""
    port: int = 0


@dataclass(slots=True)
class TaskIds:
    subtopology_id: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CopartitionGroup:
    source_topics: list[int] = field(default_factory=list)
    source_topic_regex: list[int] = field(default_factory=list)
    repartition_source_topics: list[int] = field(default_factory=list)


@dataclass(slots=True)
class KeyValue:
    key: str = ""
    value: str = ""


@dataclass(slots=True)
class TopicInfo:
    name: str = ""
    partitions: int = 0
    replication_factor: int = 0
    topic_configs: list[KeyValue] = field(default_factory=list)


@dataclass(slots=True)
class Subtopology:
    subtopology_id: str = ""
    source_topics: list[str] = field(default_factory=list)
    source_topic_regex: list[str] = field(default_factory=list)
    state_changelog_topics: list[TopicInfo] = field(default_factory=list)
    repartition_sink_topics: list[str] = field(default_factory=list)
    repartition_source_topics: list[TopicInfo] = field(default_factory=list)
    copartition_groups: list[CopartitionGroup] = field(default_factory=list)


@dataclass(slots=True)
class Topology:
    epoch: int = 0
    subtopologies: list[Subtopology] = field(default_factory=list)


@dataclass(slots=True)
class StreamsGroupHeartbeatRequest(Message):
    group_id: str = ""
    member_id: str = ""
    member_epoch: int = 0
    endpoint_information_epoch: int = 0
    instance_id: str | None = None
    rack_id: str | None = None
    rebalance_timeout_ms: int = -1
    topology: Topology | None = None
    active_tasks: list[TaskIds] | None = field(default_factory=list)
    standby_tasks: list[TaskIds] | None = field(default_factory=list)
    warmup_tasks: list[TaskIds] | None = field(default_factory=list)
    process_id: str | None = None
    user_endpoint: Endpoint | None = None
    client_tags: list[KeyValue] | None = field(default_factory=list)
    task_offsets: list[TaskOffset] | None = field(default_factory=list)
    task_end_offsets: list[TaskOffset] | None = field(default_factory=list)
    shutdown_application: bool = False

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> StreamsGroupHeartbeatRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[StreamsGroupHeartbeatRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_streams_group_heartbeat_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("StreamsGroupHeartbeatRequest", version)
        except MALFORMED as error:
            raise malformed("StreamsGroupHeartbeatRequest", version, error) from error
        if end > len(data):
            raise malformed("StreamsGroupHeartbeatRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_streams_group_heartbeat_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"StreamsGroupHeartbeatRequest has no version {version}")


def _read_streams_group_heartbeat_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[StreamsGroupHeartbeatRequest], int]:
    items: list[StreamsGroupHeartbeatRequest] = []
    group_id: str
    member_id: str
    instance_id: str | None
    rack_id: str | None
    topology: Topology | None
    active_tasks: list[TaskIds] | None
    standby_tasks: list[TaskIds] | None
    warmup_tasks: list[TaskIds] | None
    process_id: str | None
    user_endpoint: Endpoint | None
    client_tags: list[KeyValue] | None
    task_offsets: list[TaskOffset] | None
    task_end_offsets: list[TaskOffset] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "StreamsGroupHeartbeatRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "StreamsGroupHeartbeatRequest.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        member_epoch, endpoint_information_epoch, n = _unpack_iic(data, position)
        position += 9
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            instance_id = None
        else:
            end = position + n - 1
            instance_id = str(data[position:end], "utf-8")
            position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            rack_id = None
        else:
            end = position + n - 1
            rack_id = str(data[position:end], "utf-8")
            position = end
        rebalance_timeout_ms, n = _unpack_ib(data, position)
        position += 5
        if n < 0:
            topology = None
        else:
            (topology,), position = _read_topology_flexible(data, position, 1, version)
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
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            process_id = None
        else:
            end = position + n - 1
            process_id = str(data[position:end], "utf-8")
            position = end
        (n,) = _unpack_b(data, position)
        position += 1
        if n < 0:
            user_endpoint = None
        else:
            (user_endpoint,), position = _read_endpoint_flexible(data, position, 1, version)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            client_tags = None
        else:
            client_tags, position = _read_key_value_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            task_offsets = None
        else:
            task_offsets, position = _read_task_offset_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            task_end_offsets = None
        else:
            task_end_offsets, position = _read_task_offset_flexible(data, position, n - 1, version)
        shutdown_application, tags = _unpack_oc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            StreamsGroupHeartbeatRequest(
                group_id,
                member_id,
                member_epoch,
                endpoint_information_epoch,
                instance_id,
                rack_id,
                rebalance_timeout_ms,
                topology,
                active_tasks,
                standby_tasks,
                warmup_tasks,
                process_id,
                user_endpoint,
                client_tags,
                task_offsets,
                task_end_offsets,
                shutdown_application,
            )
        )
    return items, position


def _write_streams_group_heartbeat_request_flexible(
    out: bytearray, items: Sequence[StreamsGroupHeartbeatRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
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
        out += _pack_ii(item.member_epoch, item.endpoint_information_epoch)
        values_instance_id = item.instance_id
        if values_instance_id is None:
            out.append(0)
        else:
            raw = values_instance_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        values_rack_id = item.rack_id
        if values_rack_id is None:
            out.append(0)
        else:
            raw = values_rack_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_i(item.rebalance_timeout_ms)
        if item.topology is None:
            out.append(255)
        else:
            out.append(1)
            _write_topology_flexible(out, (item.topology,), version)
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
        values_process_id = item.process_id
        if values_process_id is None:
            out.append(0)
        else:
            raw = values_process_id.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if item.user_endpoint is None:
            out.append(255)
        else:
            out.append(1)
            _write_endpoint_flexible(out, (item.user_endpoint,), version)
        values_client_tags = item.client_tags
        if values_client_tags is None:
            out.append(0)
        else:
            n = len(values_client_tags) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_client_tags:
                _write_key_value_flexible(out, values_client_tags, version)
        values_task_offsets = item.task_offsets
        if values_task_offsets is None:
            out.append(0)
        else:
            n = len(values_task_offsets) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_task_offsets:
                _write_task_offset_flexible(out, values_task_offsets, version)
        values_task_end_offsets = item.task_end_offsets
        if values_task_end_offsets is None:
            out.append(0)
        else:
            n = len(values_task_end_offsets) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_task_end_offsets:
                _write_task_offset_flexible(out, values_task_end_offsets, version)
        out += _pack_ox(item.shutdown_application)


def _read_topology_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Topology], int]:
    if position + count * 6 > len(data):
        raise count_fault("Topology", count)
    items: list[Topology] = []
    subtopologies: list[Subtopology]
    for _ in range(count):
        epoch, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Topology.subtopologies")
        subtopologies, position = _read_subtopology_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Topology(epoch, subtopologies))
    return items, position


def _write_topology_flexible(out: bytearray, items: Sequence[Topology], version: int) -> None:
    for item in items:
        out += _pack_i(item.epoch)
        n = len(item.subtopologies) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.subtopologies:
            _write_subtopology_flexible(out, item.subtopologies, version)
        out.append(0)


def _read_subtopology_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Subtopology], int]:
    if position + count * 8 > len(data):
        raise count_fault("Subtopology", count)
    items: list[Subtopology] = []
    subtopology_id: str
    source_topics: list[str]
    source_topic_regex: list[str]
    state_changelog_topics: list[TopicInfo]
    repartition_sink_topics: list[str]
    repartition_source_topics: list[TopicInfo]
    copartition_groups: list[CopartitionGroup]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.subtopology_id")
        end = position + n - 1
        subtopology_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.source_topics")
        source_topics, position = read_compact_string_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.source_topic_regex")
        source_topic_regex, position = read_compact_string_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.state_changelog_topics")
        state_changelog_topics, position = _read_topic_info_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.repartition_sink_topics")
        repartition_sink_topics, position = read_compact_string_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.repartition_source_topics")
        repartition_source_topics, position = _read_topic_info_flexible(
            data, position, n - 1, version
        )
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.copartition_groups")
        copartition_groups, position = _read_copartition_group_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            Subtopology(
                subtopology_id,
                source_topics,
                source_topic_regex,
                state_changelog_topics,
                repartition_sink_topics,
                repartition_source_topics,
                copartition_groups,
            )
        )
    return items, position


def _write_subtopology_flexible(out: bytearray, items: Sequence[Subtopology], version: int) -> None:
    for item in items:
        raw = item.subtopology_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.source_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.source_topics:
            write_compact_string_array(out, item.source_topics)
        n = len(item.source_topic_regex) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.source_topic_regex:
            write_compact_string_array(out, item.source_topic_regex)
        n = len(item.state_changelog_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.state_changelog_topics:
            _write_topic_info_flexible(out, item.state_changelog_topics, version)
        n = len(item.repartition_sink_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.repartition_sink_topics:
            write_compact_string_array(out, item.repartition_sink_topics)
        n = len(item.repartition_source_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.repartition_source_topics:
            _write_topic_info_flexible(out, item.repartition_source_topics, version)
        n = len(item.copartition_groups) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.copartition_groups:
            _write_copartition_group_flexible(out, item.copartition_groups, version)
        out.append(0)


def _read_topic_info_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TopicInfo], int]:
    if position + count * 9 > len(data):
        raise count_fault("TopicInfo", count)
    items: list[TopicInfo] = []
    name: str
    topic_configs: list[KeyValue]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicInfo.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        partitions, replication_factor, n = _unpack_ihc(data, position)
        position += 7
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TopicInfo.topic_configs")
        topic_configs, position = _read_key_value_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TopicInfo(name, partitions, replication_factor, topic_configs))
    return items, position


def _write_topic_info_flexible(out: bytearray, items: Sequence[TopicInfo], version: int) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_ih(item.partitions, item.replication_factor)
        n = len(item.topic_configs) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topic_configs:
            _write_key_value_flexible(out, item.topic_configs, version)
        out.append(0)


def _read_key_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[KeyValue], int]:
    if position + count * 3 > len(data):
        raise count_fault("KeyValue", count)
    items: list[KeyValue] = []
    key: str
    value: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "KeyValue.key")
        end = position + n - 1
        key = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "KeyValue.value")
        end = position + n - 1
        value = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(KeyValue(key, value))
    return items, position


def _write_key_value_flexible(out: bytearray, items: Sequence[KeyValue], version: int) -> None:
    for item in items:
        raw = item.key.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.value.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)


def _read_copartition_group_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CopartitionGroup], int]:
    if position + count * 4 > len(data):
        raise count_fault("CopartitionGroup", count)
    items: list[CopartitionGroup] = []
    source_topics: list[int]
    source_topic_regex: list[int]
    repartition_source_topics: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CopartitionGroup.source_topics")
        source_topics, position = read_int16_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CopartitionGroup.source_topic_regex")
        source_topic_regex, position = read_int16_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "CopartitionGroup.repartition_source_topics"
            )
        repartition_source_topics, position = read_int16_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CopartitionGroup(source_topics, source_topic_regex, repartition_source_topics))
    return items, position


def _write_copartition_group_flexible(
    out: bytearray, items: Sequence[CopartitionGroup], version: int
) -> None:
    for item in items:
        n = len(item.source_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.source_topics:
            write_int16_array(out, item.source_topics)
        n = len(item.source_topic_regex) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.source_topic_regex:
            write_int16_array(out, item.source_topic_regex)
        n = len(item.repartition_source_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.repartition_source_topics:
            write_int16_array(out, item.repartition_source_topics)
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


def _read_task_offset_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[TaskOffset], int]:
    if position + count * 14 > len(data):
        raise count_fault("TaskOffset", count)
    items: list[TaskOffset] = []
    subtopology_id: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "TaskOffset.subtopology_id")
        end = position + n - 1
        subtopology_id = str(data[position:end], "utf-8")
        position = end
        partition, offset, tags = _unpack_iqc(data, position)
        position += 13
        if tags:
            position = skip_tags(data, position, tags)
        items.append(TaskOffset(subtopology_id, partition, offset))
    return items, position


def _write_task_offset_flexible(out: bytearray, items: Sequence[TaskOffset], version: int) -> None:
    for item in items:
        raw = item.subtopology_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_iqx(item.partition, item.offset)
