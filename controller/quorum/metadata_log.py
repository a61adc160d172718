"""The seam between the controller and whatever replicates its log.

The controller proposes bytes and gets the index, term and result of their application; everything
committed is applied in log order, on every voter, to a `StateMachine`. Nothing outside this folder
knows which engine does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from controller.quorum.description import QuorumDescription
from controller.quorum.voter_set import Address, VoterNode
from ottla.core.errors import OttlaError
from ottla.core.identifiers import Uuid


class StateMachine(Protocol):
    """What the log is applied to. All calls come from the quorum's own thread, one at a time."""

    def apply(self, index: int, term: int, command: bytes) -> bytes:
        """Apply one committed command. Total: a command that cannot be carried out gives a result
        that says so. Indexes rise but are not consecutive (no-ops, parts of large commands)."""
        ...

    def snapshot(self) -> bytes:
        """The whole state, as `restore` reads it."""
        ...

    def restore(self, data: bytes) -> None:
        """Replace the whole state."""
        ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """A command that is committed and applied here."""

    index: int
    term: int
    result: bytes


@dataclass(frozen=True, slots=True)
class Leadership:
    """Who leads at `term`, as far as this voter knows.

    `is_self` holds only once this voter has applied the no-op of its own term, and with it
    everything that was ever committed (SAFETY.md, rule 13).
    """

    leader_id: int | None
    term: int
    is_self: bool


class NotLeader(OttlaError):
    """The command was not and will not be applied: this voter does not lead. Ask `leader_id`."""

    def __init__(self, leader_id: int | None) -> None:
        hint = "no leader is known" if leader_id is None else f"voter {leader_id} is"
        super().__init__(f"this voter is not the leader of the quorum; {hint}")
        self.leader_id = leader_id


class QuorumBusy(OttlaError):
    """The command was not taken: too many are waiting. It may be proposed again."""


class CommandTooLarge(OttlaError):
    """The command was not taken: it is above the limit of one command."""


class ProposalLost(OttlaError):
    """The outcome is unknown: the command may be applied already, later, or never."""


class MetadataLog(Protocol):
    """A replicated log of commands. Methods are called on the broker's asyncio loop."""

    @property
    def leader_id(self) -> int | None: ...

    @property
    def term(self) -> int: ...

    @property
    def last_applied(self) -> int: ...

    async def propose(self, command: bytes, timeout_ms: int) -> Proposal:
        """Replicate and apply `command`.

        Raises NotLeader, QuorumBusy and CommandTooLarge (nothing happened), ProposalLost.
        """
        ...

    def add_leadership_listener(self, listener: Callable[[Leadership], None]) -> None:
        """Let `listener` be called on the loop at each change, and once with what is known."""
        ...

    def start(self) -> None: ...

    async def stop(self) -> None: ...


class QuorumAdmin(Protocol):
    """Changes of the voters, by the leader. Methods are called on the broker's asyncio loop.

    All raise NotLeader (nothing happened), ProposalLost (the outcome is unknown; `describe` tells)
    and ProtocolError, whose message names the remedy.
    """

    def controllers(self) -> list[Address]:
        """Internal listeners of the committed voters, as far as the set names them."""
        ...

    async def describe(self, timeout_ms: int) -> QuorumDescription:
        """The quorum as this voter sees it. TimeoutError."""
        ...

    async def add_voter(self, node_id: int, node: VoterNode, timeout_ms: int) -> None:
        """Feed a node until it has caught up, then make it a voter; returns once that is committed.

        DUPLICATE_VOTER, INVALID_REQUEST, REQUEST_TIMED_OUT (it could not be reached or caught up,
        or another change is under way): nothing was changed.
        """
        ...

    async def remove_voter(self, node_id: int, directory_id: Uuid | None, timeout_ms: int) -> None:
        """Returns once it is committed. VOTER_NOT_FOUND, INVALID_REQUEST, REQUEST_TIMED_OUT. A
        leader that is to remove itself hands over and raises NotLeader."""
        ...
