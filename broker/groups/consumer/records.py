"""Records of consumer groups in Kafka's schemas, keys 3, 5 to 8 and 16 of __consumer_offsets.

Key 4 (metadata of topics, of Kafka before 4.0) is superseded by the hash in 3 and not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final

from broker.groups.consumer.stored import (
    ClassicSide,
    ConsumerRecord,
    CurrentRecord,
    EpochRecord,
    MemberState,
    RegexRecord,
    StoredCurrent,
    StoredEpoch,
    StoredRegex,
    StoredSubscriber,
    SubscriberRecord,
    TargetEpochRecord,
    TargetRecord,
    TopicPartitions,
)
from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid
from ottla.protocol.messages.consumer_group_current_member_assignment_key import (
    ConsumerGroupCurrentMemberAssignmentKey,
)
from ottla.protocol.messages.consumer_group_current_member_assignment_value import (
    ConsumerGroupCurrentMemberAssignmentValue,
    CurrentTopicPartitions,
)
from ottla.protocol.messages.consumer_group_member_metadata_key import (
    ConsumerGroupMemberMetadataKey,
)
from ottla.protocol.messages.consumer_group_member_metadata_value import (
    ClassicMemberMetadata,
    ClassicProtocol,
    ConsumerGroupMemberMetadataValue,
)
from ottla.protocol.messages.consumer_group_metadata_key import ConsumerGroupMetadataKey
from ottla.protocol.messages.consumer_group_metadata_value import ConsumerGroupMetadataValue
from ottla.protocol.messages.consumer_group_regular_expression_key import (
    ConsumerGroupRegularExpressionKey,
)
from ottla.protocol.messages.consumer_group_regular_expression_value import (
    ConsumerGroupRegularExpressionValue,
)
from ottla.protocol.messages.consumer_group_target_assignment_member_key import (
    ConsumerGroupTargetAssignmentMemberKey,
)
from ottla.protocol.messages.consumer_group_target_assignment_member_value import (
    ConsumerGroupTargetAssignmentMemberValue,
    TargetTopicPartitions,
)
from ottla.protocol.messages.consumer_group_target_assignment_metadata_key import (
    ConsumerGroupTargetAssignmentMetadataKey,
)
from ottla.protocol.messages.consumer_group_target_assignment_metadata_value import (
    ConsumerGroupTargetAssignmentMetadataValue,
)

_VERSION: Final = Struct(">h")
_EPOCH: Final = 3
_SUBSCRIBER: Final = 5
_TARGET_EPOCH: Final = 6
_TARGET: Final = 7
_CURRENT: Final = 8
_REGEX: Final = 16
KEY_VERSIONS: Final = frozenset({_EPOCH, _SUBSCRIBER, _TARGET_EPOCH, _TARGET, _CURRENT, _REGEX})


def encode(record: ConsumerRecord) -> tuple[bytes, bytes | None]:
    """Key and value. ValueError: a text longer than 32,767 bytes."""
    version, key = _encode_key(record)
    value = _encode_value(record)
    return _VERSION.pack(version) + key, None if value is None else _VERSION.pack(0) + value


def _encode_key(record: ConsumerRecord) -> tuple[int, bytes]:
    group_id = record.group_id
    match record:
        case EpochRecord():
            return _EPOCH, ConsumerGroupMetadataKey(group_id).encode(_EPOCH)
        case SubscriberRecord():
            key = ConsumerGroupMemberMetadataKey(group_id, record.member_id)
            return _SUBSCRIBER, key.encode(_SUBSCRIBER)
        case TargetEpochRecord():
            target_key = ConsumerGroupTargetAssignmentMetadataKey(group_id)
            return _TARGET_EPOCH, target_key.encode(_TARGET_EPOCH)
        case TargetRecord():
            member_key = ConsumerGroupTargetAssignmentMemberKey(group_id, record.member_id)
            return _TARGET, member_key.encode(_TARGET)
        case CurrentRecord():
            current_key = ConsumerGroupCurrentMemberAssignmentKey(group_id, record.member_id)
            return _CURRENT, current_key.encode(_CURRENT)
        case RegexRecord():
            regex_key = ConsumerGroupRegularExpressionKey(group_id, record.regex)
            return _REGEX, regex_key.encode(_REGEX)


def _encode_value(record: ConsumerRecord) -> bytes | None:
    if record.value is None:
        return None
    match record:
        case EpochRecord(value=StoredEpoch() as epoch):
            return ConsumerGroupMetadataValue(epoch.epoch, epoch.metadata_hash).encode(0)
        case SubscriberRecord(value=StoredSubscriber() as member):
            return _encode_subscriber(member)
        case TargetEpochRecord(value=int() as target_epoch):
            return ConsumerGroupTargetAssignmentMetadataValue(target_epoch).encode(0)
        case TargetRecord(value=frozenset() as target):
            return ConsumerGroupTargetAssignmentMemberValue(
                [TargetTopicPartitions(*topic) for topic in by_topic(target)]
            ).encode(0)
        case CurrentRecord(value=StoredCurrent() as current):
            return ConsumerGroupCurrentMemberAssignmentValue(
                current.member_epoch,
                current.previous_epoch,
                int(current.state),
                [CurrentTopicPartitions(*topic) for topic in by_topic(current.assigned)],
                [CurrentTopicPartitions(*topic) for topic in by_topic(current.pending_revocation)],
            ).encode(0)
        case RegexRecord(value=StoredRegex() as resolved):
            return ConsumerGroupRegularExpressionValue(
                list(resolved.topics), resolved.metadata_version, resolved.timestamp_ms
            ).encode(0)
    return None


def _encode_subscriber(member: StoredSubscriber) -> bytes:
    classic = None
    if member.classic is not None:
        protocols = [ClassicProtocol(*protocol) for protocol in member.classic.protocols]
        classic = ClassicMemberMetadata(member.classic.session_timeout_ms, protocols)
    return ConsumerGroupMemberMetadataValue(
        instance_id=member.instance_id,
        rack_id=member.rack_id,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topic_names=list(member.topics),
        subscribed_topic_regex=member.regex or None,
        rebalance_timeout_ms=member.rebalance_timeout_ms,
        server_assignor=member.assignor,
        classic_member_metadata=classic,
    ).encode(0)


def decode(key: bytes, value: bytes | None) -> ConsumerRecord:
    """The inverse of `encode`, for keys of KEY_VERSIONS. DecodeError: damaged."""
    version: int = _VERSION.unpack_from(key)[0]
    if version == _EPOCH:
        group_id = ConsumerGroupMetadataKey.decode(key, version, 2).group_id
        if value is None:
            return EpochRecord(group_id, None)
        epoch = ConsumerGroupMetadataValue.decode(value, _value_version(value), 2)
        return EpochRecord(group_id, StoredEpoch(epoch.epoch, epoch.metadata_hash))
    if version == _SUBSCRIBER:
        subscriber_key = ConsumerGroupMemberMetadataKey.decode(key, version, 2)
        return SubscriberRecord(
            subscriber_key.group_id,
            subscriber_key.member_id,
            None if value is None else _decode_subscriber(value),
        )
    if version == _TARGET_EPOCH:
        group_id = ConsumerGroupTargetAssignmentMetadataKey.decode(key, version, 2).group_id
        if value is None:
            return TargetEpochRecord(group_id, None)
        target_epoch = ConsumerGroupTargetAssignmentMetadataValue.decode(
            value, _value_version(value), 2
        )
        return TargetEpochRecord(group_id, target_epoch.assignment_epoch)
    if version == _TARGET:
        target_key = ConsumerGroupTargetAssignmentMemberKey.decode(key, version, 2)
        partitions = None
        if value is not None:
            target = ConsumerGroupTargetAssignmentMemberValue.decode(
                value, _value_version(value), 2
            )
            partitions = _flat((t.topic_id, t.partitions) for t in target.topic_partitions)
        return TargetRecord(target_key.group_id, target_key.member_id, partitions)
    if version == _REGEX:
        regex_key = ConsumerGroupRegularExpressionKey.decode(key, version, 2)
        resolved = None
        if value is not None:
            regex = ConsumerGroupRegularExpressionValue.decode(value, _value_version(value), 2)
            resolved = StoredRegex(tuple(regex.topics), regex.version, regex.timestamp)
        return RegexRecord(regex_key.group_id, regex_key.regular_expression, resolved)
    current_key = ConsumerGroupCurrentMemberAssignmentKey.decode(key, version, 2)
    return CurrentRecord(
        current_key.group_id,
        current_key.member_id,
        None if value is None else _decode_current(value),
    )


def _value_version(value: bytes) -> int:
    if len(value) < 2:
        raise DecodeError(f"a value of __consumer_offsets has {len(value)} bytes")
    version: int = _VERSION.unpack_from(value)[0]
    return version


def _decode_subscriber(data: bytes) -> StoredSubscriber:
    value = ConsumerGroupMemberMetadataValue.decode(data, _value_version(data), 2)
    classic = None
    if (told := value.classic_member_metadata) is not None:
        protocols = tuple((one.name, one.metadata) for one in told.supported_protocols)
        classic = ClassicSide(told.session_timeout_ms, protocols)
    return StoredSubscriber(
        instance_id=value.instance_id,
        rack_id=value.rack_id,
        client_id=value.client_id,
        client_host=value.client_host,
        topics=tuple(value.subscribed_topic_names),
        rebalance_timeout_ms=value.rebalance_timeout_ms,
        assignor=value.server_assignor,
        regex=value.subscribed_topic_regex or "",
        classic=classic,
    )


def _decode_current(data: bytes) -> StoredCurrent:
    value = ConsumerGroupCurrentMemberAssignmentValue.decode(data, _value_version(data), 2)
    try:
        state = MemberState(value.state)
    except ValueError:
        raise DecodeError(f"unknown member state {value.state}") from None
    return StoredCurrent(
        value.member_epoch,
        value.previous_member_epoch,
        state,
        _flat((t.topic_id, t.partitions) for t in value.assigned_partitions),
        _flat((t.topic_id, t.partitions) for t in value.partitions_pending_revocation),
    )


def by_topic(partitions: TopicPartitions) -> list[tuple[Uuid, list[int]]]:
    """(topic id, partitions), both sorted."""
    topics: dict[Uuid, list[int]] = {}
    for topic_id, index in sorted(partitions):
        topics.setdefault(topic_id, []).append(index)
    return list(topics.items())


def _flat(topics: Iterable[tuple[Uuid, list[int]]]) -> TopicPartitions:
    return frozenset((topic_id, index) for topic_id, indexes in topics for index in indexes)
