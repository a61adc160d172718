"""JoinGroup: who may join, as whom, and whether that takes a rebalance.

New members come in one of three ways: static ones at once (KIP-345), dynamic ones of old clients at
once, and all others in two steps, so that a client which never hears of its id leaves no member
behind (KIP-394).
"""

from __future__ import annotations

from broker.coordinator.machine import Ticket, Turn
from broker.groups.classic_group import ClassicGroup
from broker.groups.member import Member, Protocols
from broker.groups.rebalance import (
    joined_answer,
    maybe_complete_join,
    prepare_rebalance,
    rebalancing,
)
from broker.groups.requests import JoinRequest, JoinResult
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.stored import GroupRecord, Record, StoredGroup
from broker.groups.subscriptions import subscribed_topics
from ottla.core.errors import ErrorCode, ProtocolError

MEMBER_OVERHEAD_BYTES = 600
"""Reckoned for a member's names and numbers in the group's record."""
PENDING_MAX = 10_000
"""Ids of one group that were given out and not joined with; more are refused."""


def decide_join(
    group: ClassicGroup,
    request: JoinRequest,
    ticket: Ticket,
    turn: Turn[Record],
    settings: GroupSettings,
) -> None:
    """Answer, or park `ticket` in the round.

    MEMBER_ID_REQUIRED comes as a result with the id. ProtocolError, before anything has changed:
    INCONSISTENT_GROUP_PROTOCOL, GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID.
    """
    known = _known_member(group, request)
    if not group.supports(request.protocol_type, request.protocols, known):
        raise ProtocolError(
            ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
            f"the group's protocol type is {group.protocol_type!r}; no protocol is common to all",
        )
    if not _has_room(group, request, known, settings):
        raise ProtocolError(ErrorCode.GROUP_MAX_SIZE_REACHED)
    if known is None:
        _join_new(group, request, ticket, turn, settings)
    elif request.member_id == "":
        _replace_static(group, known, request, ticket, turn, settings)
    else:
        _join_again(group, known, request, ticket, turn, settings)


def _known_member(group: ClassicGroup, request: JoinRequest) -> Member | None:
    """The member of the group that this is, None for a new one."""
    if request.member_id == "":
        current = group.static_ids.get(request.instance_id or "")
        return None if current is None else group.members[current]
    if request.instance_id is None and request.member_id in group.pending:
        return None
    return group.member(request.member_id, request.instance_id)


def _has_room(
    group: ClassicGroup, request: JoinRequest, known: Member | None, settings: GroupSettings
) -> bool:
    """group.max.size, and the size of the record that will hold all members."""
    if known is None:
        if len(group.pending) >= PENDING_MAX and request.member_id == "":
            return False
        if group.state is GroupState.PREPARING_REBALANCE:
            # Those who do not come back lose their place to whoever is quicker.
            count = sum(member.has_joined for member in group.members.values())
        else:
            count = len(group.members)
        if count >= settings.max_size:
            return False
    size = sum(m.metadata_bytes_max for m in group.members.values() if m is not known)
    size += max((len(metadata) for _, metadata in request.protocols), default=0)
    count = len(group.members) + (known is None)
    return size + count * MEMBER_OVERHEAD_BYTES <= settings.record_bytes_max


def _join_new(
    group: ClassicGroup,
    request: JoinRequest,
    ticket: Ticket,
    turn: Turn[Record],
    settings: GroupSettings,
) -> None:
    is_dynamic = request.instance_id is None
    if request.member_id == "" and is_dynamic and request.requires_known_member_id:
        # Waited for as long as a session, also by a round that is open.
        group.pending[request.fresh_member_id] = turn.moment.now_ms + request.session_timeout_ms
        turn.answer(
            ticket,
            JoinResult(request.fresh_member_id, error=ErrorCode.MEMBER_ID_REQUIRED),
        )
        return
    member_id = request.member_id or request.fresh_member_id
    group.pending.pop(member_id, None)
    if not group.members:
        group.protocol_type = request.protocol_type
    member = Member.of_request(member_id, request)
    group.add(member)
    if group.leader_id is None:
        group.leader_id = member_id
    reason = _reason(request, "joins")
    _rebalance(group, member, ticket, turn, settings, reason, "member_joined")


