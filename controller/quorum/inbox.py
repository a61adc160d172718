"""What the thread of a voter takes from other threads, in the order in which it came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from controller.quorum.description import QuorumDescription
from controller.quorum.messages import Message
from controller.quorum.outcomes import Outcome
from controller.quorum.voter_set import VoterNode
from ottla.core.identifiers import Uuid


@dataclass(frozen=True, slots=True)
class Received:
    peer_id: int
    directory_id: Uuid
    messages: list[Message]


@dataclass(frozen=True, slots=True)
class Connected:
    peer_id: int
    directory_id: Uuid


@dataclass(frozen=True, slots=True)
class Disconnected:
    peer_id: int


@dataclass(frozen=True, slots=True)
class Gone:
    """No process listens at that voter's address any more."""

    peer_id: int


@dataclass(frozen=True, slots=True)
class ToldVoters:
    index: int
    voters: bytes


@dataclass(frozen=True, slots=True)
class Submitted:
    """Entries of one command; `done` is called with its outcome, or perhaps never."""

    entries: list[bytes]
    done: Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class AddVoter:
    """`done` is called with the outcome, or perhaps never."""

    node_id: int
    node: VoterNode
    timeout_seconds: float
    done: Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class RemoveVoter:
    node_id: int
    directory_id: Uuid | None
    timeout_seconds: float
    done: Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Describe:
    done: Callable[[QuorumDescription], None]


@dataclass(frozen=True, slots=True)
class Resign:
    wanted: bool


@dataclass(frozen=True, slots=True)
class Stop:
    pass


Event: TypeAlias = (
    Received
    | Connected
    | Disconnected
    | Gone
    | ToldVoters
    | Submitted
    | AddVoter
    | RemoveVoter
    | Describe
    | Resign
    | Stop
)
