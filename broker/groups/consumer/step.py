"""One step of one member: what every heartbeat, and every JoinGroup of a classic member, does.

1  the member as it tells of itself       a change makes a new group epoch
2  the topics as the cluster has them     likewise
3  a target for the newest epoch          by the assignor
4  the member's next state                by `reconcile`

A step that changes nothing, as most do, looks at the member alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from broker.coordinator.machine import Turn
from broker.groups.consumer.assignors import assign, choose_assignor
from broker.groups.consumer.group import NEW_MEMBER, ConsumerGroup
from broker.groups.consumer.reconciliation import reconcile
from broker.groups.consumer.regexes import matching_topics
from broker.groups.consumer.requests import TopicsView
from broker.groups.consumer.stored import (
    NOTHING,
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
from broker.groups.settings import GroupSettings
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

PARTITION_BYTES: Final = 4
TOPIC_BYTES: Final = 24
"""Reckoned for a partition, and for a topic, in a record of what a member has."""


@dataclass(frozen=True, slots=True)
class Step:
    """Who moves."""

    member_id: str
    former_id: str | None
    """Whose place a static member takes that came back under another id."""
    subscriber: StoredSubscriber
    owned: TopicPartitions | None
    """What it says that it uses; None: it did not say."""


def take_step(
    group: ConsumerGroup, step: Step, view: TopicsView, turn: Turn[Any], settings: GroupSettings
) -> StoredCurrent:
    """Append what changes; the member's next state.

    ProtocolError, before anything is appended: INVALID_REQUEST for more than a record holds,
    INVALID_REGULAR_EXPRESSION.
    """
    member_id = step.member_id
    known_id = step.former_id or member_id
    before = group.members.get(known_id)
    current = group.currents.get(known_id, NEW_MEMBER)
    is_replaced = known_id != member_id
    is_changed = before is None or before.wants != step.subscriber.wants
    targets: Mapping[str, TopicPartitions] = group.targets
    records: list[Any] = []
    if is_replaced:
        current = StoredCurrent(0, 0, MemberState.STABLE, current.assigned, NOTHING)
        moved = dict(targets)
        moved[member_id] = moved.pop(known_id, frozenset())
        targets = moved
        records += member_tombstones(group.group_id, known_id)
        records.append(TargetRecord(group.group_id, member_id, moved[member_id]))
    if before != step.subscriber or is_replaced:
        _check_size(step.subscriber, settings)
        records.append(SubscriberRecord(group.group_id, member_id, step.subscriber))
    epoch = group.epoch
    if is_changed or view.version != group.view_version:
        members = dict(group.members)
        members.pop(known_id, None)
        members[member_id] = step.subscriber
        regexes = _resolve(group, members, view, turn, settings, records)
        metadata_hash = _hash(members, regexes, view)
        if is_changed or metadata_hash != group.metadata_hash:
            epoch += 1
            records.append(EpochRecord(group.group_id, StoredEpoch(epoch, metadata_hash)))
    else:
        members, regexes = group.members, group.regexes
    if epoch > group.assignment_epoch:
        topics = {m: _topics(member, regexes) for m, member in members.items()}
        assignor = choose_assignor(members, settings.consumer_assignors)
        former = targets
        targets = assign(assignor, members, topics, former, view)
        for other_id, target in targets.items():
            if target != former.get(other_id):
                _check_target(target, settings)
                records.append(TargetRecord(group.group_id, other_id, target))
        records.append(TargetEpochRecord(group.group_id, epoch))
    following = reconcile(
        current, targets.get(member_id, frozenset()), epoch, step.owned, is_free(group, known_id)
    )
    if is_replaced or following != group.currents.get(member_id):
        records.append(CurrentRecord(group.group_id, member_id, following))
    turn.records += records
    group.view_version = view.version
    return following


def is_free(group: ConsumerGroup, member_id: str) -> Callable[[tuple[Uuid, int]], bool]:
    """Whether nobody else has a partition, as `reconcile` asks; who has what is gathered once."""
    held: set[tuple[Uuid, int]] | None = None

    def answer(partition: tuple[Uuid, int]) -> bool:
        nonlocal held
        if held is None:
            held = group.held_by_others(member_id)
        return partition not in held

    return answer


def member_tombstones(group_id: str, member_id: str) -> list[Any]:
    """What the log has of a member, taken back."""
    return [
        CurrentRecord(group_id, member_id, None),
        TargetRecord(group_id, member_id, None),
        SubscriberRecord(group_id, member_id, None),
    ]


def look_at_topics(
    group: ConsumerGroup, view: TopicsView, turn: Turn[Any], settings: GroupSettings
) -> int:
    """The group's epoch, after a new one where the subscribed topics have changed."""
    if view.version == group.view_version:
        return group.epoch
    records: list[Any] = []
    regexes = _resolve(group, group.members, view, turn, settings, records)
    metadata_hash = _hash(group.members, regexes, view)
    epoch = group.epoch
    if metadata_hash != group.metadata_hash:
        epoch += 1
        records.append(EpochRecord(group.group_id, StoredEpoch(epoch, metadata_hash)))
    turn.records += records
    group.view_version = view.version
    return epoch


