"""AlterReplicaLogDirsRequest, versions 1–2 (flexible from 2).

Generated from alter_replica_log_dirs.schema by ottla.protocol.generator; do not edit.
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
    null_fault,
    read_int32_array,
    skip_tags,
    unknown_version,
    write_int32_array,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_i = struct.Struct(">i").unpack_from


@dataclass(slots=True)
class AlterReplicaLogDirTopic:
    name: str = ""
    partitions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class AlterReplicaLogDir:
    path: str = ""
    topics: list[AlterReplicaLogDirTopic] = field(default_factory=list)


@dataclass(slots=True)
class AlterReplicaLogDirsRequest(Message):
    dirs: list[AlterReplicaLogDir] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 2
    FLEXIBLE_VERSION: ClassVar[int | None] = 2

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> AlterReplicaLogDirsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[AlterReplicaLogDirsRequest, int]:
        try:
            if version == 2:
                (message,), end = _read_alter_replica_log_dirs_request_flexible(
                    data, offset, 1, version
                )
            elif version == 1:
                (message,), end = _read_alter_replica_log_dirs_request_classic(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("AlterReplicaLogDirsRequest", version)
        except MALFORMED as error:
            raise malformed("AlterReplicaLogDirsRequest", version, error) from error
        if end > len(data):
            raise malformed("AlterReplicaLogDirsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 2:
            _write_alter_replica_log_dirs_request_flexible(out, (self,), version)
        elif version == 1:
            _write_alter_replica_log_dirs_request_classic(out, (self,), version)
        else:
            raise ValueError(f"AlterReplicaLogDirsRequest has no version {version}")


def _read_alter_replica_log_dirs_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirsRequest], int]:
    items: list[AlterReplicaLogDirsRequest] = []
    dirs: list[AlterReplicaLogDir]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterReplicaLogDirsRequest.dirs")
        dirs, position = _read_alter_replica_log_dir_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterReplicaLogDirsRequest(dirs))
    return items, position


def _write_alter_replica_log_dirs_request_flexible(
    out: bytearray, items: Sequence[AlterReplicaLogDirsRequest], version: int
) -> None:
    for item in items:
        n = len(item.dirs) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.dirs:
            _write_alter_replica_log_dir_flexible(out, item.dirs, version)
        out.append(0)


def _read_alter_replica_log_dir_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDir], int]:
    if position + count * 3 > len(data):
        raise count_fault("AlterReplicaLogDir", count)
    items: list[AlterReplicaLogDir] = []
    path: str
    topics: list[AlterReplicaLogDirTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterReplicaLogDir.path")
        end = position + n - 1
        path = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterReplicaLogDir.topics")
        topics, position = _read_alter_replica_log_dir_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterReplicaLogDir(path, topics))
    return items, position


def _write_alter_replica_log_dir_flexible(
    out: bytearray, items: Sequence[AlterReplicaLogDir], version: int
) -> None:
    for item in items:
        raw = item.path.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_alter_replica_log_dir_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_alter_replica_log_dir_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirTopic], int]:
    if position + count * 3 > len(data):
        raise count_fault("AlterReplicaLogDirTopic", count)
    items: list[AlterReplicaLogDirTopic] = []
    name: str
    partitions: list[int]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterReplicaLogDirTopic.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "AlterReplicaLogDirTopic.partitions")
        partitions, position = read_int32_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(AlterReplicaLogDirTopic(name, partitions))
    return items, position


def _write_alter_replica_log_dir_topic_flexible(
    out: bytearray, items: Sequence[AlterReplicaLogDirTopic], version: int
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


def _read_alter_replica_log_dirs_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirsRequest], int]:
    items: list[AlterReplicaLogDirsRequest] = []
    dirs: list[AlterReplicaLogDir]
    for _ in range(count):
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AlterReplicaLogDirsRequest.dirs")
        dirs, position = _read_alter_replica_log_dir_classic(data, position, n, version)
        items.append(AlterReplicaLogDirsRequest(dirs))
    return items, position


def _write_alter_replica_log_dirs_request_classic(
    out: bytearray, items: Sequence[AlterReplicaLogDirsRequest], version: int
) -> None:
    for item in items:
        out += _pack_i(len(item.dirs))
        if item.dirs:
            _write_alter_replica_log_dir_classic(out, item.dirs, version)


def _read_alter_replica_log_dir_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDir], int]:
    if position + count * 6 > len(data):
        raise count_fault("AlterReplicaLogDir", count)
    items: list[AlterReplicaLogDir] = []
    path: str
    topics: list[AlterReplicaLogDirTopic]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AlterReplicaLogDir.path")
        end = position + n
        path = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AlterReplicaLogDir.topics")
        topics, position = _read_alter_replica_log_dir_topic_classic(data, position, n, version)
        items.append(AlterReplicaLogDir(path, topics))
    return items, position


def _write_alter_replica_log_dir_classic(
    out: bytearray, items: Sequence[AlterReplicaLogDir], version: int
) -> None:
    for item in items:
        raw = item.path.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_alter_replica_log_dir_topic_classic(out, item.topics, version)


def _read_alter_replica_log_dir_topic_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[AlterReplicaLogDirTopic], int]:
    if position + count * 6 > len(data):
        raise count_fault("AlterReplicaLogDirTopic", count)
    items: list[AlterReplicaLogDirTopic] = []
    name: str
    partitions: list[int]
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("AlterReplicaLogDirTopic.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        (n,) = _unpack_i(data, position)
        position += 4
        if n < 0:
            raise null_fault("AlterReplicaLogDirTopic.partitions")
        partitions, position = read_int32_array(data, position, n)
        items.append(AlterReplicaLogDirTopic(name, partitions))
    return items, position


def _write_alter_replica_log_dir_topic_classic(
    out: bytearray, items: Sequence[AlterReplicaLogDirTopic], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_i(len(item.partitions))
        if item.partitions:
            write_int32_array(out, item.partitions)
