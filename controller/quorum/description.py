"""What an operator sees of the quorum (KIP-595, DescribeQuorum)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.quorum.voter_set import VoterSet
from ottla.core.identifiers import Uuid

if TYPE_CHECKING:
    from controller.quorum.engine import GuardedSyncObj


@dataclass(frozen=True, slots=True)
class QuorumReplica:
    """`log_end_offset` is exclusive; -1: not known yet. `silent_ms`: since it answered last, None:
    it never did to this leader."""

    node_id: int
    directory_id: Uuid | None
    log_end_offset: int
    silent_ms: int | None


@dataclass(frozen=True, slots=True)
class QuorumDescription:
    """`high_watermark` is exclusive. Of a leader; another voter knows only itself."""

    leader_id: int | None
    term: int
    high_watermark: int
    voters: tuple[QuorumReplica, ...]
    observers: tuple[QuorumReplica, ...]
    voter_set: VoterSet


def describe_quorum(engine: GuardedSyncObj) -> QuorumDescription:
    """On the quorum's thread."""
    voters = engine.voter_set()
    learner = engine.learner()
    return QuorumDescription(
        leader_id=engine.leader_id(),
        term=int(engine.raftCurrentTerm),
        high_watermark=int(engine.raftCommitIndex) + 1,
        voters=tuple(_replica(engine, one, voters.voters[one].directory_id) for one in voters.ids),
        observers=()
        if learner is None
        else (_replica(engine, learner[0], learner[1].directory_id),),
        voter_set=voters,
    )


def _replica(engine: GuardedSyncObj, node_id: int, directory_id: Uuid | None) -> QuorumReplica:
    matched = engine.matched(node_id)
    return QuorumReplica(
        node_id, directory_id, matched + 1 if matched else -1, engine.silent_ms(node_id)
    )
