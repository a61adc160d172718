"""Records of __consumer_offsets in Kafka's schemas, so that Kafka's tools read them.

    key     version int16 | body      0, 1: OffsetCommitKey; 2: GroupMetadataKey
    value   version int16 | body      null is a tombstone

Keys 3 and 5 to 8 are of consumer groups, see consumer/records.py; other keys are not ours:
`decode` gives None. Written are offset
values of version 1 with an expiry time, of version 4 with a topic id, else 3, and group values of
version 3, as Kafka 4.3 does.
"""

from __future__ import annotations

import struct
from struct import Struct
from typing import Final

from broker.groups.consumer import records as consumer_records
from broker.groups.stored import (
    CommittedOffset,
    GroupRecord,
    OffsetRecord,
    Record,
    StoredGroup,
    StoredMember,
)
from ottla.core.errors import DecodeError
from ottla.core.identifiers import NIL_UUID, Uuid
from ottla.protocol.messages.group_metadata_key import GroupMetadataKey
from ottla.protocol.messages.group_metadata_value import GroupMetadataValue, MemberMetadata
from ottla.protocol.messages.offset_commit_key import OffsetCommitKey
from ottla.protocol.messages.offset_commit_value import OffsetCommitValue

_VERSION: Final = Struct(">h")
_KEY_START: Final = Struct(">hh")
_INT32: Final = Struct(">i")
_VALUE_START: Final = Struct(">hqiB")
_INT64: Final = Struct(">q")
_TOPIC_ID_TAG: Final = b"\1\0\x10"
"""One tagged field, number 0, 16 bytes."""
_OFFSET_KEY: Final = 1
_GROUP_KEY: Final = 2
_OFFSET_VALUE: Final = 3
_OFFSET_VALUE_WITH_EXPIRY: Final = 1
_OFFSET_VALUE_WITH_TOPIC_ID: Final = 4
_GROUP_VALUE: Final = 3


def encode(record: Record) -> tuple[bytes, bytes | None]:
    """Key and value. ValueError: a text longer than 32,767 bytes."""
    if isinstance(record, OffsetRecord):
        key = OffsetCommitKey(record.group_id, record.topic, record.partition)
        committed = record.committed
        value = None if committed is None else _encode_offset(committed)
        return _VERSION.pack(_OFFSET_KEY) + key.encode(_OFFSET_KEY), value
    if not isinstance(record, GroupRecord):
        return consumer_records.encode(record)
    group_key = GroupMetadataKey(record.group_id)
    value = None if record.group is None else _encode_group(record.group)
    return _VERSION.pack(_GROUP_KEY) + group_key.encode(_GROUP_KEY), value


def decode(key: bytes, value: bytes | None) -> Record | None:
    """The inverse of `encode`; None for unknown kinds of keys.

    DecodeError: damaged, or a value of a version from the future.
    """
    key_version = _version(key, "key")
    if key_version in (0, _OFFSET_KEY):
        committed = None
        if value is not None:
            committed = _decode_usual_offset(value) or _decode_offset(value)
        names = _decode_usual_key(key)
        if names is not None:
            return OffsetRecord(*names, committed)
        offset_key = OffsetCommitKey.decode(key, key_version, 2)
        return OffsetRecord(offset_key.group, offset_key.topic, offset_key.partition, committed)
    if key_version == _GROUP_KEY:
        group_key = GroupMetadataKey.decode(key, key_version, 2)
        return GroupRecord(group_key.group, None if value is None else _decode_group(value))
    if key_version in consumer_records.KEY_VERSIONS:
        return consumer_records.decode(key, value)
    return None


def _decode_usual_key(key: bytes) -> tuple[str, str, int] | None:
    """An offset's key, which has one form in versions 0 and 1; None: damaged, for the slow way to
    tell. Straight on, since a coordinator that takes over decodes them by the hundred thousand."""
    try:
        end = 4 + _KEY_START.unpack_from(key)[1]
        topic_end = end + 2 + _VERSION.unpack_from(key, end)[0]
        if not 4 <= end <= topic_end - 2 or topic_end + 4 != len(key):
            return None
        partition: int = _INT32.unpack_from(key, topic_end)[0]
        return str(key[4:end], "utf-8"), str(key[end + 2 : topic_end], "utf-8"), partition
    except (struct.error, UnicodeDecodeError):
        return None


