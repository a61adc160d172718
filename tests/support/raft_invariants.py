"""What must hold of voters after every step: Raft's safety properties, and those of voter sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from controller.quorum.engine import GuardedSyncObj
from controller.quorum.journal import Entry
from controller.quorum.members import voters_in
from controller.quorum.voter_set import VoterSet, founders
from ottla.core.identifiers import Uuid

RECENT = 50
"""Of what was applied, compared in each step; all of it is compared when a run ends."""


class Machine(Protocol):
    applied: list[tuple[int, int, str]]


class Invariants:
    """A disk keeps its promises; one leader a term; what is committed or applied at an index is the
    same everywhere and for ever; a leader has all of it; logs that agree on an entry agree on all
    before it; sets of voters that follow each other differ by one voter."""

    def __init__(self, first_voters: Iterable[int]) -> None:
        self.leader_of_term: dict[int, int] = {}
        self.committed: dict[int, tuple[int, bytes]] = {}
        self.sets: list[tuple[int, VoterSet]] = [
            (0, founders(dict.fromkeys(first_voters, ("", 0))))
        ]
        self._promises: dict[tuple[int, Uuid], tuple[int, int | None]] = {}
        self._applied: dict[int, tuple[int, str]] = {}

    def check(self, voters: Iterable[tuple[int, GuardedSyncObj, Machine]]) -> None:
        """After a step, for all voters that run."""
        running = list(voters)
        engines = {voter_id: engine for voter_id, engine, _ in running}
        for voter_id, engine, machine in running:
            self._check_promises(voter_id, engine)
            self._check_committed(engine)
            if engine.is_leading():
                self._check_leader(voter_id, engines)
            indexes = [index for index, _, _ in machine.applied[-RECENT:]]
            assert indexes == sorted(set(indexes)), "an entry was applied twice or out of order"
            for index, term, text in machine.applied[-RECENT:]:
                known = self._applied.setdefault(index, (term, text))
                assert known == (term, text), f"two commands were applied at {index}"

    def _check_promises(self, voter_id: int, engine: GuardedSyncObj) -> None:
        """A disk never forgets its term, nor for whom it voted in it."""
        journal = engine._journal
        disk = (voter_id, journal.header.directory_id)
        term, vote = journal.getCurrentTerm(), journal.getVotedForNodeId()
        known_term, known_vote = self._promises.get(disk, (0, None))
        assert term >= known_term, f"voter {voter_id} forgot term {known_term}"
        if term == known_term and known_vote is not None:
            assert vote == known_vote, f"voter {voter_id} votes twice in term {term}"
        self._promises[disk] = (term, vote)

    def _check_committed(self, engine: GuardedSyncObj) -> None:
        journal = engine._journal
        first, commit = journal[0][1], engine.raftCommitIndex
        recent = journal[max(0, commit - RECENT - first) : max(0, commit - first + 1)]
        for command, index, term in recent:
            if index not in self.committed:
                self._note_committed((command, index, term))
            found = self.committed[index]
            assert found == (term, command), f"what was committed at {index} was replaced"

    def _note_committed(self, entry: Entry) -> None:
        command, index, term = entry
        self.committed[index] = (term, command)
        voters = voters_in(command)
        if voters is not None and index > self.sets[-1][0]:
            self.sets.append((index, voters))
            assert len(changed(*(one for _, one in self.sets[-2:]))) <= 1, (
                f"the set at {index} differs from the one before by more than a voter"
            )

    def _check_leader(self, voter_id: int, engines: Mapping[int, GuardedSyncObj]) -> None:
        engine = engines[voter_id]
        term = engine.raftCurrentTerm
        assert engine.may_lead(), f"node {voter_id} leads, but is no voter"
        other = self.leader_of_term.get(term)
        assert other in (None, voter_id), f"{other} and {voter_id} lead in term {term}"
        if other is None:
            self.leader_of_term[term] = voter_id
            refused = {
                one
                for one, other_engine in engines.items()
                if other_engine.raftCurrentTerm == term
                and other_engine._journal.getVotedForNodeId() != voter_id
            }
            not_refused = set(engine.voter_set().ids) - refused
            assert engine.voter_set().is_majority(not_refused), (
                f"node {voter_id} leads in term {term} without the votes of a majority"
            )
            first, last = engine._journal[0][1], engine._last_index()
            for index, (committed_term, _) in self.committed.items():
                if index >= first and committed_term < term:
                    held = index <= last and engine._journal[index - first][2] == committed_term
                    assert held, f"the leader of term {term} lacks what was committed at {index}"
        if engine.is_ready_leader():  # what was begun before it is committed
            _, committed = engine.committed_voter_set()
            assert len(changed(committed, engine.voter_set())) <= 1, "two changes of voters at once"

    def check_logs(self, engines: Iterable[GuardedSyncObj]) -> None:
        """Log matching, of all pairs."""
        logs = [{index: (term, command) for command, index, term in one._journal[:]}
                for one in engines]  # fmt: skip
        for number, log in enumerate(logs):
            for other in logs[:number]:
                same = [index for index in log.keys() & other if log[index][0] == other[index][0]]
                for index in log.keys() & other:
                    if same and index <= max(same):
                        assert log[index] == other[index], f"logs differ at {index}, not after"


def changed(before: VoterSet, after: VoterSet) -> set[tuple[int, Uuid | None]]:
    """Which voters came or went. A founder's directory that becomes known is no change."""
    came: set[tuple[int, Uuid | None]] = set()
    for one, other in ((before, after), (after, before)):
        for node_id, node in one.voters.items():
            found = other.get(node_id)
            if found is None or (
                None not in (node.directory_id, found.directory_id)
                and (found.directory_id != node.directory_id)
            ):
                came.add((node_id, node.directory_id))
    return came
