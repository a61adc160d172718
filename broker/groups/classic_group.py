"""The state of one classic group and what can be asked of it; decisions are in the other modules.

Two halves that are never mixed:

- `stored`, and with it the states EMPTY, COMPLETING_REBALANCE and STABLE, is what the log says.
  Only `replay` (called by the machine for a record) sets it.
- Members' sessions, the open round and who waits for an answer are the coordinator's own. Decisions
  change them directly; they die with the leadership, and with the machine when an append fails.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from broker.groups.member import Member, Protocols
from broker.groups.states import VALID_PREVIOUS, GroupState
from broker.groups.stored import GENERATION_MAX, StoredGroup
from ottla.core.checks import check
from ottla.core.errors import ErrorCode, ProtocolError


@dataclass(slots=True)
class JoinRound:
    """PREPARING_REBALANCE: until when the members may join. Monotonic ms."""

    deadline_ms: int
    limit_ms: int
    """The first round of a group is put off while new members come, at most to here."""
    delay_ms: int | None = None
    """Of a first round, which lasts even if all have joined: how long a newcomer puts it off."""
    has_newcomer: bool = False
    """Somebody joined since the deadline was last set."""


class ClassicGroup:
    """See the module."""

    __slots__ = (
        "_protocol_counts",
        "assigned_generation",
        "assignments",
        "group_id",
        "join_round",
        "leader_id",
        "members",
        "pending",
        "protocol_type",
        "rebalance_reason",
        "state",
        "static_ids",
        "stored",
        "sync_deadline_ms",
        "sync_pending",
    )

    def __init__(self, group_id: str) -> None:
        self.group_id = group_id
        self.stored: StoredGroup | None = None
        self.state = GroupState.EMPTY
        self.assignments: dict[str, bytes] = {}
        """Of the stored generation, by member id."""
        self.members: dict[str, Member] = {}
        """In the order in which they came."""
        self.static_ids: dict[str, str] = {}
        """Member id by instance id."""
        self.pending: dict[str, int] = {}
        """Ids given out that nobody has joined with yet (KIP-394), and when they expire."""
        self.protocol_type: str | None = None
        """What all members have in common; None in a group that never had one."""
        self.leader_id: str | None = None
        self.join_round: JoinRound | None = None
        self.sync_pending: set[str] = set()
        """Members that have not yet asked for their assignment of this generation."""
        self.sync_deadline_ms: int | None = None
        self.assigned_generation = 0
        """The generation whose leader has assigned, even if it gave nobody anything."""
        self.rebalance_reason = ""
        self._protocol_counts: Counter[str] = Counter()

    # ---- what the log says

    @property
    def generation(self) -> int:
        return 0 if self.stored is None else self.stored.generation

    @property
    def next_generation(self) -> int:
        return self.generation + 1 if self.generation < GENERATION_MAX else 1

    @property
    def protocol(self) -> str | None:
        return None if self.stored is None else self.stored.protocol

    def replay(self, stored: StoredGroup, *, is_live: bool) -> None:
        """Take over a record. Loading jumps between states: compaction leaves only the last one."""
        if not stored.members:
            state = GroupState.EMPTY
        elif stored.has_assignments or self.assigned_generation == stored.generation:
            state = GroupState.STABLE
        else:
            state = GroupState.COMPLETING_REBALANCE
        if is_live:
            self.move(state)
        self.state = state
        self.stored = stored
        self.assignments = {member.member_id: member.assignment for member in stored.members}
        self.leader_id = stored.leader_id
        self.protocol_type = stored.protocol_type or None

    def restore_members(self, now_ms: int) -> None:
        """After loading: all stored members are alive until their sessions end."""
        if self.stored is None:
            return
        for stored in self.stored.members:
            member = Member.of_stored(stored, self.stored.protocol)
            self.add(member)
            member.refresh(now_ms)
        if self.state is GroupState.COMPLETING_REBALANCE:
            self.expect_syncs(now_ms)

    def move(self, state: GroupState) -> None:
        check(
            self.state in VALID_PREVIOUS[state],
            "a group cannot change so",
            group_id=self.group_id,
            state=self.state,
            target=state,
        )
        self.state = state

    # ---- members

    @property
    def is_forgettable(self) -> bool:
        """Nothing is stored and nobody is there: the object can go without a record."""
        return (
            self.stored is None
            and not self.members
            and not self.pending
            and self.join_round is None
        )

    @property
    def is_leaderless(self) -> bool:
        """It was a consumer group, and nobody has assigned for those who are left."""
        stored = self.stored
        return (
            self.state is GroupState.STABLE
            and stored is not None
            and bool(self.members)
            and stored.leader_id is None
        )

    @property
    def all_joined(self) -> bool:
        return not self.pending and all(member.has_joined for member in self.members.values())

    @property
    def rebalance_timeout_ms(self) -> int:
        """The longest that a member asked for; 0 without members."""
        return max((member.rebalance_timeout_ms for member in self.members.values()), default=0)

    def add(self, member: Member) -> None:
        self.members[member.member_id] = member
        self._protocol_counts.update({name for name, _ in member.protocols})
        if member.instance_id is not None:
            self.static_ids[member.instance_id] = member.member_id

    def remove(self, member: Member) -> None:
        del self.members[member.member_id]
        self._protocol_counts.subtract({name for name, _ in member.protocols})
        self.sync_pending.discard(member.member_id)
        if (
            member.instance_id is not None
            and self.static_ids.get(member.instance_id) == member.member_id
        ):
            del self.static_ids[member.instance_id]
        if self.leader_id == member.member_id:
            self.leader_id = None

    def replace_id(self, member: Member, member_id: str) -> None:
        """A static member restarted: it keeps its place under a new id (KIP-345)."""
        was_leader = self.leader_id == member.member_id
        was_sync_pending = member.member_id in self.sync_pending
        self.remove(member)
        member.member_id = member_id
        self.add(member)
        if was_leader:
            self.leader_id = member_id
        if was_sync_pending:
            self.sync_pending.add(member_id)

    def set_protocols(self, member: Member, protocols: Protocols) -> None:
        self._protocol_counts.subtract({name for name, _ in member.protocols})
        member.protocols = protocols
        self._protocol_counts.update({name for name, _ in protocols})

    def member(self, member_id: str, instance_id: str | None) -> Member:
        """UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID when the instance goes by another id now."""
        if instance_id is not None:
            current = self.static_ids.get(instance_id)
            if current is None:
                raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)
            if current != member_id:
                raise ProtocolError(ErrorCode.FENCED_INSTANCE_ID)
        member = self.members.get(member_id)
        if member is None:
            raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)
        return member

    def check_generation(self, generation: int) -> None:
        if generation != self.generation:
            raise ProtocolError(
                ErrorCode.ILLEGAL_GENERATION, f"the generation is {self.generation}"
            )

    # ---- protocols

    def supports(self, protocol_type: str, protocols: Protocols, member: Member | None) -> bool:
        """Whether a member with these protocols has one in common with all others.

        `member` is the one that joins when it is in the group already.
        """
        others = len(self.members) - (member is not None)
        if not others:
            return bool(protocol_type) and bool(protocols)
        if protocol_type != self.protocol_type:
            return False
        own = {name for name, _ in member.protocols} if member is not None else set()
        return any(self._protocol_counts[name] - (name in own) == others for name, _ in protocols)

    def select_protocol(self) -> str:
        """The vote: of the protocols that all support, the one that most members like best.

        On a tie the one that the oldest member likes better.
        """
        common = [
            name
            for name, count in self._protocol_counts.items()
            if count == len(self.members) and count
        ]
        check(bool(common), "members without a common protocol", group_id=self.group_id)
        votes: Counter[str] = Counter()
        for member in self.members.values():
            for name, _ in member.protocols:
                if name in common:
                    votes[name] += 1
                    break
        return votes.most_common(1)[0][0]  # keeps the order of arrival among equals

    # ---- time

    def expect_syncs(self, now_ms: int) -> None:
        """A generation is known: its members have the rebalance time-out to ask for their part."""
        self.sync_pending = set(self.members)
        self.sync_deadline_ms = now_ms + self.rebalance_timeout_ms

    def next_deadline(self) -> int | None:
        """The earliest of all that is waited for, in monotonic ms; O(members)."""
        deadlines = [m.deadline_ms for m in self.members.values() if m.deadline_ms is not None]
        deadlines += self.pending.values()
        if self.is_leaderless:
            deadlines.append(0)
        if self.join_round is not None:
            deadlines.append(self.join_round.deadline_ms)
        if self.sync_deadline_ms is not None:
            deadlines.append(self.sync_deadline_ms)
        return min(deadlines, default=None)
