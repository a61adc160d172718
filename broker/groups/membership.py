"""SyncGroup, Heartbeat and LeaveGroup."""

from __future__ import annotations

from broker.coordinator.machine import Ticket, Turn
from broker.groups.classic_group import ClassicGroup
from broker.groups.join import MEMBER_OVERHEAD_BYTES
from broker.groups.member import Member
from broker.groups.rebalance import rebalancing, remove_members
from broker.groups.requests import (
    HeartbeatRequest,
    LeaveRequest,
    LeavingMember,
    SyncRequest,
    SyncResult,
)
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.stored import GroupRecord, Record, StoredGroup
from ottla.core.errors import ErrorCode, ProtocolError


def decide_sync(
    group: ClassicGroup,
    request: SyncRequest,
    ticket: Ticket,
    turn: Turn[Record],
    settings: GroupSettings,
) -> None:
    """Give a member its assignment; the leader's request brings all of them.

    ProtocolError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION,
    INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS; UNKNOWN_SERVER_ERROR for assignments that
    are too large for one record.
    """
    member = group.member(request.member_id, request.instance_id)
    stored = group.stored
    if stored is None:
        raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)
    group.check_generation(request.generation)
    _check_protocol(request, stored)
    match group.state:
        case GroupState.PREPARING_REBALANCE:
            raise rebalancing()
        case GroupState.COMPLETING_REBALANCE:
            if member.member_id == stored.leader_id:
                _assign(group, stored, request, turn, settings)
            _park(group, member, ticket, turn)
            if turn.records:
                _answer_all(group, stored, turn)
        case GroupState.STABLE:
            group.sync_pending.discard(member.member_id)
            member.refresh(turn.moment.now_ms)
            assignment = group.assignments.get(member.member_id, b"")
            turn.answer(ticket, SyncResult(stored.protocol_type, stored.protocol, assignment))
        case _:
            raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)


def _check_protocol(request: SyncRequest, stored: StoredGroup) -> None:
    """KIP-559: a member that thinks another protocol was chosen would misread its assignment."""
    if request.protocol_type not in (None, stored.protocol_type) or request.protocol not in (
        None,
        stored.protocol,
    ):
        raise ProtocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)


def _assign(
    group: ClassicGroup,
    stored: StoredGroup,
    request: SyncRequest,
    turn: Turn[Record],
    settings: GroupSettings,
) -> None:
    """The record that makes the group stable; members that the leader left out get nothing."""
    assignments = request.assignments
    assigned = StoredGroup(
        protocol_type=stored.protocol_type,
        generation=stored.generation,
        protocol=stored.protocol,
        leader_id=stored.leader_id,
        state_timestamp_ms=turn.moment.timestamp_ms,
        members=tuple(
            member.to_stored(stored.protocol, assignments.get(member.member_id, b""))
            for member in group.members.values()
        ),
    )
    size = sum(len(m.subscription) + len(m.assignment) for m in assigned.members)
    if size + len(assigned.members) * MEMBER_OVERHEAD_BYTES > settings.record_bytes_max:
        raise ProtocolError(
            ErrorCode.UNKNOWN_SERVER_ERROR,
            f"the group's metadata has {size} bytes; {settings.record_bytes_max} fit a record",
        )
    group.assigned_generation = stored.generation
    turn.append(GroupRecord(group.group_id, assigned))


def _park(group: ClassicGroup, member: Member, ticket: Ticket, turn: Turn[Record]) -> None:
    if member.sync_ticket is not None:
        turn.answer(member.sync_ticket, rebalancing())  # its client asked again
    member.sync_ticket = ticket
    group.sync_pending.discard(member.member_id)
    if not group.sync_pending:
        group.sync_deadline_ms = None
    member.refresh(turn.moment.now_ms)


def _answer_all(group: ClassicGroup, stored: StoredGroup, turn: Turn[Record]) -> None:
    """The leader has assigned: everybody who waits gets its part."""
    record = turn.records[-1]
    assigned = record.group if isinstance(record, GroupRecord) else None
    if assigned is None:
        return
    for given in assigned.members:
        member = group.members[given.member_id]
        if member.sync_ticket is None:
            continue
        result = SyncResult(stored.protocol_type, stored.protocol, given.assignment)
        turn.answer(member.sync_ticket, result)
        member.sync_ticket = None
        member.refresh(turn.moment.now_ms)


def decide_heartbeat(
    group: ClassicGroup, request: HeartbeatRequest, ticket: Ticket, turn: Turn[Record]
) -> None:
    """Extend a session.

    ProtocolError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION; and, the session being
    extended, REBALANCE_IN_PROGRESS: join again.
    """
    member = group.member(request.member_id, request.instance_id)
    group.check_generation(request.generation)
    member.refresh(turn.moment.now_ms)
    if group.state is GroupState.PREPARING_REBALANCE:
        turn.answer(ticket, rebalancing())
    else:
        turn.answer(ticket, None)


def decide_leave(
    group: ClassicGroup,
    request: LeaveRequest,
    ticket: Ticket,
    turn: Turn[Record],
    settings: GroupSettings,
) -> None:
    """Remove members; the result is an ErrorCode for each, in order (NONE, UNKNOWN_MEMBER_ID,
    FENCED_INSTANCE_ID)."""
    codes: list[ErrorCode] = []
    gone: list[Member] = []
    for leaving in request.members:
        try:
            member = _leaving_member(group, leaving)
        except ProtocolError as error:
            codes.append(error.code)
            continue
        codes.append(ErrorCode.NONE)
        if member is not None and member not in gone:
            gone.append(member)
    names = ", ".join(member.member_id for member in gone)
    told = ", ".join(sorted({leaving.reason for leaving in request.members if leaving.reason}))
    reason = f"{names} left" + (f" ({told})" if told else "")
    remove_members(group, gone, turn, settings, reason, "member_left")
    turn.answer(ticket, codes)


def _leaving_member(group: ClassicGroup, leaving: LeavingMember) -> Member | None:
    """The member, None when it was only an id that nobody had joined with."""
    if leaving.member_id == "":
        current = group.static_ids.get(leaving.instance_id or "")
        if current is None:
            raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)
        return group.members[current]
    if leaving.instance_id is None and leaving.member_id in group.pending:
        del group.pending[leaving.member_id]
        return None
    return group.member(leaving.member_id, leaving.instance_id)
