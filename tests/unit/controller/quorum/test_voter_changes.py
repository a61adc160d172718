"""Changes of the voters, against a leader that is a table of facts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from controller.quorum.outcomes import Applied, Declined, Outcome, Refused
from controller.quorum.voter_changes import Done, VoterChanges
from controller.quorum.voter_set import VOTERS_MAX, VoterNode, VoterSet
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import Uuid

FIVE = VoterNode(b"5" * 16, ("five", 5))


def _set(*node_ids: int) -> VoterSet:
    return VoterSet({one: VoterNode(bytes([one]) * 16) for one in node_ids})


@dataclass
class Facts:
    """What the engine says; what it was told to do."""

    voters: VoterSet = field(default_factory=lambda: _set(1, 2, 3))
    ready: bool = True
    uncommitted: bool = False
    answering: set[int] = field(default_factory=lambda: {1, 2, 3})
    connected: dict[int, Uuid] = field(default_factory=dict)
    end: int = 100
    has: dict[int, int] = field(default_factory=dict)
    learner: int | None = None

    def is_ready_leader(self) -> bool:
        return self.ready

    def leader_id(self) -> int | None:
        return None

    def voter_set(self) -> VoterSet:
        return self.voters

    def has_uncommitted_voters(self) -> bool:
        return self.uncommitted

    def connected_directories(self) -> dict[int, Uuid]:
        return self.connected

    def responding(self) -> set[int]:
        return self.answering

    def own_end(self) -> int:
        return self.end

    def matched(self, node_id: int) -> int:
        return self.has.get(node_id, 0)

    def set_learner(self, node_id: int, node: VoterNode) -> None:
        self.learner = node_id

    def drop_learner(self) -> None:
        self.learner = None

    def append_voters(self, voters: VoterSet, done: Done) -> None:
        self.voters, self.uncommitted = voters, True
        done(Applied(1, 1, b""))


class Asked:
    """Changes by voter 1, and what was answered."""

    def __init__(self, **facts: object) -> None:
        self.facts = Facts(**facts)  # type: ignore[arg-type]
        self.changes = VoterChanges(self.facts, 1, round_seconds=0.3)
        self.told: list[Outcome] = []

    def add(self, node_id: int = 5, node: VoterNode = FIVE, deadline: float = 10.0) -> None:
        self.changes.add(node_id, node, now=0.0, deadline=deadline, done=self.told.append)

    def remove(self, node_id: int, directory_id: Uuid | None = None) -> None:
        self.changes.remove(node_id, directory_id, now=0.0, deadline=10.0, done=self.told.append)

    @property
    def code(self) -> ErrorCode:
        (outcome,) = self.told
        assert isinstance(outcome, Declined)
        return outcome.code


def test_a_voter_counts_once_it_has_caught_up_in_a_short_round() -> None:
    asked = Asked()
    asked.add()
    assert asked.facts.learner == 5
    asked.changes.step(0.1)
    assert asked.facts.voters.ids == (1, 2, 3)
    asked.facts.has[5], asked.facts.end = 100, 200
    asked.changes.step(0.5)  # too long a round: another one
    assert asked.facts.voters.ids == (1, 2, 3)
    asked.facts.has[5] = 199
    asked.changes.step(0.6)
    assert asked.facts.voters.ids == (1, 2, 3)
    asked.facts.has[5] = 200
    asked.changes.step(0.7)
    assert asked.facts.voters.voters[5] == FIVE
    assert isinstance(asked.told[0], Applied)
    assert asked.facts.learner is None


def test_one_change_at_a_time() -> None:
    asked = Asked()
    asked.add()
    asked.told.clear()
    asked.remove(2)
    assert asked.code == ErrorCode.REQUEST_TIMED_OUT
    committed = Asked(uncommitted=True)
    committed.remove(2)
    assert committed.code == ErrorCode.REQUEST_TIMED_OUT
    assert committed.facts.voters.ids == (1, 2, 3)


def test_nothing_before_the_own_no_op_is_applied() -> None:
    asked = Asked(ready=False)
    asked.add()
    asked.remove(2)
    assert asked.told == [Refused(None)] * 2
    asked.changes.step(1.0)
    assert asked.facts.voters.ids == (1, 2, 3)


@pytest.mark.parametrize(
    ("node", "words"),
    [(VoterNode(b"\x02" * 16), "is already a voter"), (FIVE, "remove that one first")],
)
def test_a_node_is_a_voter_once(node: VoterNode, words: str) -> None:
    asked = Asked()
    asked.add(2, node)
    assert asked.code == ErrorCode.DUPLICATE_VOTER
    assert words in str(asked.told[0])


def test_limits() -> None:
    full = Asked(voters=_set(*range(1, VOTERS_MAX + 1)))
    full.add(99)
    assert full.code == ErrorCode.INVALID_REQUEST
    last = Asked(voters=_set(1))
    last.remove(1)
    assert last.code == ErrorCode.INVALID_REQUEST
    own = Asked()
    own.remove(1)
    assert own.code == ErrorCode.NOT_CONTROLLER


def test_only_the_voter_that_is_meant_goes() -> None:
    for node_id, directory_id in ((9, None), (2, b"x" * 16)):
        asked = Asked()
        asked.remove(node_id, directory_id)
        assert asked.code == ErrorCode.VOTER_NOT_FOUND
    asked = Asked()
    asked.remove(2, b"\x02" * 16)
    asked.changes.step(0.1)
    assert asked.facts.voters.ids == (1, 3)


def test_no_set_without_a_majority_that_answers() -> None:
    asked = Asked(answering={1, 2})
    asked.remove(2)  # would leave 1 and 3, of which 3 is dead
    asked.changes.step(9.0)
    assert asked.told == []
    asked.changes.step(11.0)
    assert asked.code == ErrorCode.REQUEST_TIMED_OUT
    assert "3 do not answer" in str(asked.told[0])
    assert asked.facts.voters.ids == (1, 2, 3)


@pytest.mark.parametrize("reached", [False, True])
def test_what_is_late_says_why(reached: bool) -> None:
    asked = Asked(connected={5: FIVE.directory_id} if reached else {})
    asked.add()
    assert asked.changes.next_deadline() == 10.0
    asked.changes.step(10.1)
    assert asked.code == ErrorCode.REQUEST_TIMED_OUT
    words = "could not catch up in time" if reached else "was not reached with directory"
    assert words in str(asked.told[0])
    assert asked.facts.learner is None


def test_a_leader_that_falls_tells_who_waits() -> None:
    asked = Asked()
    asked.add()
    asked.facts.ready = False
    asked.changes.step(0.1)
    assert asked.told == [Refused(None)]
    assert asked.facts.learner is None


def test_directories_of_founders_are_put_in_as_they_connect() -> None:
    voters = VoterSet({1: VoterNode(), 2: VoterNode(), 3: VoterNode()})
    asked = Asked(voters=voters, connected={1: b"1" * 16, 3: b"3" * 16})
    asked.changes.step(0.0)
    known = asked.facts.voters.voters
    assert [known[one].directory_id for one in (1, 2, 3)] == [b"1" * 16, None, b"3" * 16]
    asked.facts.connected = {2: b"2" * 16}
    asked.changes.step(0.1)  # the set before is not committed yet
    assert asked.facts.voters.voters[2].directory_id is None
    asked.facts.uncommitted = False
    asked.changes.step(0.2)
    assert asked.facts.voters.voters[2].directory_id == b"2" * 16
