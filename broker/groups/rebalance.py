"""The round in which members join, from its opening to the next generation.

A round ends when everybody has joined, or at its deadline. Its end is one record: the generation,
the chosen protocol and the members. The JoinGroup answers wait until that record is committed
(Kafka stores a generation only with its assignment). So no two coordinators ever give out one
generation, and a coordinator that takes over between JoinGroup and SyncGroup knows the members.

A function here makes at most one record of a group, and makes it last: the records of a decision
are replayed after it.
"""

from __future__ import annotations

from collections.abc import Iterable

from broker.coordinator.machine import Turn
from broker.groups.classic_group import ClassicGroup, JoinRound
from broker.groups.member import Member
from broker.groups.requests import JoinedMember, JoinResult
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.stored import GroupRecord, Record, StoredGroup
from ottla.core.errors import ErrorCode, ProtocolError


def rebalancing() -> ProtocolError:
    return ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS)


def unknown_member() -> ProtocolError:
    return ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)


def prepare_rebalance(
    group: ClassicGroup, turn: Turn[Record], settings: GroupSettings, reason: str, cause: str
) -> None:
    """Open a round; all members have to join again. `cause` is one of a few, for the metrics.

    From EMPTY it lasts group.initial.rebalance.delay.ms, put off by each newcomer up to the
    rebalance time-out, so that a group that starts gets its partitions once (KIP-134).
    """
    now_ms = turn.moment.now_ms
    limit_ms = now_ms + group.rebalance_timeout_ms
    join_round = JoinRound(limit_ms, limit_ms)
    if group.state is GroupState.EMPTY:
        join_round.delay_ms = settings.initial_rebalance_delay_ms
        join_round.deadline_ms = min(now_ms + join_round.delay_ms, limit_ms)
    for member in group.members.values():
        if member.sync_ticket is not None:
            turn.answer(member.sync_ticket, rebalancing())
            member.sync_ticket = None
            member.refresh(now_ms)
    group.sync_pending.clear()
    group.sync_deadline_ms = None
    group.join_round = join_round
    group.rebalance_reason = reason
    group.move(GroupState.PREPARING_REBALANCE)
    turn.count("rebalances", cause)
    turn.note(f"group {group.group_id}: generation {group.generation} is rebalanced: {reason}")


def maybe_complete_join(group: ClassicGroup, turn: Turn[Record]) -> bool:
    """End the round if nobody is missing any longer or its time is over."""
    join_round = group.join_round
    if join_round is None:
        return False
    now_ms = turn.moment.now_ms
    if join_round.delay_ms is None:
        if now_ms < join_round.deadline_ms and not group.all_joined:
            return False
    else:
        if now_ms >= join_round.deadline_ms and join_round.has_newcomer:
            join_round.has_newcomer = False
            join_round.deadline_ms = min(now_ms + join_round.delay_ms, join_round.limit_ms)
        if now_ms < join_round.deadline_ms:
            return False
    return _complete_join(group, join_round, turn)


def _complete_join(group: ClassicGroup, join_round: JoinRound, turn: Turn[Record]) -> bool:
    now_ms = turn.moment.now_ms
    late = [m for m in group.members.values() if not m.has_joined and not m.is_static]
    for member in late:
        group.remove(member)
    if late:
        turn.note(
            f"group {group.group_id}: removed for not joining in time: "
            + ", ".join(member.member_id for member in late)
        )
    if group.members and not _elect_leader(group):
        # Only static members, none of whom has joined: nobody could assign. Their sessions end it.
        join_round.deadline_ms = now_ms + max(group.rebalance_timeout_ms, 1)
        join_round.delay_ms = None
        return False
    group.join_round = None
    protocol = group.select_protocol() if group.members else None
    stored = StoredGroup(
        protocol_type=group.protocol_type or "",
        generation=group.next_generation,
        protocol=protocol,
        leader_id=group.leader_id,
        state_timestamp_ms=turn.moment.timestamp_ms,
        members=tuple(member.to_stored(protocol, b"") for member in group.members.values()),
    )
    turn.append(GroupRecord(group.group_id, stored))
    if group.members:
        turn.note(
            f"group {group.group_id}: generation {stored.generation} has {len(stored.members)} "
            f"members, protocol {protocol}, leader {stored.leader_id}"
        )
    for member in group.members.values():
        if member.join_ticket is not None:
            turn.answer(member.join_ticket, joined_answer(stored, member.member_id))
            member.join_ticket = None
        member.has_joined = False
        member.is_new = False
        member.refresh(now_ms)
    if group.members:
        group.expect_syncs(now_ms)
    return True


