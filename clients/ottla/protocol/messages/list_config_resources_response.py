"""ListConfigResourcesResponse, versions 0–1 (flexible from 0).

Generated from list_config_resources.schema by ottla.protocol.generator; do not edit.
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
    skip_tags,
    unknown_version,
    write_uvarint,
)

_pack_bx = struct.Struct(">bx").pack
_pack_ih = struct.Struct(">ih").pack
_unpack_bc = struct.Struct(">bB").unpack_from
_unpack_ihc = struct.Struct(">ihB").unpack_from


@dataclass(slots=True)
class ConfigResource:
    resource_name: str = ""
    resource_type: int = 16


@dataclass(slots=True)
class ListConfigResourcesResponse(Message):
    throttle_time_ms: int = 0
    error_code: int = 0
    config_resources: list[ConfigResource] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 1
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ListConfigResourcesResponse:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ListConfigResourcesResponse, int]:
        try:
            if 0 <= version <= 1:
                (message,), end = _read_list_config_resources_response_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ListConfigResourcesResponse", version)
        except MALFORMED as error:
            raise malformed("ListConfigResourcesResponse", version, error) from error
        if end > len(data):
            raise malformed("ListConfigResourcesResponse", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 0 <= version <= 1:
            _write_list_config_resources_response_flexible(out, (self,), version)
        else:
            raise ValueError(f"ListConfigResourcesResponse has no version {version}")


def _read_list_config_resources_response_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListConfigResourcesResponse], int]:
    items: list[ListConfigResourcesResponse] = []
    config_resources: list[ConfigResource]
    for _ in range(count):
        throttle_time_ms, error_code, n = _unpack_ihc(data, position)
        position += 7
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ListConfigResourcesResponse.config_resources"
            )
        config_resources, position = _read_config_resource_flexible(data, position, n - 1, version)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListConfigResourcesResponse(throttle_time_ms, error_code, config_resources))
    return items, position


def _write_list_config_resources_response_flexible(
    out: bytearray, items: Sequence[ListConfigResourcesResponse], version: int
) -> None:
    for item in items:
        out += _pack_ih(item.throttle_time_ms, item.error_code)
        n = len(item.config_resources) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.config_resources:
            _write_config_resource_flexible(out, item.config_resources, version)
        out.append(0)


def _read_config_resource_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConfigResource], int]:
    if position + count * 2 > len(data):
        raise count_fault("ConfigResource", count)
    items: list[ConfigResource] = []
    resource_name: str
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ConfigResource.resource_name")
        end = position + n - 1
        resource_name = str(data[position:end], "utf-8")
        position = end
        if version >= 1:
            resource_type, tags = _unpack_bc(data, position)
            position += 2
        else:
            tags = data[position]
            position += 1
            resource_type = 16
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ConfigResource(resource_name, resource_type))
    return items, position


def _write_config_resource_flexible(
    out: bytearray, items: Sequence[ConfigResource], version: int
) -> None:
    for item in items:
        raw = item.resource_name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        if version >= 1:
            out += _pack_bx(item.resource_type)
        else:
            out.append(0)
