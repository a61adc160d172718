"""A metadata log without Raft: one list of commands, applied to every voter that is up.

Leadership is given by the test. What a real quorum may do to a proposal, the test can ask for: lose
the answer of one that is committed, or lose one altogether.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.quorum.metadata_log import (
    Leadership,
    NotLeader,
    Proposal,
    ProposalLost,
    StateMachine,
)


@dataclass
class MemoryQuorum:
    """The voters and what they agree on."""

    term: int = 0
    leader_id: int | None = None
    commands: list[tuple[int, int, bytes]] = field(default_factory=list)
    voters: dict[int, MemoryVoter] = field(default_factory=dict)
    next_index: int = 1
    lose_before: int = 0
    """So many proposals are lost without a trace."""
    lose_answers: int = 0
    """So many proposals are committed, but nobody hears of it."""

    def elect(self, node_id: int | None) -> None:
        self.term += 1
        self.leader_id = node_id
        self.next_index += 1  # the new leader's no-op
        for voter in self.voters.values():
            voter.announce()

    def append(self, command: bytes) -> tuple[int, bytes]:
        index = self.next_index
        self.next_index += 1
        self.commands.append((index, self.term, command))
        result = b""
        for voter in self.voters.values():
            applied = voter.catch_up()
            if voter.node_id == self.leader_id:
                result = applied
        return index, result


class MemoryVoter:
    """One voter; a MetadataLog."""

    def __init__(self, quorum: MemoryQuorum, node_id: int, state_machine: StateMachine) -> None:
        self.node_id = node_id
        self.up = True
        self._quorum = quorum
        self._state_machine = state_machine
        self._applied = 0
        self._listeners: list[Callable[[Leadership], None]] = []
        quorum.voters[node_id] = self
        self.catch_up()

    @property
    def leader_id(self) -> int | None:
        return self._quorum.leader_id

    @property
    def term(self) -> int:
        return self._quorum.term

    @property
    def last_applied(self) -> int:
        return self._quorum.commands[self._applied - 1][0] if self._applied else 0

    def catch_up(self) -> bytes:
        """Apply what is committed; the result of the last command."""
        result = b""
        while self.up and self._applied < len(self._quorum.commands):
            index, term, command = self._quorum.commands[self._applied]
            self._applied += 1
            result = self._state_machine.apply(index, term, command)
        return result

    async def propose(self, command: bytes, timeout_ms: int) -> Proposal:
        await asyncio.sleep(0)
        quorum = self._quorum
        if quorum.leader_id != self.node_id or not self.up:
            raise NotLeader(quorum.leader_id)
        if quorum.lose_before:
            quorum.lose_before -= 1
            raise ProposalLost("lost before")
        index, result = quorum.append(command)
        if quorum.lose_answers:
            quorum.lose_answers -= 1
            raise ProposalLost("lost after")
        return Proposal(index, quorum.term, result)

    def add_leadership_listener(self, listener: Callable[[Leadership], None]) -> None:
        self._listeners.append(listener)
        listener(self._leadership())

    def announce(self) -> None:
        for listener in self._listeners:
            listener(self._leadership())

    def _leadership(self) -> Leadership:
        quorum = self._quorum
        return Leadership(quorum.leader_id, quorum.term, quorum.leader_id == self.node_id)

    def start(self) -> None:
        self.announce()

    async def stop(self) -> None:
        self.up = False
