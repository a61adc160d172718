"""CreateTopicsRequest, versions 2–7 (flexible from 5).

Generated from create_topics.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_io = struct.Struct(">i?").pack
_pack_iox = struct.Struct(">i?x").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ihi = struct.Struct(">ihi").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_io = struct.Struct(">i?").unpack_from
_unpack_ioc = struct.Struct(">i?B").unpack_from


@dataclass(slots=True)
class CreatableTopicConfig:
    name: str = ""
    value: str | None = ""


@dataclass(slots=True)
class CreatableReplicaAssignment:
    partition_index: int = 0
    broker_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CreatableTopic:
    name: str = ""
    num_partitions: int = 0
    replication_factor: int = 0
    assignments: list[CreatableReplicaAssignment] = field(default_factory=list)
    configs: list[CreatableTopicConfig] = field(default_factory=list)


@dataclass(slots=True)
class CreateTopicsRequest(Message):
    topics: list[CreatableTopic] = field(default_factory=list)
    timeout_ms: int = 60000
    validate_only: bool = False

    MIN_VERSION: ClassVar[int] = 2
    MAX_VERSION: ClassVar[int] = 7
    FLEXIBLE_VERSION: ClassVar[int | None] = 5

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> CreateTopicsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[CreateTopicsRequest, int]:
        try:
            if 5 <= version <= 7:
                (message,), end = _read_create_topics_request_flexible(data, offset, 1, version)
            elif 2 <= version <= 4:
                (message,), end = _read_create_topics_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("CreateTopicsRequest", version)
        except MALFORMED as error:
            raise malformed("CreateTopicsRequest", version, error) from error
        if end > len(data):
            raise malformed("CreateTopicsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 5 <= version <= 7:
            _write_create_topics_request_flexible(out, (self,), version)
        elif 2 <= version <= 4:
            _write_create_topics_request_classic(out, (self,), version)
        else:
            raise ValueError(f"CreateTopicsRequest has no version {version}")


def _read_create_topics_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateTopicsRequest], int]:
    items: list[CreateTopicsRequest] = []
    topics: list[CreatableTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreateTopicsRequest.topics")
        topics, position = _read_creatable_topic_flexible(data, position, n - 1, version)
        timeout_ms, validate_only, tags = _unpack_ioc(data, position)
        position += 6
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreateTopicsRequest(topics, timeout_ms, validate_only))
    return items, position


def _write_create_topics_request_flexible(
    out: bytearray, items: Sequence[CreateTopicsRequest], version: int
) -> None:
    for item in items:
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_creatable_topic_flexible(out, item.topics, version)
        out += _pack_iox(item.timeout_ms, item.validate_only)


def _read_creatable_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableTopic], int]:
    if position + count * 10 > len(data):
        raise count_fault("CreatableTopic", count)
    items: list[CreatableTopic] = []
    name: str
    assignments: list[CreatableReplicaAssignment]
    configs: list[CreatableTopicConfig]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        num_partitions, replication_factor, n = _unpack_ihc(data, position)
        position += 7
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableTopic.assignments")
        assignments, position = _read_creatable_replica_assignment_flexible(
            data, position, n - 1, version
        )
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableTopic.configs")
        configs, position = _read_creatable_topic_config_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatableTopic(name, num_partitions, replication_factor, assignments, configs))
    return items, position


def _write_creatable_topic_flexible(
    out: bytearray, items: Sequence[CreatableTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_ih(item.num_partitions, item.replication_factor)
        n = len(item.assignments) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.assignments:
            _write_creatable_replica_assignment_flexible(out, item.assignments, version)
        n = len(item.configs) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.configs:
            _write_creatable_topic_config_flexible(out, item.configs, version)
        out.append(0)


def _read_creatable_replica_assignment_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableReplicaAssignment], int]:
    if position + count * 6 > len(data):
        raise count_fault("CreatableReplicaAssignment", count)
    items: list[CreatableReplicaAssignment] = []
    broker_ids: list[int]
    for _ in range(count):
        partition_index, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableReplicaAssignment.broker_ids")
        broker_ids, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatableReplicaAssignment(partition_index, broker_ids))
    return items, position


def _write_creatable_replica_assignment_flexible(
    out: bytearray, items: Sequence[CreatableReplicaAssignment], version: int
) -> None:
    for item in items:
        out += _pack_i(item.partition_index)
        n = len(item.broker_ids) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.broker_ids:
            write_int32_array(out, item.broker_ids)
        out.append(0)


def _read_creatable_topic_config_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableTopicConfig], int]:
    if position + count * 3 > len(data):
        raise count_fault("CreatableTopicConfig", count)
    items: list[CreatableTopicConfig] = []
    name: str
    value: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableTopicConfig.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            value = None
        else:
            end = position + n - 1
            value = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatableTopicConfig(name, value))
    return items, position


def _write_creatable_topic_config_flexible(
    out: bytearray, items: Sequence[CreatableTopicConfig], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        values_value = item.value
        if values_value is None:
            out.append(0)
        else:
            raw = values_value.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out.append(0)


def _read_create_topics_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateTopicsRequest], int]:
    items: list[CreateTopicsRequest] = []
    topics: list[CreatableTopic]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("CreateTopicsRequest.topics")
        topics, position = _read_creatable_topic_classic(data, position, n, version)
        timeout_ms, validate_only = _unpack_io(data, position)
        position += 5
        items.append(CreateTopicsRequest(topics, timeout_ms, validate_only))
    return items, position


def _write_create_topics_request_classic(
    out: bytearray, items: Sequence[CreateTopicsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_creatable_topic_classic(out, item.topics, version)
        out += _pack_io(item.timeout_ms, item.validate_only)


def _read_creatable_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableTopic], int]:
    if position + count * 16 > len(data):
        raise count_fault("CreatableTopic", count)
    items: list[CreatableTopic] = []
    name: str
    assignments: list[CreatableReplicaAssignment]
    configs: list[CreatableTopicConfig]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("CreatableTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        num_partitions, replication_factor, n = _unpack_ihi(data, position)
        position += 10
        if n < 0:
            raise null_fault("CreatableTopic.assignments")
        assignments, position = _read_creatable_replica_assignment_classic(
            data, position, n, version
        )
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("CreatableTopic.configs")
        configs, position = _read_creatable_topic_config_classic(data, position, n, version)
        items.append(CreatableTopic(name, num_partitions, replication_factor, assignments, configs))
    return items, position


def _write_creatable_topic_classic(
    out: bytearray, items: Sequence[CreatableTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_ih(item.num_partitions, item.replication_factor)
        out += _pack_i(len(item.assignments))
        if item.assignments:
            _write_creatable_replica_assignment_classic(out, item.assignments, version)
        out += _pack_i(len(item.configs))
        if item.configs:
            _write_creatable_topic_config_classic(out, item.configs, version)


def _read_creatable_replica_assignment_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableReplicaAssignment], int]:
    if position + count * 8 > len(data):
        raise count_fault("CreatableReplicaAssignment", count)
    items: list[CreatableReplicaAssignment] = []
    broker_ids: list[int]
    for _ in range(count):
        partition_index, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("CreatableReplicaAssignment.broker_ids")
        broker_ids, position = read_int32_array(data, position, n)
        items.append(CreatableReplicaAssignment(partition_index, broker_ids))
    return items, position


def _write_creatable_replica_assignment_classic(
    out: bytearray, items: Sequence[CreatableReplicaAssignment], version: int
) -> None:
    for item in items:
        out += _pack_i(item.partition_index)
        out += _pack_i(len(item.broker_ids))
        if item.broker_ids:
            write_int32_array(out, item.broker_ids)


def _read_creatable_topic_config_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableTopicConfig], int]:
    if position + count * 4 > len(data):
        raise count_fault("CreatableTopicConfig", count)
    items: list[CreatableTopicConfig] = []
    name: str
    value: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("CreatableTopicConfig.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            value = None
        else:
            end = position + n
            value = str(data[position:end], "utf-8")
            position = end
        items.append(CreatableTopicConfig(name, value))
    return items, position


def _write_creatable_topic_config_classic(
    out: bytearray, items: Sequence[CreatableTopicConfig], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        values_value = item.value
        if values_value is None:
            out += b"\xff\xff"
        else:
            raw = values_value.encode()
            out += _pack_h(len(raw))
            out += raw