def _decode_usual_offset(data: bytes) -> CommittedOffset | None:
    """A value as it is written for topics with ids, its note shorter than 127 bytes; None for all
    others."""
    if len(data) < _VALUE_START.size:
        return None
    version, offset, leader_epoch, size = _VALUE_START.unpack_from(data)
    if version != _OFFSET_VALUE_WITH_TOPIC_ID or not 0 < size < 128:
        return None
    end = 14 + size
    if len(data) != end + 27 or data[end + 8 : end + 11] != _TOPIC_ID_TAG:
        return None
    try:
        metadata = str(data[15:end], "utf-8")
    except UnicodeDecodeError:
        return None
    timestamp_ms = _INT64.unpack_from(data, end)[0]
    return CommittedOffset(
        offset, leader_epoch, metadata, timestamp_ms, None, Uuid(data[end + 11 :])
    )


def _version(data: bytes, what: str) -> int:
    if len(data) < 2:
        raise DecodeError(f"a {what} of __consumer_offsets has {len(data)} bytes")
    version: int = _VERSION.unpack_from(data)[0]
    return version


def _encode_offset(committed: CommittedOffset) -> bytes:
    value = OffsetCommitValue(
        offset=committed.offset,
        leader_epoch=committed.leader_epoch,
        metadata=committed.metadata,
        commit_timestamp=committed.commit_timestamp_ms,
        topic_id=committed.topic_id,
    )
    version = _OFFSET_VALUE if committed.topic_id == NIL_UUID else _OFFSET_VALUE_WITH_TOPIC_ID
    if committed.expire_timestamp_ms is not None:
        value.expire_timestamp = committed.expire_timestamp_ms
        version = _OFFSET_VALUE_WITH_EXPIRY
    return _VERSION.pack(version) + value.encode(version)


def _decode_offset(data: bytes) -> CommittedOffset:
    value = OffsetCommitValue.decode(data, _version(data, "offset value"), 2)
    return CommittedOffset(
        offset=value.offset,
        leader_epoch=value.leader_epoch,
        metadata=value.metadata,
        commit_timestamp_ms=value.commit_timestamp,
        expire_timestamp_ms=None if value.expire_timestamp == -1 else value.expire_timestamp,
        topic_id=value.topic_id,
    )


def _encode_group(group: StoredGroup) -> bytes:
    value = GroupMetadataValue(
        protocol_type=group.protocol_type,
        generation=group.generation,
        protocol=group.protocol,
        leader=group.leader_id,
        current_state_timestamp=group.state_timestamp_ms,
        members=[
            MemberMetadata(
                member_id=member.member_id,
                group_instance_id=member.instance_id,
                client_id=member.client_id,
                client_host=member.client_host,
                rebalance_timeout=member.rebalance_timeout_ms,
                session_timeout=member.session_timeout_ms,
                subscription=member.subscription,
                assignment=member.assignment,
            )
            for member in group.members
        ],
    )
    return _VERSION.pack(_GROUP_VALUE) + value.encode(_GROUP_VALUE)


def _decode_group(data: bytes) -> StoredGroup:
    value = GroupMetadataValue.decode(data, _version(data, "group value"), 2)
    return StoredGroup(
        protocol_type=value.protocol_type,
        generation=value.generation,
        protocol=value.protocol,
        leader_id=value.leader,
        state_timestamp_ms=value.current_state_timestamp,
        members=tuple(
            StoredMember(
                member_id=member.member_id,
                instance_id=member.group_instance_id,
                client_id=member.client_id,
                client_host=member.client_host,
                # Version 0 had no rebalance time-out: the session's counts.
                rebalance_timeout_ms=(
                    member.session_timeout
                    if member.rebalance_timeout < 0
                    else member.rebalance_timeout
                ),
                session_timeout_ms=member.session_timeout,
                subscription=member.subscription,
                assignment=member.assignment,
            )
            for member in value.members
        ),
    )
