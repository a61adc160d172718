"""A quorum of voters that agree on one log, with what Raft may do to its users.

The algorithm is not here (tests/support/raft_simulation.py runs the real engine); what it lets
happen is: leaders that lose their majority and learn of it late, elections that take their time,
proposals that are lost, committed without an answer, or committed by the next leader, voters that
lag, and voters that start anew from a snapshot or from the log.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from controller.quorum.metadata_log import (
    Leadership,
    NotLeader,
    Proposal,
    ProposalLost,
    StateMachine,
)
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.network import Network

TICK_S = 0.05
FALLBACK_S = 0.6
"""A leader without a majority for so long gives up."""


@dataclass(frozen=True, slots=True)
class Entry:
    index: int
    term: int
    command: bytes


class Quorum:
    """What is committed, who leads, and the voters that are up. `committed` hears each entry."""

    def __init__(
        self,
        loop: VirtualLoop,
        network: Network,
        chance: random.Random,
        voters: int,
        committed: Callable[[Entry], None],
    ) -> None:
        self.loop = loop
        self.network = network
        self.chance = chance
        self.size = voters
        self.term = 0
        self.leader_id: int | None = None
        self.entries: list[Entry] = []
        self.voters: dict[int, Voter] = {}
        self.next_index = 1
        self.elections = 0
        self.lost_proposals = 0
        self.log: Callable[..., None] = lambda *_: None
        self._committed = committed
        self._stray: list[bytes] = []
        """Proposals of a leader that fell, which its successor has in its log."""
        self._leaderless_since = 0.0
        self._patience = 0.1
        self._without_majority: dict[int, float] = {}
        loop.schedule(0.0, self._tick)

    # ---- who leads

    def _reaches(self, a: Voter, b: Voter) -> bool:
        if a is b:
            return a.process.running
        return (
            a.process.running
            and b.process.running
            and not self.network.is_cut(a.process.host, b.process.host)
            and not self.network.is_cut(b.process.host, a.process.host)
        )

    def has_majority(self, voter: Voter) -> bool:
        reached = sum(self._reaches(voter, other) for other in self.voters.values())
        return 2 * reached > self.size

    def _tick(self) -> None:
        now = self.loop.now
        leader = self.voters.get(self.leader_id) if self.leader_id is not None else None
        if leader is not None and leader.process.alive and self.has_majority(leader):
            self._leaderless_since = now
            self._patience = 0.3 + self.chance.random() * 0.6
        elif now - self._leaderless_since > self._patience:
            self._elect()
        for voter in self.voters.values():
            voter.tick(now)
        self.loop.schedule(TICK_S * (0.5 + self.chance.random()), self._tick)

    def _elect(self) -> None:
        able = [voter for voter in self.voters.values() if self.has_majority(voter)]
        if not able:
            return
        self._install(self.chance.choice(able))

    def depose(self) -> None:
        """Another voter is elected although nothing is wrong with the leader."""
        able = [
            voter
            for voter in self.voters.values()
            if voter.node_id != self.leader_id and self.has_majority(voter)
        ]
        if able:
            self._install(self.chance.choice(able))

    def _install(self, leader: Voter) -> None:
        self.term += 1
        self.elections += 1
        self.leader_id = leader.node_id
        self._leaderless_since = self.loop.now
        self.next_index += 1  # the no-op
        self.log("quorum", "controller %d leads at term %d", leader.node_id, self.term)
        stray, self._stray = self._stray, []
        for command in stray:
            self._append(command)
        term = self.term
        # The no-op is committed and applied before anybody is told to lead.
        self.loop.schedule(0.002 + self.chance.random() * 0.05, self._lead, leader, term)

    def _lead(self, leader: Voter, term: int) -> None:
        if self.term == term and leader.process.alive:
            leader.catch_up()
            leader.believe(leader.node_id, term)

    # ---- the log

    def _append(self, command: bytes) -> Entry:
        entry = Entry(self.next_index, self.term, command)
        self.next_index += 1
        self.entries.append(entry)
        self._committed(entry)
        return entry

    def submit(self, voter: Voter, command: bytes, done: Callable[[Entry | None], None]) -> None:
        """`done` gets the entry, or None when it was lost; or it is never called."""
        chance = self.chance
        term = voter.believed_term
        self.loop.schedule(
            0.0005 + chance.random() * chance.choice((0.003, 0.003, 0.02)),
            self._commit,
            voter,
            term,
            command,
            done,
        )

    def _commit(
        self, voter: Voter, term: int, command: bytes, done: Callable[[Entry | None], None]
    ) -> None:
        chance = self.chance
        if self.leader_id == voter.node_id and self.term == term and self.has_majority(voter):
            entry = self._append(command)
            if chance.random() < 0.01:
                self.lost_proposals += 1
                done(None)
                return
            voter.catch_up()
            done(entry)
            return
        self.lost_proposals += 1
        if self.term <= term + 1 and chance.random() < 0.3:
            self._stray.append(command)
        if voter.process.alive and chance.random() < 0.5:
            done(None)


class Voter:
    """One voter's process; a MetadataLog. It starts from nothing, a snapshot, or the log."""

    def __init__(
        self, quorum: Quorum, node_id: int, process: Process, state_machine: StateMachine
    ) -> None:
        self.node_id = node_id
        self.process = process
        self.believed_leader: int | None = None
        self.believed_term = 0
        self._quorum = quorum
        self._machine = state_machine
        self._applied = 0
        self._results: dict[int, bytes] = {}
        self._listeners: list[Callable[[Leadership], None]] = []
        self._alone_since: float | None = None
        self._restore()
        quorum.voters[node_id] = self
        if quorum.leader_id == node_id:
            quorum.leader_id = None  # that was the process before this one

    def _restore(self) -> None:
        quorum = self._quorum
        others = [v for v in quorum.voters.values() if v._applied and v.process.alive]
        if others and quorum.chance.random() < 0.5:
            source = quorum.chance.choice(others)
            self._machine.restore(source._machine.snapshot())
            self._applied = source._applied

    # ---- MetadataLog

    @property
    def leader_id(self) -> int | None:
        return self.believed_leader

    @property
    def term(self) -> int:
        return self.believed_term

    @property
    def last_applied(self) -> int:
        return self._quorum.entries[self._applied - 1].index if self._applied else 0

    async def propose(self, command: bytes, timeout_ms: int) -> Proposal:
        if self.believed_leader != self.node_id:
            await asyncio.sleep(0)
            raise NotLeader(self.believed_leader)
        future: asyncio.Future[Entry | None] = asyncio.get_running_loop().create_future()

        def done(entry: Entry | None) -> None:
            if not future.done():
                future.set_result(entry)

        self._quorum.submit(self, command, done)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                entry = await future
        except TimeoutError:
            raise ProposalLost("no answer in time") from None
        if entry is None:
            raise ProposalLost("the leader fell")
        return Proposal(entry.index, entry.term, self._results[entry.index])

    def add_leadership_listener(self, listener: Callable[[Leadership], None]) -> None:
        self._listeners.append(listener)
        listener(self._leadership())

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    # ---- the quorum's side

    def catch_up(self) -> None:
        """Apply what is committed, in this voter's process."""
        entries = self._quorum.entries
        while self._applied < len(entries):
            entry = entries[self._applied]
            self._applied += 1
            # The crossing asks the loop for a turn: it must be this process's.
            self._results[entry.index] = self.process.context.run(
                self._machine.apply, entry.index, entry.term, entry.command
            )

    def tick(self, now: float) -> None:
        """What a voter hears from the leader by and by."""
        quorum = self._quorum
        if not self.process.running:
            return
        leader = quorum.voters.get(quorum.leader_id) if quorum.leader_id is not None else None
        if leader is None:
            return
        if leader is self:
            if quorum.has_majority(self):
                self._alone_since = None
                self.catch_up()
            return
        if quorum._reaches(leader, self):
            self._alone_since = None
            self.catch_up()
            if self.believed_term < quorum.term:
                self.believe(leader.node_id, quorum.term)
        elif self.believed_leader == self.node_id:
            if self._alone_since is None:
                self._alone_since = now
            elif now - self._alone_since > FALLBACK_S:
                self.believe(None, self.believed_term)

    def believe(self, leader_id: int | None, term: int) -> None:
        if (leader_id, term) == (self.believed_leader, self.believed_term):
            return
        self.believed_leader, self.believed_term = leader_id, term
        leadership = self._leadership()
        for listener in self._listeners:
            self._quorum.loop.call_soon(listener, leadership, context=self.process.context)

    def _leadership(self) -> Leadership:
        return Leadership(
            self.believed_leader, self.believed_term, self.believed_leader == self.node_id
        )
