"""ConsumerGroupMemberMetadataValue, versions 0 (flexible from 0).

Generated from consumer_offsets.schema by ottla.protocol.generator; do not edit.
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
    read_tag,
    skip_tags,
    tag_fault,
    unknown_version,
    write_compact_string_array,
    write_tagged,
    write_uvarint,
)

_pack_i = struct.Struct(">i").pack
_unpack_b = struct.Struct(">b").unpack_from
_unpack_ic = struct.Struct(">iB").unpack_from


@dataclass(slots=True)
class ClassicProtocol:
    name: str = ""
    metadata: bytes = b""


@dataclass(slots=True)
class ClassicMemberMetadata:
    session_timeout_ms: int = 0
    supported_protocols: list[ClassicProtocol] = field(default_factory=list)


@dataclass(slots=True)
class ConsumerGroupMemberMetadataValue(Message):
    instance_id: str | None = ""
    rack_id: str | None = ""
    client_id: str = ""
    client_host: str = ""
    subscribed_topic_names: list[str] = field(default_factory=list)
    subscribed_topic_regex: str | None = ""
    rebalance_timeout_ms: int = -1
    server_assignor: str | None = ""
    classic_member_metadata: ClassicMemberMetadata | None = None

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(
        cls, data: Buffer, version: int, offset: int = 0
    ) -> ConsumerGroupMemberMetadataValue:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[ConsumerGroupMemberMetadataValue, int]:
        try:
            if version == 0:
                (message,), end = _read_consumer_group_member_metadata_value_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("ConsumerGroupMemberMetadataValue", version)
        except MALFORMED as error:
            raise malformed("ConsumerGroupMemberMetadataValue", version, error) from error
        if end > len(data):
            raise malformed("ConsumerGroupMemberMetadataValue", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_consumer_group_member_metadata_value_flexible(out, (self,), version)
        else:
            raise ValueError(f"ConsumerGroupMemberMetadataValue has no version {version}")


def _read_consumer_group_member_metadata_value_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ConsumerGroupMemberMetadataValue], int]:
    items: list[ConsumerGroupMemberMetadataValue] = []
    instance_id: str | None
    rack_id: str | None
    client_id: str
    client_host: str
    subscribed_topic_names: list[str]
    subscribed_topic_regex: str | None
    server_assignor: str | None
    classic_member_metadata: ClassicMemberMetadata | None
    for _ in range(count):
        n = data[position]
        position += 1
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
            n, position = long_length(
                data, position, n, "ConsumerGroupMemberMetadataValue.client_id"
            )
        end = position + n - 1
        client_id = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ConsumerGroupMemberMetadataValue.client_host"
            )
        end = position + n - 1
        client_host = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ConsumerGroupMemberMetadataValue.subscribed_topic_names"
            )
        subscribed_topic_names, position = read_compact_string_array(data, position, n - 1)
        n = data[position]
        position += 1
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            subscribed_topic_regex = None
        else:
            end = position + n - 1
            subscribed_topic_regex = str(data[position:end], "utf-8")
            position = end
        rebalance_timeout_ms, n = _unpack_ic(data, position)
        position += 5
        if n > 127:
            n, position = long_uvarint(data, position, n)
        if n == 0:
            server_assignor = None
        else:
            end = position + n - 1
            server_assignor = str(data[position:end], "utf-8")
            position = end
        tags = data[position]
        position += 1
        classic_member_metadata = None
        if tags:
            if tags > 127:
                tags, position = long_uvarint(data, position, tags)
            for _ in range(tags):
                tag, position, tag_end = read_tag(data, position)
                if tag == 0:
                    (n,) = _unpack_b(data, position)
                    position += 1
                    if n < 0:
                        classic_member_metadata = None
                    else:
                        (classic_member_metadata,), position = (
                            _read_classic_member_metadata_flexible(data, position, 1, version)
                        )
                else:
                    position = tag_end
                if position != tag_end:
                    raise tag_fault("ConsumerGroupMemberMetadataValue", tag)
        items.append(
            ConsumerGroupMemberMetadataValue(
                instance_id,
                rack_id,
                client_id,
                client_host,
                subscribed_topic_names,
                subscribed_topic_regex,
                rebalance_timeout_ms,
                server_assignor,
                classic_member_metadata,
            )
        )
    return items, position


def _write_consumer_group_member_metadata_value_flexible(
    out: bytearray, items: Sequence[ConsumerGroupMemberMetadataValue], version: int
) -> None:
    for item in items:
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
        n = len(item.subscribed_topic_names) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.subscribed_topic_names:
            write_compact_string_array(out, item.subscribed_topic_names)
        values_subscribed_topic_regex = item.subscribed_topic_regex
        if values_subscribed_topic_regex is None:
            out.append(0)
        else:
            raw = values_subscribed_topic_regex.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        out += _pack_i(item.rebalance_timeout_ms)
        values_server_assignor = item.server_assignor
        if values_server_assignor is None:
            out.append(0)
        else:
            raw = values_server_assignor.encode()
            n = len(raw) + 1
            if n < 128:
                out.append(n)
            else:
                write_uvarint(out, n)
            out += raw
        if item.classic_member_metadata is not None:
            out.append(1)
            content = bytearray()
            if item.classic_member_metadata is None:
                content.append(255)
            else:
                content.append(1)
                _write_classic_member_metadata_flexible(
                    content, (item.classic_member_metadata,), version
                )
            write_tagged(out, 0, content)
        else:
            out.append(0)


def _read_classic_member_metadata_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ClassicMemberMetadata], int]:
    if position + count * 6 > len(data):
        raise count_fault("ClassicMemberMetadata", count)
    items: list[ClassicMemberMetadata] = []
    supported_protocols: list[ClassicProtocol]
    for _ in range(count):
        session_timeout_ms, n = _unpack_ic(data, position)
        position += 5
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "ClassicMemberMetadata.supported_protocols"
            )
        supported_protocols, position = _read_classic_protocol_flexible(
            data, position, n - 1, version
        )
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ClassicMemberMetadata(session_timeout_ms, supported_protocols))
    return items, position


def _write_classic_member_metadata_flexible(
    out: bytearray, items: Sequence[ClassicMemberMetadata], version: int
) -> None:
    for item in items:
        out += _pack_i(item.session_timeout_ms)
        n = len(item.supported_protocols) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.supported_protocols:
            _write_classic_protocol_flexible(out, item.supported_protocols, version)
        out.append(0)


def _read_classic_protocol_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[ClassicProtocol], int]:
    if position + count * 3 > len(data):
        raise count_fault("ClassicProtocol", count)
    items: list[ClassicProtocol] = []
    name: str
    metadata: bytes
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ClassicProtocol.name")
        end = position + n - 1
        name = str(data[position:end], "utf-8")
        position = end
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(data, position, n, "ClassicProtocol.metadata")
        end = position + n - 1
        metadata = bytes(data[position:end])
        position = end
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(ClassicProtocol(name, metadata))
    return items, position


def _write_classic_protocol_flexible(
    out: bytearray, items: Sequence[ClassicProtocol], version: int
) -> None:
    for item in items:
        raw = item.name.encode()
        n = len(raw) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += raw
        n = len(item.metadata) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        out += item.metadata
        out.append(0)
