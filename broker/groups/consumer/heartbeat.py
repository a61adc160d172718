"""ConsumerGroupHeartbeat: join, stay, leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from broker.coordinator.machine import Turn
from broker.groups.consumer.group import NEW_MEMBER, ConsumerGroup
from broker.groups.consumer.regexes import check_regex
from broker.groups.consumer.requests import (
    JOIN_EPOCH,
    LEAVE_EPOCH,
    STATIC_LEAVE_EPOCH,
    ConsumerHeartbeat,
    ConsumerHeartbeatResult,
    TopicsView,
)
from broker.groups.consumer.step import Step, take_step
from broker.groups.consumer.stored import (
    CurrentRecord,
    MemberState,
    StoredCurrent,
    StoredSubscriber,
)
from broker.groups.settings import GroupSettings
from ottla.core.errors import ErrorCode, ProtocolError

WAITING_INTERVAL_MS: Final = 500
WAITING_MS_A_MEMBER: Final = 10
"""So that a large group that waits does not keep its coordinator busy."""


def decide_heartbeat(
    group: ConsumerGroup,
    request: ConsumerHeartbeat,
    view: TopicsView,
    turn: Turn[Any],
    settings: GroupSettings,
) -> ConsumerHeartbeatResult:
    """Of a member that joins or stays; see `check_leaving` for those that go.

    ProtocolError: UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID,
    UNRELEASED_INSTANCE_ID, UNSUPPORTED_ASSIGNOR, GROUP_MAX_SIZE_REACHED, INVALID_REQUEST,
    INVALID_REGULAR_EXPRESSION.
    """
    allowed = settings.consumer_assignors
    if request.assignor is not None and request.assignor not in allowed:
        raise ProtocolError(
            ErrorCode.UNSUPPORTED_ASSIGNOR, f"supported assignors: {', '.join(allowed)}"
        )
    former_id = None
    if request.member_epoch == JOIN_EPOCH:
        former_id = _check_join(group, request, settings)
    else:
        check_member(group, request.member_id, request.instance_id)
        _check_epoch(group.currents.get(request.member_id, NEW_MEMBER), request)
    if request.regex:
        check_regex(request.regex)
    member_id = request.member_id
    known_id = former_id or member_id
    current = group.currents.get(known_id, NEW_MEMBER)
    subscriber = _subscriber(group.members.get(known_id), request)
    step = Step(member_id, former_id, subscriber, request.owned)
    following = take_step(group, step, view, turn, settings)
    _set_deadlines(group, member_id, subscriber, following, turn, settings)
    # A client that lost an answer tells everything, or uses something else than it has.
    is_told = (
        request.member_epoch != JOIN_EPOCH
        and request.topics is None
        and request.owned in (None, following.assigned)
        and following.assigned == current.assigned
    )
    return ConsumerHeartbeatResult(
        member_id,
        following.member_epoch,
        _interval_ms(group, following, settings),
        None if is_told else following.assigned,
    )


def _check_join(
    group: ConsumerGroup, request: ConsumerHeartbeat, settings: GroupSettings
) -> str | None:
    """The former member id of a static member that comes back."""
    has_topics = request.topics is not None or request.regex is not None
    if not has_topics or request.rebalance_timeout_ms < 0 or request.owned != frozenset():
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            "a member joins with topics, a rebalance time-out and an empty list of partitions",
        )
    former_id = None
    if request.instance_id is not None:
        former_id = group.static_member(request.instance_id)
    if former_id is not None and former_id != request.member_id:
        # In the classic protocol whoever comes last is the instance.
        is_classic = group.members[former_id].classic is not None
        if not is_classic and group.currents[former_id].member_epoch != STATIC_LEAVE_EPOCH:
            raise ProtocolError(ErrorCode.UNRELEASED_INSTANCE_ID, "the instance is in use")
        return former_id
    check_room(group, request.member_id, settings)
    return None


def check_room(group: ConsumerGroup, member_id: str, settings: GroupSettings) -> None:
    """GROUP_MAX_SIZE_REACHED."""
    if member_id not in group.members and len(group.members) >= settings.consumer_max_size:
        raise ProtocolError(ErrorCode.GROUP_MAX_SIZE_REACHED)


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
        current.member_epoch != STATIC_LEAVE_EPOCH
        and request.member_epoch == current.previous_epoch
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
        regex=request.regex or "",
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
        regex=before.regex if request.regex is None else told.regex,
    )


def _interval_ms(group: ConsumerGroup, current: StoredCurrent, settings: GroupSettings) -> int:
    """Who waits for what others give up asks more often: else it would be idle for an interval."""
    usual_ms = settings.consumer_heartbeat_interval_ms
    if current.state is not MemberState.UNRELEASED_PARTITIONS:
        return usual_ms
    return min(usual_ms, max(WAITING_INTERVAL_MS, len(group.members) * WAITING_MS_A_MEMBER))


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


def check_leaving(group: ConsumerGroup, request: ConsumerHeartbeat, turn: Turn[Any]) -> bool:
    """Whether the member goes for good; a static one may leave its place to itself (-2).

    ProtocolError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, INVALID_REQUEST.
    """
    if request.member_epoch not in (LEAVE_EPOCH, STATIC_LEAVE_EPOCH):
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "no such member epoch")
    check_member(group, request.member_id, request.instance_id)
    is_static = group.members[request.member_id].instance_id is not None
    if request.member_epoch == LEAVE_EPOCH or not is_static:
        return True
    current = group.currents[request.member_id]
    if current.member_epoch != STATIC_LEAVE_EPOCH:
        away = replace(
            current, member_epoch=STATIC_LEAVE_EPOCH, previous_epoch=current.member_epoch
        )
        turn.append(CurrentRecord(group.group_id, request.member_id, away))
    return False


def expired_members(group: ConsumerGroup, now_ms: int) -> list[str]:
    """Whose session, or time for the next step, has ended."""
    return [
        member_id
        for member_id in group.members
        if group.sessions.get(member_id, now_ms + 1) <= now_ms
        or group.revocations.get(member_id, now_ms + 1) <= now_ms
    ]


def restore_deadlines(group: ConsumerGroup, now_ms: int, settings: GroupSettings) -> None:
    """After loading: everybody has a whole session's time."""
    group.may_be_classic = bool(group.members)
    for member_id, member in group.members.items():
        session_ms = settings.consumer_session_timeout_ms
        if member.classic is not None:
            session_ms = member.classic.session_timeout_ms
        group.sessions[member_id] = now_ms + session_ms
        current = group.currents.get(member_id, NEW_MEMBER)
        if current.state is MemberState.UNREVOKED_PARTITIONS:
            group.revocations[member_id] = now_ms + member.rebalance_timeout_ms


def check_committer(
    group: ConsumerGroup,
    member_id: str,
    instance_id: str | None,
    epoch: int,
    *,
    is_transactional: bool,
) -> None:
    """Who is no member commits while nobody is one, or in a transaction.

    ProtocolError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, STALE_MEMBER_EPOCH; ILLEGAL_GENERATION to
    members of the classic protocol.
    """
    if epoch < 0 and (is_transactional or not group.members):
        return
    check_member(group, member_id, instance_id)
    if group.currents.get(member_id, NEW_MEMBER).member_epoch != epoch:
        is_classic = group.members[member_id].classic is not None
        raise ProtocolError(
            ErrorCode.ILLEGAL_GENERATION if is_classic else ErrorCode.STALE_MEMBER_EPOCH
        )


def check_reader(group: ConsumerGroup, member_id: str | None, epoch: int) -> None:
    """Who names itself when it reads offsets must be a member in its epoch (KIP-848).

    ProtocolError: UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH.
    """
    if not member_id and epoch < 0:
        return
    check_member(group, member_id or "", None)
    if group.currents.get(member_id or "", NEW_MEMBER).member_epoch != epoch:
        raise ProtocolError(ErrorCode.STALE_MEMBER_EPOCH)