def _elect_leader(group: ClassicGroup) -> bool:
    """Whether somebody leads who has joined; the former leader if it still listens."""
    leader = group.members.get(group.leader_id or "")
    if leader is not None and leader.join_ticket is not None:
        return True
    candidates = [member for member in group.members.values() if member.join_ticket is not None]
    if not candidates:
        # Those who lost their connection have joined too and may come back for the answer.
        candidates = [member for member in group.members.values() if member.has_joined]
    if not candidates:
        return False
    group.leader_id = candidates[0].member_id
    return True


def joined_answer(
    stored: StoredGroup, member_id: str, *, skip_assignment: bool = False
) -> JoinResult:
    """What a member of `stored` is told; the leader gets everybody's metadata."""
    members: tuple[JoinedMember, ...] = ()
    if member_id == stored.leader_id:
        members = tuple(
            JoinedMember(member.member_id, member.instance_id, member.subscription)
            for member in stored.members
        )
    return JoinResult(
        member_id=member_id,
        generation=stored.generation,
        protocol_type=stored.protocol_type,
        protocol=stored.protocol,
        leader_id=stored.leader_id or "",
        members=members,
        skip_assignment=skip_assignment,
    )


def remove_members(
    group: ClassicGroup,
    members: Iterable[Member],
    turn: Turn[Record],
    settings: GroupSettings,
    reason: str,
    cause: str,
) -> None:
    """Take members out; what waits for them is answered UNKNOWN_MEMBER_ID."""
    was_changed = False
    for member in members:
        was_changed = True
        if member.join_ticket is not None:
            turn.answer(member.join_ticket, unknown_member())
        if member.sync_ticket is not None:
            turn.answer(member.sync_ticket, unknown_member())
        group.remove(member)
    if was_changed and group.state in (GroupState.STABLE, GroupState.COMPLETING_REBALANCE):
        prepare_rebalance(group, turn, settings, reason, cause)
    maybe_complete_join(group, turn)


def expire(group: ClassicGroup, turn: Turn[Record], settings: GroupSettings) -> None:
    """Do what is due: pending ids, sessions, members that did not sync, the round's end."""
    now_ms = turn.moment.now_ms
    if group.is_leaderless:
        prepare_rebalance(group, turn, settings, "it was a consumer group", "protocol_changed")
    for member_id in [m for m, deadline_ms in group.pending.items() if deadline_ms <= now_ms]:
        del group.pending[member_id]
    expired = [
        member
        for member in group.members.values()
        if member.deadline_ms is not None and member.deadline_ms <= now_ms
    ]
    reason = f"the session of {', '.join(m.member_id for m in expired)} expired"
    if group.sync_deadline_ms is not None and group.sync_deadline_ms <= now_ms:
        group.sync_deadline_ms = None
        silent = [m for m in group.members.values() if m.member_id in group.sync_pending]
        silent = [member for member in silent if member not in expired]
        if silent:
            reason = f"{', '.join(m.member_id for m in silent)} did not ask for an assignment"
            expired += silent
    if expired:
        remove_members(group, expired, turn, settings, reason, "member_expired")
    else:
        maybe_complete_join(group, turn)