def _replace_static(
    group: ClassicGroup,
    member: Member,
    request: JoinRequest,
    ticket: Ticket,
    turn: Turn[Record],
    settings: GroupSettings,
) -> None:
    """A static member restarted: it gets a new id, and whoever still uses the old one is fenced.

    In a stable group that is all, as long as it subscribes to the same: the record with its new id
    takes the old one's assignment along, and no other member notices.
    """
    stored, former_id = group.stored, member.member_id
    had_same = _is_same_subscription(group, member, request.protocols)
    if member.join_ticket is not None:
        turn.answer(member.join_ticket, ProtocolError(ErrorCode.FENCED_INSTANCE_ID))
    if member.sync_ticket is not None:
        turn.answer(member.sync_ticket, ProtocolError(ErrorCode.FENCED_INSTANCE_ID))
    member.join_ticket = member.sync_ticket = None
    group.replace_id(member, request.fresh_member_id)
    _update(group, member, request)
    reason = _reason(request, f"(instance {request.instance_id}) replaces {former_id}")
    if group.state is not GroupState.STABLE or stored is None:
        _rebalance(group, member, ticket, turn, settings, reason, "member_replaced")
        return
    if not had_same or group.select_protocol() != group.protocol:
        _rebalance(group, member, ticket, turn, settings, reason, "member_replaced")
        return
    member.refresh(turn.moment.now_ms)
    replaced = StoredGroup(
        protocol_type=stored.protocol_type,
        generation=stored.generation,
        protocol=stored.protocol,
        leader_id=group.leader_id,
        state_timestamp_ms=turn.moment.timestamp_ms,
        members=tuple(
            other.to_stored(
                stored.protocol,
                group.assignments.get(former_id if other is member else other.member_id, b""),
            )
            for other in group.members.values()
        ),
    )
    turn.append(GroupRecord(group.group_id, replaced))
    is_leader = group.leader_id == member.member_id
    if request.supports_skipping_assignment:
        answer = joined_answer(replaced, member.member_id, skip_assignment=is_leader)
    else:
        # An old client that hears it is leader would assign: it is told the former leader's id.
        answer = JoinResult(
            member_id=member.member_id,
            generation=replaced.generation,
            protocol_type=replaced.protocol_type,
            protocol=replaced.protocol,
            leader_id=stored.leader_id or "",
        )
    turn.answer(ticket, answer)


def _is_same_subscription(group: ClassicGroup, member: Member, protocols: Protocols) -> bool:
    """Whether a restarted member wants the same topics.

    Kafka compares only the vote, and misses a changed topic list. The bytes cannot be compared:
    they hold what the member owned, and a restarted one owns nothing.
    """
    if group.protocol_type != "consumer" or group.protocol is None:
        return True
    before = subscribed_topics(member.metadata(group.protocol))
    after = subscribed_topics(dict(protocols).get(group.protocol, b""))
    return before is None or before == after


def _join_again(
    group: ClassicGroup,
    member: Member,
    request: JoinRequest,
    ticket: Ticket,
    turn: Turn[Record],
    settings: GroupSettings,
) -> None:
    stored = group.stored
    is_leader = stored is not None and stored.leader_id == member.member_id
    is_changed = member.protocols != request.protocols
    repeats_answer = not is_changed and (
        # It did not get the first answer.
        group.state is GroupState.COMPLETING_REBALANCE
        # A leader that joins again wants to assign anew.
        or (group.state is GroupState.STABLE and not is_leader)
    )
    if repeats_answer and stored is not None:
        member.session_timeout_ms = request.session_timeout_ms
        member.rebalance_timeout_ms = request.rebalance_timeout_ms
        member.refresh(turn.moment.now_ms)
        turn.answer(ticket, joined_answer(stored, member.member_id))
        return
    what = "changed its metadata" if is_changed else "leads and joins again"
    _update(group, member, request)
    reason = _reason(request, what, member.member_id)
    _rebalance(group, member, ticket, turn, settings, reason, "member_rejoined")


def _update(group: ClassicGroup, member: Member, request: JoinRequest) -> None:
    group.set_protocols(member, request.protocols)
    if len(group.members) == 1:
        group.protocol_type = request.protocol_type
    member.client_id = request.client_id
    member.client_host = request.client_host
    member.session_timeout_ms = request.session_timeout_ms
    member.rebalance_timeout_ms = request.rebalance_timeout_ms


def _rebalance(
    group: ClassicGroup,
    member: Member,
    ticket: Ticket,
    turn: Turn[Record],
    settings: GroupSettings,
    reason: str,
    cause: str,
) -> None:
    """Park the member in the open round or a new one, and end the round if it was the last."""
    if member.join_ticket is not None:
        # Its client asked again: the former request's connection is as good as gone.
        turn.answer(member.join_ticket, rebalancing())
        member.join_ticket = None
    if group.join_round is None:
        prepare_rebalance(group, turn, settings, reason, cause)
    else:
        group.join_round.has_newcomer = True
        turn.note(f"group {group.group_id}: to the open round: {reason}")
    member.join_ticket = ticket
    member.has_joined = True
    member.refresh(turn.moment.now_ms)
    maybe_complete_join(group, turn)


def _reason(request: JoinRequest, what: str, member_id: str = "") -> str:
    who = member_id or request.member_id or request.fresh_member_id
    told = f" ({request.reason})" if request.reason else ""
    return f"{who} {what}{told}"
