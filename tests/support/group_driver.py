"""Drives a group machine by itself: decide, write, read back, replay; as the runtime does, pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from broker.coordinator.machine import Moment, Ticket, Turn
from broker.groups import records
from broker.groups.classic_group import ClassicGroup
from broker.groups.machine import GroupMachine
from broker.groups.requests import (
    CommitRequest,
    FetchRequest,
    HeartbeatRequest,
    JoinRequest,
    JoinResult,
    LeaveRequest,
    LeavingMember,
    OffsetToCommit,
    SyncRequest,
)
from broker.groups.settings import GroupSettings
from broker.groups.stored import Record
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError

GROUP = "group"
SETTINGS = GroupSettings(initial_rebalance_delay_ms=0)


class Pending:
    """An answer that has not come yet."""

    def __repr__(self) -> str:
        return "PENDING"


PENDING = Pending()


class GroupDriver:
    """One machine, its log and its time. Answers are kept by ticket."""

    def __init__(self, settings: GroupSettings = SETTINGS) -> None:
        self.settings = settings
        self.clock = ManualClock(now_ms=1_000)
        self.log: list[tuple[bytes, bytes | None]] = []
        self.answers: dict[Ticket, object] = {}
        self.notes: list[str] = []
        self._tickets = itertools.count(1)
        self.machine = self.new_machine()
        self.machine.loaded(self.moment)

    def new_machine(self) -> GroupMachine:
        return GroupMachine(self.settings)

    def carried_out(self) -> None:
        """Called after every step."""

    @property
    def moment(self) -> Moment:
        return Moment(self.clock.now_ms(), self.clock.timestamp_ms())

    @property
    def group(self) -> ClassicGroup:
        return self.machine.groups[GROUP]

    def reload(self) -> GroupMachine:
        """Another coordinator takes over from the log."""
        self.machine = self.replayed()
        self.machine.loaded(self.moment)
        return self.machine

    def replayed(self) -> GroupMachine:
        machine = self.new_machine()
        for key, value in self.log:
            record = machine.decode(key, value)
            assert record is not None
            machine.replay(record)
        return machine

    # ---- requests

    def decide(self, decide: Callable[[GroupMachine, Ticket, Turn[Record]], None]) -> Ticket:
        """Run one decision; the ticket under which its answer will be."""
        ticket = next(self._tickets)
        turn: Turn[Record] = Turn(self.moment)
        try:
            decide(self.machine, ticket, turn)
        except ProtocolError as error:
            assert not turn.records
            turn.answer(ticket, error)
        self._carry_out(turn)
        return ticket

    def _carry_out(self, turn: Turn[Record]) -> None:
        for record in turn.records:
            key, value = records.encode(record)
            self.log.append((key, value))
            assert records.decode(key, value) == record
        for record in turn.records:
            self.machine.replay(record)
        for ticket, answer in turn.answers:
            assert ticket not in self.answers, "answered twice"
            self.answers[ticket] = answer
        self.notes += turn.notes
        self.carried_out()

    def answer(self, ticket: Ticket) -> Any:
        return self.answers.get(ticket, PENDING)

    def error(self, ticket: Ticket) -> ErrorCode:
        answer = self.answer(ticket)
        assert isinstance(answer, ProtocolError), answer
        return answer.code

    def is_pending(self, ticket: Ticket) -> bool:
        return ticket not in self.answers

    def abandon(self, ticket: Ticket) -> None:
        turn: Turn[Record] = Turn(self.moment)
        self.machine.abandon(ticket, turn)
        self._carry_out(turn)

    def advance(self, milliseconds: int) -> None:
        """Let time pass, stopping at every deadline."""
        end_ms = self.clock.now_ms() + milliseconds
        for _ in range(10_000):
            deadline_ms = self.machine.next_deadline()
            if deadline_ms is None or deadline_ms > end_ms:
                break
            self.clock.advance(max(0, deadline_ms - self.clock.now_ms()))
            turn: Turn[Record] = Turn(self.moment)
            self.machine.on_deadline(turn)
            self._carry_out(turn)
        else:
            raise AssertionError("deadlines do not end")
        self.clock.advance(end_ms - self.clock.now_ms())

    # ---- short forms

    def join(self, member_id: str = "", **fields: Any) -> Ticket:
        request = join_request(member_id, **fields)
        return self.decide(lambda m, ticket, turn: m.join(request, ticket, turn))

    def sync(
        self,
        member_id: str,
        generation: int,
        assignments: dict[str, bytes] | None = None,
        **fields: Any,
    ) -> Ticket:
        fields = {"instance_id": None, "protocol_type": None, "protocol": None} | fields
        request = SyncRequest(GROUP, generation, member_id, assignments=assignments or {}, **fields)
        return self.decide(lambda m, ticket, turn: m.sync(request, ticket, turn))

    def heartbeat(self, member_id: str, generation: int, instance_id: str | None = None) -> Ticket:
        request = HeartbeatRequest(GROUP, generation, member_id, instance_id)
        return self.decide(lambda m, ticket, turn: m.heartbeat(request, ticket, turn))

    def leave(self, *members: LeavingMember) -> Ticket:
        request = LeaveRequest(GROUP, members)
        return self.decide(lambda m, ticket, turn: m.leave(request, ticket, turn))

    def commit(
        self,
        *offsets: OffsetToCommit,
        member_id: str = "",
        generation: int = -1,
        group_id: str = GROUP,
        instance_id: str | None = None,
        retention_ms: int | None = None,
    ) -> Ticket:
        request = CommitRequest(group_id, member_id, instance_id, generation, offsets, retention_ms)
        return self.decide(lambda m, ticket, turn: m.commit(request, ticket, turn))

    def fetch(self, *topics: tuple[str, tuple[int, ...]], everything: bool = False) -> Any:
        request = FetchRequest(GROUP, None if everything else topics)
        return self.answer(self.decide(lambda m, ticket, turn: m.fetch(request, ticket, turn)))

    def committed(self, topic: str = "t", partition: int = 0) -> int | None:
        found = self.fetch((topic, (partition,)))[0].committed
        return None if found is None else found.offset

    def stable_group(self, *member_ids: str, **fields: Any) -> int:
        """Make a stable group of these dynamic members; its generation. The first one leads."""
        tickets = {}
        if not member_ids:
            raise ValueError("a stable group has members")
        for member_id in member_ids:
            tickets[member_id] = self.join(fresh_member_id=member_id, **fields)
            for other in tickets:
                if other != member_id and self.answer(tickets[other]) is not PENDING:
                    tickets[other] = self.join(other, **fields)
        results: dict[str, JoinResult] = {m: self.answer(t) for m, t in tickets.items()}
        generation = results[member_ids[0]].generation
        assert {result.generation for result in results.values()} == {generation}
        leader = results[member_ids[0]].leader_id
        assignments = {member_id: f"to {member_id}".encode() for member_id in member_ids}
        for member_id in member_ids:
            self.sync(member_id, generation, assignments if member_id == leader else None)
        return generation


def join_request(member_id: str = "", **fields: Any) -> JoinRequest:
    values: dict[str, Any] = {
        "group_id": GROUP,
        "member_id": member_id,
        "instance_id": None,
        "client_id": "client",
        "client_host": "/127.0.0.1",
        "session_timeout_ms": 10_000,
        "rebalance_timeout_ms": 60_000,
        "protocol_type": "consumer",
        "protocols": (("range", b"meta"),),
        "fresh_member_id": f"fresh-{member_id}",
    }
    return JoinRequest(**(values | fields))


def offset(value: int, topic: str = "t", partition: int = 0, **fields: Any) -> OffsetToCommit:
    return OffsetToCommit(topic, partition, value, **fields)
