"""DeleteShareGroupOffsetsRequest, versions 0 (flexible from 0).

Generated from delete_share_group_offsets.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    count_fault,
    long_length,
    malformed,
    skip_tags,
    unknown_version,
    write_uvarint,
)


@dataclass(slots=True)
class DeleteShareGroupOffsetsRequestTopic:
    topic_name: str = ""


@dataclass(slots=True)
class DeleteShareGroupOffsetsRequest(Message):
    group_id: str = ""
    topics: list[DeleteShareGroupOffsetsRequestTopic] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DeleteShareGroupOffsetsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DeleteShareGroupOffsetsRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_delete_share_group_offsets_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DeleteShareGroupOffsetsRequest", version)
        except MALFORMED as error:
            raise malformed("DeleteShareGroupOffsetsRequest", version, error) from error
        if end > len(data):
            raise malformed("DeleteShareGroupOffsetsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_delete_share_group_offsets_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"DeleteShareGroupOffsetsRequest has no version {version}")


def _read_delete_share_group_offsets_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteShareGroupOffsetsRequest], int]:
    items: list[DeleteShareGroupOffsetsRequest] = []
    group_id: str
    topics: list[DeleteShareGroupOffsetsRequestTopic]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteShareGroupOffsetsRequest.group_id")
        end = position + n - 1
        group_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "DeleteShareGroupOffsetsRequest.topics")
        topics, position = _read_delete_share_group_offsets_request_topic_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteShareGroupOffsetsRequest(group_id, topics))
    return items, position


def _write_delete_share_group_offsets_request_flexible(
    out: bytearray, items: Sequence[DeleteShareGroupOffsetsRequest], version: int
) -> None:
    for item in items:
        raw = item.group_id.encode()
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
            _write_delete_share_group_offsets_request_topic_flexible(out, item.topics, version)
        out.append(0)


def _read_delete_share_group_offsets_request_topic_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DeleteShareGroupOffsetsRequestTopic], int]:
    if position + count * 2 > len(data):
        raise count_fault("DeleteShareGroupOffsetsRequestTopic", count)
    items: list[DeleteShareGroupOffsetsRequestTopic] = []
    topic_name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DeleteShareGroupOffsetsRequestTopic.topic_name"
            )
        end = position + n - 1
        topic_name = str(data[position:end], "utf-8")
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DeleteShareGroupOffsetsRequestTopic(topic_name))
    return items, position


def _write_delete_share_group_offsets_request_topic_flexible(
    out: bytearray, items: Sequence[DeleteShareGroupOffsetsRequestTopic], version: int
) -> None:
    for item in items:
        raw = item.topic_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        out.append(0)
