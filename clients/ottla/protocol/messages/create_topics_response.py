"""CreateTopicsResponse, versions 2–7 (flexible from 5).

Generated from create_topics.schema by ottla.protocol.generator; do not edit.
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
    count_fault,
    long_length,
    long_uvarint,
    malformed,
    null_fault,
    read_tag,
    skip_tags,
    tag_fault,
    unknown_version,
    write_tagged,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_ih = struct.Struct(">ih").pack
_pack_obox = struct.Struct(">?b?x").pack
_pack_uh = struct.Struct(">16sh").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_hh = struct.Struct(">hh").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_oboc = struct.Struct(">?b?B").unpack_from
_unpack_uhc = struct.Struct(">16shB").unpack_from


@dataclass(slots=True)
class CreatableTopicConfigs:
    name: str = ""
    value: str | None = ""
    read_only: bool = False
    config_source: int = -1
    is_sensitive: bool = False


@dataclass(slots=True)
class CreatableTopicResult:
    name: str = ""
    topic_id: bytes = NIL_UUID
    error_code: int = 0
    error_message: str | None = ""
    topic_config_error_code: int = 0
    num_partitions: int = -1
    replication_factor: int = -1
    configs: list[CreatableTopicConfigs] | None = field(default_factory=list)


@dataclass(slots=True)
class CreateTopicsResponse(Message):
    throttle_time_ms: int = 0
    topics: list[CreatableTopicResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 2
    MAX_VERSION: ClassVar[int] = 7
    FLEXIBLE_VERSION: ClassVar[int | None] = 5

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> CreateTopicsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[CreateTopicsResponse, int]:
        try:
            if 5 <= version <= 7:
                (message,), end = _read_create_topics_response_flexible(data, offset, 1, version)
            elif 2 <= version <= 4:
                (message,), end = _read_create_topics_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("CreateTopicsResponse", version)
        except MALFORMED as error:
            raise malformed("CreateTopicsResponse", version, error) from error
        if end > len(data):
            raise malformed("CreateTopicsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 5 <= version <= 7:
            _write_create_topics_response_flexible(out, (self,), version)
        elif 2 <= version <= 4:
            _write_create_topics_response_classic(out, (self,), version)
        else:
            raise ValueError(f"CreateTopicsResponse has no version {version}")


def _read_create_topics_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateTopicsResponse], int]:
    items: list[CreateTopicsResponse] = []
    topics: list[CreatableTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreateTopicsResponse.topics")
        topics, position = _read_creatable_topic_result_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreateTopicsResponse(throttle_time_ms, topics))
    return items, position


def _write_create_topics_response_flexible(
    out: bytearray, items: Sequence[CreateTopicsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.topics) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.topics:
            _write_creatable_topic_result_flexible(out, item.topics, version)
        out.append(0)


def _read_creatable_topic_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableTopicResult], int]:
    if position + count * 12 > len(data):
        raise count_fault("CreatableTopicResult", count)
    items: list[CreatableTopicResult] = []
    name: str
    error_message: str | None
    configs: list[CreatableTopicConfigs] | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableTopicResult.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        if version >= 7:
            topic_id, error_code, n = _unpack_uhc(data, position)
            position += 19
        else:
            error_code, n = _unpack_hc(data, position)
            position += 3
            topic_id = NIL_UUID
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            error_message = None
        else:
            end = position + n - 1
            error_message = str(data[position:end], "utf-8")
            position = end
        num_partitions, replication_factor, n = _unpack_ihc(data, position)
        position += 7
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            configs = None
        else:
            configs, position = _read_creatable_topic_configs_flexible(
                data, position, n - 1, version
            )
        tags = data[position]
        position += 1
        topic_config_error_code = 0
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0:
                    (topic_config_error_code,) = _unpack_h(data, position)
                    position += 2
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("CreatableTopicResult", tag)
        items.append(
            CreatableTopicResult(
                name,
                topic_id,
                error_code,
                error_message,
                topic_config_error_code,
                num_partitions,
                replication_factor,
                configs,
            )
        )
    return items, position


def _write_creatable_topic_result_flexible(
    out: bytearray, items: Sequence[CreatableTopicResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        if version >= 7:
            out += _pack_uh(item.topic_id, item.error_code)
        else:
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
        out += _pack_ih(item.num_partitions, item.replication_factor)
        values_configs = item.configs
        if values_configs is None:
            out.append(0)
        else:
            n = len(values_configs) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if values_configs:
                _write_creatable_topic_configs_flexible(out, values_configs, version)
        if item.topic_config_error_code != 0:
            out.append(1)
            write_tagged(out, 0, _pack_h(item.topic_config_error_code))
        else:
            out.append(0)


def _read_creatable_topic_configs_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableTopicConfigs], int]:
    if position + count * 6 > len(data):
        raise count_fault("CreatableTopicConfigs", count)
    items: list[CreatableTopicConfigs] = []
    name: str
    value: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "CreatableTopicConfigs.name")
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
        read_only, config_source, is_sensitive, tags = _unpack_oboc(data, position)
        position += 4
        if tags:
            position = skip_tags(data, position, tags)
        items.append(CreatableTopicConfigs(name, value, read_only, config_source, is_sensitive))
    return items, position


def _write_creatable_topic_configs_flexible(
    out: bytearray, items: Sequence[CreatableTopicConfigs], version: int
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
        out += _pack_obox(item.read_only, item.config_source, item.is_sensitive)


def _read_create_topics_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreateTopicsResponse], int]:
    items: list[CreateTopicsResponse] = []
    topics: list[CreatableTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("CreateTopicsResponse.topics")
        topics, position = _read_creatable_topic_result_classic(data, position, n, version)
        items.append(CreateTopicsResponse(throttle_time_ms, topics))
    return items, position


def _write_create_topics_response_classic(
    out: bytearray, items: Sequence[CreateTopicsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.topics))
        if item.topics:
            _write_creatable_topic_result_classic(out, item.topics, version)


def _read_creatable_topic_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[CreatableTopicResult], int]:
    if position + count * 6 > len(data):
        raise count_fault("CreatableTopicResult", count)
    items: list[CreatableTopicResult] = []
    name: str
    error_message: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            raise null_fault("CreatableTopicResult.name")
        end = position + n
        name = str(data[position:end], "utf-8")
        position = end
        error_code, n = _unpack_hh(data, position)
        position += 4
        if n < 0:
            error_message = None
        else:
            end = position + n
            error_message = str(data[position:end], "utf-8")
            position = end
        items.append(CreatableTopicResult(name, NIL_UUID, error_code, error_message, 0, -1, -1, []))
    return items, position


def _write_creatable_topic_result_classic(
    out: bytearray, items: Sequence[CreatableTopicResult], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        out += _pack_h(len(raw))
        out += raw
        out += _pack_h(item.error_code)
        values_error_message = item.error_message
        if values_error_message is None:
            out += b"\xff\xff"
        else:
            raw = values_error_message.encode()
            out += _pack_h(len(raw))
            out += raw