def _resolve(
    group: ConsumerGroup,
    members: Mapping[str, StoredSubscriber],
    view: TopicsView,
    turn: Turn[Any],
    settings: GroupSettings,
    records: list[Any],
) -> Mapping[str, StoredRegex]:
    """What each expression in use stands for now; records of those that changed."""
    used = {member.regex for member in members.values() if member.regex}
    if not used and not group.regexes:
        return group.regexes
    regexes: dict[str, StoredRegex] = {}
    for regex in sorted(used):
        topics = matching_topics(regex, view.topics)
        known = group.regexes.get(regex)
        if known is not None and known.topics == topics:
            regexes[regex] = known
            continue
        if sum(len(topic) + 2 for topic in topics) > settings.record_bytes_max:
            raise ProtocolError(
                ErrorCode.INVALID_REGULAR_EXPRESSION,
                f"the expression matches {len(topics)} topics, more than a record holds",
            )
        regexes[regex] = StoredRegex(topics, view.version, turn.moment.timestamp_ms)
        records.append(RegexRecord(group.group_id, regex, regexes[regex]))
    records += [RegexRecord(group.group_id, regex, None) for regex in group.regexes.keys() - used]
    return regexes


def _topics(member: StoredSubscriber, regexes: Mapping[str, StoredRegex]) -> set[str]:
    topics = set(member.topics)
    if member.regex:
        topics |= set(regexes[member.regex].topics)
    return topics


def _hash(
    members: Mapping[str, StoredSubscriber], regexes: Mapping[str, StoredRegex], view: TopicsView
) -> int:
    """Of the ids and partition counts of all topics that any member subscribes to; never 0."""
    names = {name for member in members.values() for name in member.topics}
    for regex in {member.regex for member in members.values() if member.regex}:
        names |= set(regexes[regex].topics)
    text = repr([(name, view.topics[name]) for name in sorted(names) if name in view.topics])
    return crc32(text.encode()) + 1


def _check_size(subscriber: StoredSubscriber, settings: GroupSettings) -> None:
    size = sum(len(topic) + 2 for topic in subscriber.topics)
    if subscriber.classic is not None:
        size += sum(len(name) + len(data) for name, data in subscriber.classic.protocols)
    if 4 * size > settings.record_bytes_max:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST, f"the subscription has {size} bytes, too many for a record"
        )


def _check_target(target: TopicPartitions, settings: GroupSettings) -> None:
    """Twice: what a member has and what it gives up stand in one record."""
    topics = {topic_id for topic_id, _ in target}
    size = len(target) * PARTITION_BYTES + len(topics) * TOPIC_BYTES
    if 2 * size > settings.record_bytes_max:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            f"{len(target)} partitions are too many for one member; subscribe to fewer topics",
        )
