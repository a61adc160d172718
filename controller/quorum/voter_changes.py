"""Changes of the set of voters, by its leader: one at a time, each an entry of the log.

    add     feed the node as a learner → it has, within one election time, all that was there when
            the round began → append the set with it → committed by a majority of the new set
    remove  append the set without it → committed by a majority of the new set

A change begins only when this leader has applied its own no-op, so that everything before its term
is settled, and when the set before is committed (Raft thesis, 4.1, and its erratum): the sets of
two leaders then never differ by more than one voter. It waits until the voters of the new set that
answer are a majority of it: else it could not be committed, nor anything after it.
A leader does not remove itself; it hands over and lets its successor do it.

The directories of founders, whom formatting knows by id alone, are put into the set as they
connect; the first one stays (SAFETY.md, rule 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from controller.quorum.outcomes import Declined, Outcome, Refused
from controller.quorum.voter_set import VOTERS_MAX, VoterNode, VoterSet
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import Uuid, uuid_text

Done = Callable[[Outcome], None]


class Leader(Protocol):
    """What changes need of the engine."""

    def is_ready_leader(self) -> bool: ...
    def leader_id(self) -> int | None: ...
    def voter_set(self) -> VoterSet: ...
    def has_uncommitted_voters(self) -> bool: ...
    def connected_directories(self) -> dict[int, Uuid]: ...
    def responding(self) -> set[int]: ...
    def own_end(self) -> int: ...
    def matched(self, node_id: int) -> int: ...
    def set_learner(self, node_id: int, node: VoterNode) -> None: ...
    def drop_learner(self) -> None: ...
    def append_voters(self, voters: VoterSet, done: Done) -> None: ...


@dataclass(slots=True)
class _Change:
    """What is under way, before it is in the log. `node`: of the voter to add; None: remove it."""

    node_id: int
    node: VoterNode | None
    deadline: float
    done: Done
    target: int
    round_began: float


class VoterChanges:
    """See the module. `own_id` leads; times are seconds of the library's clock."""

    def __init__(self, leader: Leader, own_id: int, round_seconds: float) -> None:
        self._leader = leader
        self._own_id = own_id
        self._round_seconds = round_seconds
        self._change: _Change | None = None

    def add(
        self, node_id: int, node: VoterNode, *, now: float, deadline: float, done: Done
    ) -> None:
        """`done` hears Applied once the new set is committed; Declined: nothing was changed."""
        leader = self._leader
        if self._is_declined(done):
            return
        voters = leader.voter_set()
        known = voters.get(node_id)
        if known is not None and known.directory_id == node.directory_id:
            done(Declined(ErrorCode.DUPLICATE_VOTER, f"node {node_id} is already a voter"))
        elif known is not None:
            done(
                Declined(
                    ErrorCode.DUPLICATE_VOTER,
                    f"node {node_id} is already a voter, with {_directory(known)}: remove that one "
                    f"first with 'ottla quorum remove-voter {node_id}'",
                )
            )
        elif len(voters) >= VOTERS_MAX:
            done(
                Declined(
                    ErrorCode.INVALID_REQUEST, f"a quorum has at most {VOTERS_MAX} voters: remove "
                    "one first"
                )
            )  # fmt: skip
        else:
            self._change = _Change(node_id, node, deadline, done, leader.own_end(), now)
            leader.set_learner(node_id, node)

    def remove(
        self, node_id: int, directory_id: Uuid | None, *, now: float, deadline: float, done: Done
    ) -> None:
        """`directory_id` None: whatever disk it has. `done` as in `add`."""
        leader = self._leader
        if self._is_declined(done):
            return
        voters = leader.voter_set()
        known = voters.get(node_id)
        if known is None:
            done(Declined(ErrorCode.VOTER_NOT_FOUND, f"node {node_id} is not a voter"))
        elif directory_id is not None and known.directory_id not in (None, directory_id):
            done(
                Declined(
                    ErrorCode.VOTER_NOT_FOUND,
                    f"voter {node_id} has {_directory(known)}, not {uuid_text(directory_id)}",
                )
            )
        elif len(voters) == 1:
            done(
                Declined(
                    ErrorCode.INVALID_REQUEST,
                    f"node {node_id} is the last voter: add another one first",
                )
            )
        elif node_id == self._own_id:
            done(Declined(ErrorCode.NOT_CONTROLLER, "a leader does not remove itself"))
        else:
            self._change = _Change(node_id, None, deadline, done, 0, now)

    def step(self, now: float) -> None:
        """Go on with what is under way."""
        leader = self._leader
        if not leader.is_ready_leader():
            self.abandon()
            return
        self._name_directories()
        change = self._change
        if change is None:
            return
        if change.node is not None and not self._has_caught_up(change, change.node, now):
            fault = self._why_late(change.node_id, change.node)
        else:
            fault = self._maybe_append(change)
        if fault and now > change.deadline:
            self._end(change)
            change.done(Declined(ErrorCode.REQUEST_TIMED_OUT, fault))

    def abandon(self) -> None:
        """This voter leads no more; who waits is told."""
        change = self._change
        if change is not None:
            self._end(change)
            change.done(Refused(self._leader.leader_id()))

    def next_deadline(self) -> float:
        return float("inf") if self._change is None else self._change.deadline

    def _has_caught_up(self, change: _Change, node: VoterNode, now: float) -> bool:
        """It has all that was there when a round began, and the round was a short one."""
        leader = self._leader
        if leader.matched(change.node_id) < change.target:
            return False
        if now - change.round_began <= self._round_seconds:
            return True
        change.target, change.round_began = leader.own_end(), now
        return False

    def _maybe_append(self, change: _Change) -> str:
        """Why not; empty when the new set is in the log."""
        leader = self._leader
        voters = leader.voter_set()
        if change.node is None:
            voters = voters.without(change.node_id)
        else:
            voters = voters.with_voter(change.node_id, change.node)
        answering = leader.responding()
        if not voters.is_majority(answering):
            silent = ", ".join(str(one) for one in voters.ids if one not in answering)
            return (
                f"of the voters that there would be, {silent} do not answer, and without them "
                "there is no majority: start or remove those first"
            )
        leader.append_voters(voters, change.done)
        self._end(change)
        return ""

    def _end(self, change: _Change) -> None:
        self._change = None
        if change.node is not None:
            self._leader.drop_learner()

    def _is_declined(self, done: Done) -> bool:
        if not self._leader.is_ready_leader():
            done(Refused(self._leader.leader_id()))
            return True
        if self._change is not None or self._leader.has_uncommitted_voters():
            done(
                Declined(
                    ErrorCode.REQUEST_TIMED_OUT,
                    "another change of the voters is under way: try again when it is done",
                )
            )
            return True
        return False

    def _name_directories(self) -> None:
        leader = self._leader
        voters = leader.voter_set()
        if all(node.directory_id for node in voters.voters.values()):
            return
        named = voters.with_directories(leader.connected_directories())
        if named != voters and not leader.has_uncommitted_voters():
            leader.append_voters(named, lambda _: None)

    def _why_late(self, node_id: int, node: VoterNode) -> str:
        host, port = node.raft or ("an unknown address", 0)
        if self._leader.connected_directories().get(node_id) != node.directory_id:
            return (
                f"node {node_id} at {host}:{port} was not reached with {_directory(node)}: check "
                "that it runs there, with this cluster.id and this directory, and that its "
                "controller.quorum.voters names the present voters"
            )
        return (
            f"node {node_id} at {host}:{port} could not catch up in time: try again with a longer "
            "time-out, it goes on from where it is"
        )


def _directory(node: VoterNode) -> str:
    return (
        "an unknown directory"
        if node.directory_id is None
        else f"directory {uuid_text(node.directory_id)}"
    )
