"""Members of the classic protocol in a consumer group (KIP-848, while a group moves over).

The coordinator assigns for them too. JoinGroup makes their step and answers at once, the member
epoch being the generation and nobody the leader; SyncGroup fetches what they have; a heartbeat says
REBALANCE_IN_PROGRESS when the next step is due.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from broker.coordinator.machine import Ticket, Turn
from broker.groups.consumer.group import ConsumerGroup
from broker.groups.consumer.heartbeat import check_member, check_room
from broker.groups.consumer.records import by_topic
from broker.groups.consumer.requests import STATIC_LEAVE_EPOCH, TopicsView
from broker.groups.consumer.step import Step, is_free, look_at_topics, take_step
from broker.groups.consumer.stored import (
    ClassicSide,
    MemberState,
    StoredCurrent,
    StoredSubscriber,
    TopicPartitions,
)
from broker.groups.requests import (
    HeartbeatRequest,
    JoinRequest,
    JoinResult,
    LeaveRequest,
    SyncRequest,
    SyncResult,
)
from broker.groups.settings import GroupSettings
from broker.groups.subscriptions import read_subscription, write_assignment
from ottla.core.errors import ErrorCode, ProtocolError

CONSUMER: Final = "consumer"
"""The protocol type of all members."""
PENDING_MAX: Final = 10_000


def decide_join(
    group: ConsumerGroup,
    request: JoinRequest,
    view: TopicsView,
    ticket: Ticket,
    turn: Turn[Any],
    settings: GroupSettings,
) -> None:
    """Join, or take the next step.

    ProtocolError: INCONSISTENT_GROUP_PROTOCOL, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID,
    UNRELEASED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED, INVALID_REQUEST.
    """
    if request.protocol_type != CONSUMER or not request.protocols:
        raise ProtocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, "the group is of consumers")
    now_ms = turn.moment.now_ms
    is_unknown = request.member_id == ""
    if is_unknown and request.instance_id is None and request.requires_known_member_id:
        check_room(group, request.fresh_member_id, settings)
        if len(group.pending) >= PENDING_MAX:
            raise ProtocolError(ErrorCode.GROUP_MAX_SIZE_REACHED)
        group.pending[request.fresh_member_id] = now_ms + request.session_timeout_ms
        required = JoinResult(request.fresh_member_id, error=ErrorCode.MEMBER_ID_REQUIRED)
        turn.answer(ticket, required)
        return
    member_id, former_id = _identify(group, request, settings)
    _check_protocols(group, request, former_id or member_id)
    subscription = read_subscription(request.protocols[0][1])
    if subscription is None:
        raise ProtocolError(
            ErrorCode.INCONSISTENT_GROUP_PROTOCOL, "the subscription cannot be read"
        )
    subscriber = StoredSubscriber(
        instance_id=request.instance_id,
        rack_id=subscription.rack_id,
        client_id=request.client_id,
        client_host=request.client_host,
        topics=tuple(sorted(set(subscription.topics))),
        rebalance_timeout_ms=request.rebalance_timeout_ms,
        assignor=None,
        classic=ClassicSide(request.session_timeout_ms, request.protocols),
    )
    owned = to_ids(
        ((t.topic, index) for t in subscription.owned_partitions for index in t.partitions), view
    )
    step = Step(member_id, former_id, subscriber, owned)
    following = take_step(group, step, view, turn, settings)
    group.pending.pop(member_id, None)
    group.sessions[member_id] = now_ms + request.session_timeout_ms
    group.revocations[member_id] = now_ms + request.rebalance_timeout_ms
    turn.answer(
        ticket,
        JoinResult(
            member_id=member_id,
            generation=following.member_epoch,
            protocol_type=CONSUMER,
            protocol=request.protocols[0][0],
        ),
    )


def _identify(
    group: ConsumerGroup, request: JoinRequest, settings: GroupSettings
) -> tuple[str, str | None]:
    """The member id, and the one whose place it takes."""
    if request.member_id:
        if request.member_id in group.pending and request.instance_id is None:
            check_room(group, request.member_id, settings)
        else:
            check_member(group, request.member_id, request.instance_id)
        return request.member_id, None
    former_id = None
    if request.instance_id is not None:
        former_id = group.static_member(request.instance_id)
    if former_id is None:
        check_room(group, request.fresh_member_id, settings)
    elif (
        group.members[former_id].classic is None
        and group.currents[former_id].member_epoch != STATIC_LEAVE_EPOCH
    ):
        raise ProtocolError(ErrorCode.UNRELEASED_INSTANCE_ID, "the instance is in use")
    return request.fresh_member_id, former_id


def _check_protocols(group: ConsumerGroup, request: JoinRequest, known_id: str) -> None:
    """The group may have to go on as a classic one: its classic members need one in common."""
    common = {name for name, _ in request.protocols}
    for other_id, member in group.members.items():
        if member.classic is not None and other_id != known_id:
            common &= {name for name, _ in member.classic.protocols}
    if not common:
        raise ProtocolError(
            ErrorCode.INCONSISTENT_GROUP_PROTOCOL, "no protocol is common to all classic members"
        )


def decide_sync(
    group: ConsumerGroup, request: SyncRequest, view: TopicsView, ticket: Ticket, turn: Turn[Any]
) -> None:
    """Give a member what it has.

    ProtocolError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION,
    INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS.
    """
    classic, current = _classic(group, request.member_id, request.instance_id, request.generation)
    name, metadata = classic.protocols[0]
    if request.protocol_type not in (None, CONSUMER) or request.protocol not in (None, name):
        raise ProtocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    is_unrevoked = current.state is MemberState.UNREVOKED_PARTITIONS
    if group.epoch > current.member_epoch and not is_unrevoked:
        raise ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS)
    now_ms = turn.moment.now_ms
    group.sessions[request.member_id] = now_ms + classic.session_timeout_ms
    if not is_unrevoked:
        group.revocations.pop(request.member_id, None)
    assignment = write_assignment(named(current.assigned, view), metadata)
    turn.answer(ticket, SyncResult(CONSUMER, name, assignment))


def decide_heartbeat(
    group: ConsumerGroup,
    request: HeartbeatRequest,
    view: TopicsView,
    ticket: Ticket,
    turn: Turn[Any],
    settings: GroupSettings,
) -> None:
    """Extend a session.

    ProtocolError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION; and, the session being
    extended, REBALANCE_IN_PROGRESS: join again.
    """
    member_id = request.member_id
    classic, current = _classic(group, member_id, request.instance_id, request.generation)
    epoch = look_at_topics(group, view, turn, settings)
    now_ms = turn.moment.now_ms
    group.sessions[member_id] = now_ms + classic.session_timeout_ms
    is_due = epoch > current.member_epoch or current.state is MemberState.UNREVOKED_PARTITIONS
    if not is_due and current.state is MemberState.UNRELEASED_PARTITIONS:
        missing = group.targets.get(member_id, frozenset()) - current.assigned
        is_due = any(map(is_free(group, member_id), missing))
    if not is_due:
        turn.answer(ticket, None)
        return
    rebalance_ms = group.members[member_id].rebalance_timeout_ms
    group.revocations.setdefault(member_id, now_ms + rebalance_ms)
    turn.answer(ticket, ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS))


def leaving_members(
    group: ConsumerGroup, request: LeaveRequest
) -> tuple[list[ErrorCode], list[str]]:
    """A code for each that wants to leave (NONE, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID), and the
    ids of those who go."""
    codes: list[ErrorCode] = []
    gone: dict[str, None] = {}
    for leaving in request.members:
        member_id: str | None = leaving.member_id
        if not member_id:
            member_id = group.static_member(leaving.instance_id or "")
        elif leaving.instance_id is None and group.pending.pop(member_id, None) is not None:
            codes.append(ErrorCode.NONE)
            continue
        try:
            check_member(group, member_id or "", leaving.instance_id)
        except ProtocolError as error:
            codes.append(error.code)
            continue
        codes.append(ErrorCode.NONE)
        gone[member_id or ""] = None
    return codes, list(gone)


def _classic(
    group: ConsumerGroup, member_id: str, instance_id: str | None, generation: int
) -> tuple[ClassicSide, StoredCurrent]:
    check_member(group, member_id, instance_id)
    classic = group.members[member_id].classic
    if classic is None:
        raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID, "the member uses the consumer protocol")
    current = group.currents[member_id]
    if generation != current.member_epoch:
        raise ProtocolError(
            ErrorCode.ILLEGAL_GENERATION, f"the generation is {current.member_epoch}"
        )
    return classic, current


def to_ids(partitions: Iterable[tuple[str, int]], view: TopicsView) -> TopicPartitions:
    """By topic ids; what the cluster does not have is left out."""
    return frozenset(
        (view.topics[topic][0], index)
        for topic, index in partitions
        if topic in view.topics and 0 <= index < view.topics[topic][1]
    )


def named(partitions: TopicPartitions, view: TopicsView) -> list[tuple[str, list[int]]]:
    """By topic names, sorted; what the cluster does not have is left out."""
    names = view.names
    topics = [(names[t], indexes) for t, indexes in by_topic(partitions) if t in names]
    return sorted(topics)
