"""ListConfigResourcesRequest, versions 0–1 (flexible from 0).

Generated from list_config_resources.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    absent_fault,
    long_length,
    malformed,
    read_int8_array,
    skip_tags,
    unknown_version,
    write_int8_array,
    write_uvarint,
)


@dataclass(slots=True)
class ListConfigResourcesRequest(Message):
    resource_types: list[int] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ListConfigResourcesRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ListConfigResourcesRequest, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_list_config_resources_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ListConfigResourcesRequest", version)
        except MALFORMED as error:
            raise malformed("ListConfigResourcesRequest", version, error) from error
        if end > len(data):
            raise malformed("ListConfigResourcesRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_list_config_resources_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"ListConfigResourcesRequest has no version {version}")


def _read_list_config_resources_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListConfigResourcesRequest], int]:
    items: list[ListConfigResourcesRequest] = []
    resource_types: list[int]
    for _ in range(count):
        if version >= 1:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(
                    data, position, n, "ListConfigResourcesRequest.resource_types"
                )
            resource_types, position = read_int8_array(data, position, n - 1)
        else:
            resource_types = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListConfigResourcesRequest(resource_types))
    return items, position


def _write_list_config_resources_request_flexible(
    out: bytearray, items: Sequence[ListConfigResourcesRequest], version: int
) -> None:
    for item in items:
        if version >= 1:
            n = len(item.resource_types) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.resource_types:
                write_int8_array(out, item.resource_types)
        elif item.resource_types:
            raise absent_fault("ListConfigResourcesRequest.resource_types", version)
        out.append(0)
