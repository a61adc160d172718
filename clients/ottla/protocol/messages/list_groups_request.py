"""ListGroupsRequest, versions 0–5 (flexible from 3).

Generated from list_groups.schema by ottla.protocol.generator; do not edit.
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
    read_compact_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_uvarint,
)


@dataclass(slots=True)
class ListGroupsRequest(Message):
    states_filter: list[str] = field(default_factory=list)
    types_filter: list[str] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 5
    FLEXIBLE_VERSION: ClassVar[int | None] = 3

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> ListGroupsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[ListGroupsRequest, int]:
        try:
            if 3 <= version <= 5:
                (message,), end = _read_list_groups_request_flexible(data, offset, 1, version)
            elif 0 <= version <= 2:
                (message,), end = _read_list_groups_request_classic(data, offset, 1, version)
            else:
                raise unknown_version("ListGroupsRequest", version)
        except MALFORMED as error:
            raise malformed("ListGroupsRequest", version, error) from error
        if end > len(data):
            raise malformed("ListGroupsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if 3 <= version <= 5:
            _write_list_groups_request_flexible(out, (self,), version)
        elif 0 <= version <= 2:
            _write_list_groups_request_classic(out, (self,), version)
        else:
            raise ValueError(f"ListGroupsRequest has no version {version}")


def _read_list_groups_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListGroupsRequest], int]:
    items: list[ListGroupsRequest] = []
    states_filter: list[str]
    types_filter: list[str]
    for _ in range(count):
        if version >= 4:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "ListGroupsRequest.states_filter")
            states_filter, position = read_compact_string_array(data, position, n - 1)
        else:
            states_filter = []
        if version >= 5:
            n = data[position]
            position += 1
            if not 0 < n < 128:
                n, position = long_length(data, position, n, "ListGroupsRequest.types_filter")
            types_filter, position = read_compact_string_array(data, position, n - 1)
        else:
            types_filter = []
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ListGroupsRequest(states_filter, types_filter))
    return items, position


def _write_list_groups_request_flexible(
    out: bytearray, items: Sequence[ListGroupsRequest], version: int
) -> None:
    for item in items:
        if version >= 4:
            n = len(item.states_filter) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.states_filter:
                write_compact_string_array(out, item.states_filter)
        elif item.states_filter:
            raise absent_fault("ListGroupsRequest.states_filter", version)
        if version >= 5:
            n = len(item.types_filter) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            if item.types_filter:
                write_compact_string_array(out, item.types_filter)
        elif item.types_filter:
            raise absent_fault("ListGroupsRequest.types_filter", version)
        out.append(0)


def _read_list_groups_request_classic(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ListGroupsRequest], int]:
    items: list[ListGroupsRequest] = []
    for _ in range(count):
        items.append(ListGroupsRequest([], []))
    return items, position


def _write_list_groups_request_classic(
    out: bytearray, items: Sequence[ListGroupsRequest], version: int
) -> None:
    for item in items:
        if item.states_filter:
            raise absent_fault("ListGroupsRequest.states_filter", version)
        if item.types_filter:
            raise absent_fault("ListGroupsRequest.types_filter", version)
