"""DeleteShareGroupOffsetsResponse, versions 0 (flexible from 0).

Generated from delete_share_group_offsets.schema by ottla.protocol.generator; do not edit.
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
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_ih = struct.Struct(">ih").pack
_pack_uh = struct.Struct(">16sh").pack
_unpack_ihc = struct.Struct(">ihB").unpack_from
_unpack_uhc = struct.Struct(">16shB").unpack_from


@dataclass(slots=True)
class DeleteShareGroupOffsetsResponseTopic:
    topic_name: str = ""
    topic_id: bytes = NIL_UUID
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class DeleteShareGroupOffsetsResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = None
    responses: list[DeleteShareGroupOffsetsResponseTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteShareGroupOffsetsResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DeleteShareGroupOffsetsResponse, int]:
        try:
            if version == 0:
                (message,), end = _read_delete_share_group_offsets_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DeleteShareGroupOffsetsResponse", version)
        except MALFORMED as error:
            raise malformed("DeleteShareGroupOffsetsResponse", version, error) from error
        if end > len(data):
            raise malformed("DeleteShareGroupOffsetsResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_delete_share_group_offsets_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"DeleteShareGroupOffsetsResponse has no version {version}")


def _read_delete_share_group_offsets_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteShareGroupOffsetsResponse], int]:
    items: list[DeleteShareGroupOffsetsResponse] = []
    error_message: str | None
    responses: list[DeleteShareGroupOffsetsResponseTopic]
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
            n, position = long_length(
                data, position, n, "DeleteShareGroupOffsetsResponse.responses"
            )
        responses, position = _read_delete_share_group_offsets_response_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(
            DeleteShareGroupOffsetsResponse(throttle_time_ms, error_code, error_message, responses)
        )
    return items, position


def _write_delete_share_group_offsets_response_flexible(
    out: bytearray, items: Sequence[DeleteShareGroupOffsetsResponse], version: int
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
        n = len(item.responses) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.responses:
            _write_delete_share_group_offsets_response_topic_flexible(out, item.responses, version)
        out.append(0)


def _read_delete_share_group_offsets_response_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteShareGroupOffsetsResponseTopic], int]:
    if position + count * 21 > len(data):
        raise count_fault("DeleteShareGroupOffsetsResponseTopic", count)
    items: list[DeleteShareGroupOffsetsResponseTopic] = []
    topic_name: str
    error_message: str | None
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DeleteShareGroupOffsetsResponseTopic.topic_name"
            )
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        topic_id, error_code, n = _unpack_uhc(data, position)
        position += 19
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
        items.append(
            DeleteShareGroupOffsetsResponseTopic(topic_name, topic_id, error_code, error_message)
        )
    return items, position


def _write_delete_share_group_offsets_response_topic_flexible(
    out: bytearray, items: Sequence[DeleteShareGroupOffsetsResponseTopic], version: int
) -> None:
    for item in items:
        raw = item.topic_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out += _pack_uh(item.topic_id, item.error_code)
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
