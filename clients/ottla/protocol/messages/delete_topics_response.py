"""DeleteTopicsResponse, versions 1–6 (flexible from 4).

Generated from delete_topics.schema by ottla.protocol.generator; do not edit.
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
    null_value_fault,
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_h = struct.Struct(">h").pack
_pack_i = struct.Struct(">i").pack
_pack_uh = struct.Struct(">16sh").pack
_unpack_h = struct.Struct(">h").unpack_from
_unpack_hc = struct.Struct(">hB").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from
_unpack_ii = struct.Struct(">ii").unpack_from
_unpack_uhc = struct.Struct(">16shB").unpack_from


@dataclass(slots=True)
class DeletableTopicResult:
    name: str | None = ""
    topic_id: bytes = NIL_UUID
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class DeleteTopicsResponse(Message):
    throttle_time_ms: int = 0
    responses: list[DeletableTopicResult] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 1
    MAX_VERSION: ClassVar[int] = 6
    FLEXIBLE_VERSION: ClassVar[int | None] = 4

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteTopicsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DeleteTopicsResponse, int]:
        try:
            if 4 <= version <= 6:
                (message,), end = _read_delete_topics_response_flexible(data, offset, 1, version)
            elif 1 <= version <= 3:
                (message,), end = _read_delete_topics_response_classic(data, offset, 1, version)
            else:
                raise unknown_version("DeleteTopicsResponse", version)
        except MALFORMED as error:
            raise malformed("DeleteTopicsResponse", version, error) from error
        if end > len(data):
            raise malformed("DeleteTopicsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 4 <= version <= 6:
            _write_delete_topics_response_flexible(out, (self,), version)
        elif 1 <= version <= 3:
            _write_delete_topics_response_classic(out, (self,), version)
        else:
            raise ValueError(f"DeleteTopicsResponse has no version {version}")


def _read_delete_topics_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteTopicsResponse], int]:
    items: list[DeleteTopicsResponse] = []
    responses: list[DeletableTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteTopicsResponse.responses")
        responses, position = _read_deletable_topic_result_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteTopicsResponse(throttle_time_ms, responses))
    return items, position


def _write_delete_topics_response_flexible(
    out: bytearray, items: Sequence[DeleteTopicsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        n = len(item.responses) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.responses:
            _write_deletable_topic_result_flexible(out, item.responses, version)
        out.append(0)


def _read_deletable_topic_result_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeletableTopicResult], int]:
    if position + count * 4 > len(data):
        raise count_fault("DeletableTopicResult", count)
    items: list[DeletableTopicResult] = []
    name: str | None
    error_message: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            if not (version >= 6):
                raise null_fault("DeletableTopicResult.name")
            name = None
        else:
            end = position + n - 1
            name = str(data[position:end], "utf-8")
            position = end
        if version >= 6:
            topic_id, error_code, n = _unpack_uhc(data, position)
            position += 19
        elif version >= 5:
            error_code, n = _unpack_hc(data, position)
            position += 3
            topic_id = NIL_UUID
        else:
            (error_code,) = _unpack_h(data, position)
            position += 2
            topic_id = NIL_UUID
        if version >= 5:
            if n > 127:
                n, position = long_uvarint(data, position, n)
            if n == 0:
                error_message = None
            else:
                end = position + n - 1
                error_message = str(data[position:end], "utf-8")
                position = end
        else:
            error_message = None
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeletableTopicResult(name, topic_id, error_code, error_message))
    return items, position


def _write_deletable_topic_result_flexible(
    out: bytearray, items: Sequence[DeletableTopicResult], version: int
) -> None:
    for item in items:
        values_name = item.name
        if values_name is None:
            if not (version >= 6):
                raise null_value_fault("DeletableTopicResult.name", version)
            out.append(0)
        else:
            raw = values_name.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if version >= 6:
            out += _pack_uh(item.topic_id, item.error_code)
        else:
            out += _pack_h(item.error_code)
        if version >= 5:
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


def _read_delete_topics_response_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteTopicsResponse], int]:
    items: list[DeleteTopicsResponse] = []
    responses: list[DeletableTopicResult]
    for _ in range(count):
        throttle_time_ms, n = _unpack_ii(data, position)
        position += 8
        if n < 0:
            raise null_fault("DeleteTopicsResponse.responses")
        responses, position = _read_deletable_topic_result_classic(data, position, n, version)
        items.append(DeleteTopicsResponse(throttle_time_ms, responses))
    return items, position


def _write_delete_topics_response_classic(
    out: bytearray, items: Sequence[DeleteTopicsResponse], version: int
) -> None:
    for item in items:
        out += _pack_i(item.throttle_time_ms)
        out += _pack_i(len(item.responses))
        if item.responses:
            _write_deletable_topic_result_classic(out, item.responses, version)


def _read_deletable_topic_result_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeletableTopicResult], int]:
    if position + count * 4 > len(data):
        raise count_fault("DeletableTopicResult", count)
    items: list[DeletableTopicResult] = []
    name: str | None
    for _ in range(count):
        (n,) = _unpack_h(data, position)
        position += 2
        if n < 0:
            if not (version >= 6):
                raise null_fault("DeletableTopicResult.name")
            name = None
        else:
            end = position + n
            name = str(data[position:end], "utf-8")
            position = end
        (error_code,) = _unpack_h(data, position)
        position += 2
        items.append(DeletableTopicResult(name, NIL_UUID, error_code, None))
    return items, position


def _write_deletable_topic_result_classic(
    out: bytearray, items: Sequence[DeletableTopicResult], version: int
) -> None:
    for item in items:
        values_name = item.name
        if values_name is None:
            if not (version >= 6):
                raise null_value_fault("DeletableTopicResult.name", version)
            out += b"\xff\xff"
        else:
            raw = values_name.encode()
            out += _pack_h(len(raw))
            out += raw
        out += _pack_h(item.error_code)
