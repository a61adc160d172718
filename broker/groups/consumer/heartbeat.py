"""ConsumerGroupHeartbeat: join, stay, leave; every heartbeat moves its member by one step.

1  the member as it tells of itself       a change makes a new group epoch
2  the topics as the cluster has them     likewise
3  a target for the newest epoch          by the assignor
4  the member's next state                by `reconcile`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from zlib import crc32

from broker.coordinator.machine import Turn
from broker.groups.consumer.group import NEW_MEMBER, ConsumerGroup
from broker.groups.consumer.reconciliation import reconcile
from broker.groups.consumer.requests import (
    JOIN_EPOCH,
    LEAVE_EPOCH,
    STATIC_LEAVE_EPOCH,
    ConsumerHeartbeat,
    ConsumerHeartbeatResult,
    TopicsView,
)
from broker.groups.consumer.stored import (
    CurrentRecord,
    EpochRecord,
    MemberState,
    StoredCurrent,
    StoredEpoch,
    StoredSubscriber,
    SubscriberRecord,
    TargetEpochRecord,
    TargetRecord,
    TopicPartitions,
)
from broker.groups.consumer.uniform import assign_uniformly
from broker.groups.settings import GroupSettings
from ottla.core.errors import ErrorCode, ProtocolError

ASSIGNORS: Final = ("uniform",)


def decide_heartbeat(
    group: ConsumerGroup,
    request: ConsumerHeartbeat,
    view: TopicsView,
    turn: Turn[Any],
    settings: GroupSettings,
) -> ConsumerHeartbeatResult:
    """ProtocolError: UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID,
    UNRELEASED_INSTANCE_ID, UNSUPPORTED_ASSIGNOR, GROUP_MAX_SIZE_REACHED, INVALID_REQUEST.
    """
    if request.assignor is not None and request.assignor not in ASSIGNORS:
        raise ProtocolError(
            ErrorCode.UNSUPPORTED_ASSIGNOR, f"supported assignors: {', '.join(ASSIGNORS)}"
        )
    if request.member_epoch < JOIN_EPOCH:
        return _leave(group, request, turn)
    former_id = None
    if request.member_epoch == JOIN_EPOCH:
        former_id = _check_join(group, request, settings)
    else:
        check_member(group, request.member_id, request.instance_id)
        _check_epoch(group.currents.get(request.member_id, NEW_MEMBER), request)
    member_id = request.member_id
    known_id = former_id or member_id
    before = group.members.get(known_id)
    subscriber = _subscriber(before, request)
    current = group.currents.get(known_id, NEW_MEMBER)
    targets = dict(group.targets)
    members = dict(group.members)
    if former_id is not None and former_id != member_id:
        members.pop(former_id)
        targets[member_id] = targets.pop(former_id, frozenset())
        current = StoredCurrent(0, 0, MemberState.STABLE, current.assigned, frozenset())
        _remove(group, former_id, turn)
        turn.append(TargetRecord(group.group_id, member_id, targets[member_id]))
    members[member_id] = subscriber
    if subscriber != before or former_id is not None:
        turn.append(SubscriberRecord(group.group_id, member_id, subscriber))
    epoch = group.epoch
    metadata_hash = _hash(members, view)
    is_changed = before is None or (before.topics, before.assignor) != (
        subscriber.topics,
        subscriber.assignor,
    )
    if is_changed or metadata_hash != group.metadata_hash:
        epoch += 1
        turn.append(EpochRecord(group.group_id, StoredEpoch(epoch, metadata_hash)))
    if epoch > group.assignment_epoch:
        targets = _assign(group, members, targets, view, turn)
        turn.append(TargetEpochRecord(group.group_id, epoch))
    held = group.held_by_others(known_id)
    following = reconcile(
        current,
        targets.get(member_id, frozenset()),
        epoch,
        request.owned,
        lambda partition: partition not in held,
    )
    if following != group.currents.get(member_id):
        turn.append(CurrentRecord(group.group_id, member_id, following))
    _set_deadlines(group, member_id, subscriber, following, turn, settings)
    is_full = request.member_epoch == JOIN_EPOCH or request.topics is not None
    return ConsumerHeartbeatResult(
        member_id,
        following.member_epoch,
        settings.consumer_heartbeat_interval_ms,
        following.assigned if is_full or following.assigned != current.assigned else None,
    )


def _check_join(
    group: ConsumerGroup, request: ConsumerHeartbeat, settings: GroupSettings
) -> str | None:
    """The former member id of a static member that comes back."""
    if request.topics is None or request.rebalance_timeout_ms < 0 or request.owned:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            "a member joins with topics, a rebalance time-out and no partitions",
        )
    former_id = None
    if request.instance_id is not None:
        former_id = group.static_member(request.instance_id)
    if former_id is not None and former_id != request.member_id:
        if group.currents[former_id].member_epoch != STATIC_LEAVE_EPOCH:
            raise ProtocolError(ErrorCode.UNRELEASED_INSTANCE_ID, "the instance is in use")
        return former_id
    is_new = request.member_id not in group.members
    if is_new and len(group.members) >= settings.consumer_max_size:
        raise ProtocolError(ErrorCode.GROUP_MAX_SIZE_REACHED)
    return None


def check_member(group: ConsumerGroup, member_id: str, instance_id: str | None) -> None:
    """UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID."""
    if instance_id is not None:
        known_id = group.static_member(instance_id)
        if known_id is not None and known_id != member_id:
            raise ProtocolError(ErrorCode.FENCED_INSTANCE_ID)
    if member_id not in group.members:
        raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)


def _check_epoch(current: StoredCurrent, request: ConsumerHeartbeat) -> None:
    """The epoch before counts too while its member has not heard the answer with the new one."""
    if request.member_epoch == current.member_epoch:
        return
    if (
        request.member_epoch == current.previous_epoch
        and request.owned is not None
        and request.owned <= current.assigned
    ):
        return
    raise ProtocolError(
        ErrorCode.FENCED_MEMBER_EPOCH, f"the member is in epoch {current.member_epoch}"
    )


def _subscriber(before: StoredSubscriber | None, request: ConsumerHeartbeat) -> StoredSubscriber:
    told = StoredSubscriber(
        instance_id=request.instance_id,
        rack_id=request.rack_id,
        client_id=request.client_id,
        client_host=request.client_host,
        topics=tuple(sorted(set(request.topics or ()))),
        rebalance_timeout_ms=request.rebalance_timeout_ms,
        assignor=request.assignor,
    )
    if before is None or request.member_epoch == JOIN_EPOCH:
        return told
    return replace(
        told,
        instance_id=before.instance_id,
        rack_id=before.rack_id if told.rack_id is None else told.rack_id,
        topics=before.topics if request.topics is None else told.topics,
        rebalance_timeout_ms=(
            before.rebalance_timeout_ms
            if told.rebalance_timeout_ms < 0
            else told.rebalance_timeout_ms
        ),
        assignor=before.assignor if told.assignor is None else told.assignor,
    )


def _hash(members: Mapping[str, StoredSubscriber], view: TopicsView) -> int:
    """Of the ids and partition counts of all topics that any member subscribes to; never 0."""
    names = sorted({name for member in members.values() for name in member.topics})
    text = repr([(name, view.topics[name]) for name in names if name in view.topics])
    return crc32(text.encode()) + 1


def _assign(
    group: ConsumerGroup,
    members: Mapping[str, StoredSubscriber],
    previous: Mapping[str, TopicPartitions],
    view: TopicsView,
    turn: Turn[Any],
) -> dict[str, TopicPartitions]:
    """The new targets; records of those that differ from what the log (and `turn`) has."""
    targets = assign_uniformly(
        {
            member_id: frozenset(view.topics[name][0] for name in m.topics if name in view.topics)
            for member_id, m in members.items()
        },
        dict(view.topics.values()),
        previous,
    )
    for member_id, target in targets.items():
        if target != previous.get(member_id):
            turn.append(TargetRecord(group.group_id, member_id, target))
    return targets


def _set_deadlines(
    group: ConsumerGroup,
    member_id: str,
    subscriber: StoredSubscriber,
    current: StoredCurrent,
    turn: Turn[Any],
    settings: GroupSettings,
) -> None:
    now_ms = turn.moment.now_ms
    group.sessions[member_id] = now_ms + settings.consumer_session_timeout_ms
    if current.state is not MemberState.UNREVOKED_PARTITIONS:
        group.revocations.pop(member_id, None)
    elif member_id not in group.revocations:
        group.revocations[member_id] = now_ms + subscriber.rebalance_timeout_ms


def _leave(
    group: ConsumerGroup, request: ConsumerHeartbeat, turn: Turn[Any]
) -> ConsumerHeartbeatResult:
    check_member(group, request.member_id, request.instance_id)
    is_static = group.members[request.member_id].instance_id is not None
    if request.member_epoch == STATIC_LEAVE_EPOCH and is_static:
        current = group.currents[request.member_id]
        turn.append(
            CurrentRecord(
                group.group_id,
                request.member_id,
                replace(
                    current, member_epoch=STATIC_LEAVE_EPOCH, previous_epoch=current.member_epoch
                ),
            )
        )
    elif request.member_epoch in (LEAVE_EPOCH, STATIC_LEAVE_EPOCH):
        remove_members(group, [request.member_id], turn)
    else:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "no such member epoch")
    return ConsumerHeartbeatResult(request.member_id, request.member_epoch, 0, None)


def remove_members(group: ConsumerGroup, member_ids: list[str], turn: Turn[Any]) -> None:
    """They are gone, what they had is free; the next heartbeat of any other makes a new target."""
    for member_id in member_ids:
        _remove(group, member_id, turn)
    turn.append(EpochRecord(group.group_id, StoredEpoch(group.epoch + 1, group.metadata_hash)))


def _remove(group: ConsumerGroup, member_id: str, turn: Turn[Any]) -> None:
    turn.append(CurrentRecord(group.group_id, member_id, None))
    turn.append(TargetRecord(group.group_id, member_id, None))
    turn.append(SubscriberRecord(group.group_id, member_id, None))


def expire(group: ConsumerGroup, turn: Turn[Any]) -> None:
    """Members whose session or time to give partitions up has ended."""
    now_ms = turn.moment.now_ms
    due = [
        member_id
        for member_id in group.members
        if group.sessions.get(member_id, now_ms + 1) <= now_ms
        or group.revocations.get(member_id, now_ms + 1) <= now_ms
    ]
    if due:
        turn.note(f"group {group.group_id}: {', '.join(due)} did not heartbeat or revoke in time")
        remove_members(group, due, turn)


def restore_deadlines(group: ConsumerGroup, now_ms: int, settings: GroupSettings) -> None:
    """After loading: everybody has a whole session's time."""
    for member_id, member in group.members.items():
        group.sessions[member_id] = now_ms + settings.consumer_session_timeout_ms
        current = group.currents.get(member_id, NEW_MEMBER)
        if current.state is MemberState.UNREVOKED_PARTITIONS:
            group.revocations[member_id] = now_ms + member.rebalance_timeout_ms


def check_committer(
    group: ConsumerGroup, member_id: str, member_epoch: int, *, is_transactional: bool
) -> None:
    """UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH. Who is no member commits while nobody is one, or in a
    transaction."""
    if member_epoch < 0 and (is_transactional or not group.members):
        return
    check_member(group, member_id, None)
    if group.currents.get(member_id, NEW_MEMBER).member_epoch != member_epoch:
        raise ProtocolError(ErrorCode.STALE_MEMBER_EPOCH)
