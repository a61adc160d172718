"""StreamsGroupDescribeResponse, versions 0 (flexible from 0).

Generated from streams_group_describe.schema by ottla.protocol.generator; do not edit.
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
    read_int32_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_ii = struct.Struct(">ii").pack
_pack_iqx = struct.Struct(">iqx").pack
_pack_ix = struct.Struct(">ix").pack
_pack_ox = struct.Struct(">?x").pack
_pack_wx = struct.Struct(">Hx").pack
_unpack_b = struct.Struct(">b").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_iib = struct.Struct(">iib").unpack_from
_unpack_iqc = struct.Struct(">iqB").unpack_from
_unpack_oc = struct.Struct(">?B").unpack_from
_unpack_wc = struct.Struct(">HB").unpack_from


@dataclass(slots=True)
class TaskIds:
    subtopology_id: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Assignment:
    active_tasks: list[TaskIds] = field(default_factory=list)
    standby_tasks: list[TaskIds] = field(default_factory=list)
    warmup_tasks: list[TaskIds] = field(default_factory=list)


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
class Member:
    member_id: str = ""
    member_epoch: int = 0
    instance_id: str | None = None
    rack_id: str | None = None
    client_id: str = ""
    client_host: str = ""
    topology_epoch: int = 0
    process_id: str = ""
    user_endpoint: Endpoint | None = None
    client_tags: list[KeyValue] = field(default_factory=list)
    task_offsets: list[TaskOffset] = field(default_factory=list)
    task_end_offsets: list[TaskOffset] = field(default_factory=list)
    assignment: Assignment = field(default_factory=Assignment)
    target_assignment: Assignment = field(default_factory=Assignment)
    is_classic: bool = False


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
    repartition_sink_topics: list[str] = field(default_factory=list)
    state_changelog_topics: list[TopicInfo] = field(default_factory=list)
    repartition_source_topics: list[TopicInfo] = field(default_factory=list)


@dataclass(slots=True)
class Topology:
    epoch: int = 0
    subtopologies: list[Subtopology] | None = field(default_factory=list)


@dataclass(slots=True)
class DescribedGroup:
    error_code: int = 0
    error_message: str | None = None
    group_id: str = ""
    group_state: str = ""
    group_epoch: int = 0
    assignment_epoch: int = 0
    topology: Topology | None = None
    members: list[Member] = field(default_factory=list)
    authorized_operations: int = -2147483648


@dataclass(slots=True)
class StreamsGroupDescribeResponse(Message):
    throttle_time_ms: int = 0
    groups: list[DescribedGroup] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> StreamsGroupDescribeResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[StreamsGroupDescribeResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_streams_group_describe_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("StreamsGroupDescribeResponse", version)
        except MALFORMED as error:
            raise malformed("StreamsGroupDescribeResponse", version, error) from error
        if end > len(data):
            raise malformed("StreamsGroupDescribeResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_streams_group_describe_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"StreamsGroupDescribeResponse has no version {version}")


def _read_streams_group_describe_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[StreamsGroupDescribeResponse], int]:
    items: list[StreamsGroupDescribeResponse] = []
    groups: list[DescribedGroup]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "StreamsGroupDescribeResponse.groups")
        groups, position = _read_described_group_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(StreamsGroupDescribeResponse(throttle_time_ms, groups))
    return items, position


def _write_streams_group_describe_response_flexible(
    out: bytearray, items: Sequence[StreamsGroupDescribeResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.groups) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.groups:
            _write_described_group_flexible(out, item.groups, version)
        out.append(0)


def _read_described_group_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribedGroup], int]:
    if position + count * 20 > len(data):
        raise count_fault("DescribedGroup", count)
    items: list[DescribedGroup] = []
    error_message: str | None
    group_id: str
    group_state: str
    topology: Topology | None
    members: list[Member]
    for _ in range(count):
        error_code, n = _unpack_hc(data, position)
        position += 3
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
            n, position = long_length(data, position, n, "DescribedGroup.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.group_state")
        end = position + n - 1
        group_state = str(data[position:end], "utf-8")
        position = end
        group_epoch, assignment_epoch, n = _unpack_iib(data, position)
        position += 9
        if n < 0:
            topology = None
        else:
            (topology,), position = _read_topology_flexible(data, position, 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DescribedGroup.members")
        members, position = _read_member_flexible(data, position, n - 1, version)
        authorized_operations, tags = _unpack_ic(data, position)
        position += 5
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DescribedGroup(
                error_code,
                error_message,
                group_id,
                group_state,
                group_epoch,
                assignment_epoch,
                topology,
                members,
                authorized_operations,
            )
        )
    return items, position


def _write_described_group_flexible(
    out: bytearray, items: Sequence[DescribedGroup], version: int
) -> None:
    for item in items:
        out += _pack_h(item.error_code)
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
        raw = item.group_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.group_state.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_ii(item.group_epoch, item.assignment_epoch)
        if item.topology is None:
            out.append(255)
        else:
            out.append(1)
            _write_topology_flexible(out, (item.topology,), version)
        n = len(item.members) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.members:
            _write_member_flexible(out, item.members, version)
        out += _pack_ix(item.authorized_operations)


def _read_topology_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Topology], int]:
    if position + count * 6 > len(data):
        raise count_fault("Topology", count)
    items: list[Topology] = []
    subtopologies: list[Subtopology] | None
    for _ in range(count):
        epoch, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            subtopologies = None
        else:
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
        values_subtopologies = item.subtopologies
        if values_subtopologies is None:
            out.append(0)
        else:
            n = len(values_subtopologies) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_subtopologies:
                _write_subtopology_flexible(out, values_subtopologies, version)
        out.append(0)


def _read_subtopology_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Subtopology], int]:
    if position + count * 6 > len(data):
        raise count_fault("Subtopology", count)
    items: list[Subtopology] = []
    subtopology_id: str
    source_topics: list[str]
    repartition_sink_topics: list[str]
    state_changelog_topics: list[TopicInfo]
    repartition_source_topics: list[TopicInfo]
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
            n, position = long_length(data, position, n, "Subtopology.repartition_sink_topics")
        repartition_sink_topics, position = read_compact_string_array(data, position, n - 1)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.state_changelog_topics")
        state_changelog_topics, position = _read_topic_info_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Subtopology.repartition_source_topics")
        repartition_source_topics, position = _read_topic_info_flexible(
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
                repartition_sink_topics,
                state_changelog_topics,
                repartition_source_topics,
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
        n = len(item.repartition_sink_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.repartition_sink_topics:
            write_compact_string_array(out, item.repartition_sink_topics)
        n = len(item.state_changelog_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.state_changelog_topics:
            _write_topic_info_flexible(out, item.state_changelog_topics, version)
        n = len(item.repartition_source_topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.repartition_source_topics:
            _write_topic_info_flexible(out, item.repartition_source_topics, version)
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


def _read_member_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Member], int]:
    if position + count * 28 > len(data):
        raise count_fault("Member", count)
    items: list[Member] = []
    member_id: str
    instance_id: str | None
    rack_id: str | None
    client_id: str
    client_host: str
    process_id: str
    user_endpoint: Endpoint | None
    client_tags: list[KeyValue]
    task_offsets: list[TaskOffset]
    task_end_offsets: list[TaskOffset]
    assignment: Assignment
    target_assignment: Assignment
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.member_id")
        end = position + n - 1
        member_id = str(data[position:end], "utf-8")
        position = end
        member_epoch, n = _unpack_ic(data, position)
        position += 5
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
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.client_id")
        end = position + n - 1
        client_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.client_host")
        end = position + n - 1
        client_host = str(data[position:end], "utf-8")
        position = end
        topology_epoch, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.process_id")
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
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.client_tags")
        client_tags, position = _read_key_value_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.task_offsets")
        task_offsets, position = _read_task_offset_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Member.task_end_offsets")
        task_end_offsets, position = _read_task_offset_flexible(data, position, n - 1, version)
        (assignment,), position = _read_assignment_flexible(data, position, 1, version)
        (target_assignment,), position = _read_assignment_flexible(data, position, 1, version)
        is_classic, tags = _unpack_oc(data, position)
        position += 2
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            Member(
                member_id,
                member_epoch,
                instance_id,
                rack_id,
                client_id,
                client_host,
                topology_epoch,
                process_id,
                user_endpoint,
                client_tags,
                task_offsets,
                task_end_offsets,
                assignment,
                target_assignment,
                is_classic,
            )
        )
    return items, position


def _write_member_flexible(out: bytearray, items: Sequence[Member], version: int) -> None:
    for item in items:
        raw = item.member_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.member_epoch)
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
        raw = item.client_id.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        raw = item.client_host.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_i(item.topology_epoch)
        raw = item.process_id.encode()
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
        n = len(item.client_tags) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.client_tags:
            _write_key_value_flexible(out, item.client_tags, version)
        n = len(item.task_offsets) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.task_offsets:
            _write_task_offset_flexible(out, item.task_offsets, version)
        n = len(item.task_end_offsets) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.task_end_offsets:
            _write_task_offset_flexible(out, item.task_end_offsets, version)
        _write_assignment_flexible(out, (item.assignment,), version)
        _write_assignment_flexible(out, (item.target_assignment,), version)
        out += _pack_ox(item.is_classic)


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


def _read_assignment_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[Assignment], int]:
    if position + count * 4 > len(data):
        raise count_fault("Assignment", count)
    items: list[Assignment] = []
    active_tasks: list[TaskIds]
    standby_tasks: list[TaskIds]
    warmup_tasks: list[TaskIds]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Assignment.active_tasks")
        active_tasks, position = _read_task_ids_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Assignment.standby_tasks")
        standby_tasks, position = _read_task_ids_flexible(data, position, n - 1, version)
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "Assignment.warmup_tasks")
        warmup_tasks, position = _read_task_ids_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(Assignment(active_tasks, standby_tasks, warmup_tasks))
    return items, position


def _write_assignment_flexible(out: bytearray, items: Sequence[Assignment], version: int) -> None:
    for item in items:
        n = len(item.active_tasks) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.active_tasks:
            _write_task_ids_flexible(out, item.active_tasks, version)
        n = len(item.standby_tasks) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.standby_tasks:
            _write_task_ids_flexible(out, item.standby_tasks, version)
        n = len(item.warmup_tasks) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.warmup_tasks:
            _write_task_ids_flexible(out, item.warmup_tasks, version)
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
