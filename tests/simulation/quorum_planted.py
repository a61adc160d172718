# ruff: noqa: T201 - a command that prints its report
"""Planted faults of the quorum: the engine with one guard taken out, and in how many seeds that
must be found. A checker that misses one proves nothing about the others.

    python -m tests.simulation.quorum_planted        in which seed each is found
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from controller.quorum.elections import Elections
from controller.quorum.engine import GuardedSyncObj
from controller.quorum.journal import Journal
from controller.quorum.library import CANDIDATE, Node
from controller.quorum.members import Members
from controller.quorum.messages import Message
from tests.simulation.quorum_campaign import run_seed
from tests.support.raft_simulation import Simulation

_append = GuardedSyncObj._append
_install = GuardedSyncObj._install


def _forget_vote(journal: Journal, term: int, voted_for: int | None) -> None:
    journal._term, journal._vote = term, voted_for


def _send_before_sync(engine: GuardedSyncObj) -> None:
    messages, engine._outbox.messages = engine._outbox.messages, []
    for peer_id, message in messages:
        engine._send(peer_id, message)


def _count_votes(engine: Any, node: Node, message: Message) -> None:
    if engine._SyncObj__raftState == CANDIDATE and message["term"] == engine.raftCurrentTerm:
        engine._SyncObj__votesCount += 1
        if 2 * engine._SyncObj__votesCount > len(engine.voter_set()):
            engine._SyncObj__onBecomeLeader()


def _truncate_late(engine: GuardedSyncObj, node: Node, message: Message) -> None:
    previous = message["prevLogIdx"]
    matches = engine._term_at(previous) == message["prevLogTerm"]
    if matches and engine._last_index() > previous:
        engine._truncate_from(previous + 1)
    _append(engine, node, message)


def _commit_own_tail(engine: GuardedSyncObj, node: Node, message: Message) -> None:
    engine._advance_commit(min(message["commit_index"], engine._last_index()))
    _install(engine, node, message)


def _commit_unproven(engine: GuardedSyncObj, node: Node, message: Message) -> None:
    _append(engine, node, message)
    engine._advance_commit(min(message["commit_index"], engine._last_index()))


def _any_disk(engine: Members, node_id: int, directory_id: bytes) -> str | None:
    return None if engine._is_known(node_id) else "a stranger"


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """`patches`: object, attribute, what takes its place. Found within `seeds` that lean so."""

    name: str
    patches: tuple[tuple[Any, str, Any], ...]
    seeds: int
    lean: str = ""

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as undo:
            for target, name, value in self.patches:
                undo.enter_context(mock.patch.object(target, name, value))
            yield


def _truncate_entries_alone(engine: Any, index: int) -> None:
    engine._SyncObj__deleteEntriesFrom(index)


PLANTED = (
    PlantedFault("forget the vote", ((Journal, "setCurrentTerm", _forget_vote),), 6),
    PlantedFault(
        "send before the sync",
        ((GuardedSyncObj, "_flush", _send_before_sync), (Simulation, "promises_checked", False)),
        6,
        "restarts",
    ),
    PlantedFault(
        "count a duplicated vote", ((GuardedSyncObj, "_on_vote", _count_votes),), 20, "duplicates"
    ),
    PlantedFault("truncate on a late append", ((GuardedSyncObj, "_append", _truncate_late),), 12),
    PlantedFault(
        "commit the own tail while a snapshot arrives",
        ((GuardedSyncObj, "_install", _commit_own_tail),),
        6,
        "snapshots",
    ),
    PlantedFault(
        "commit what the message does not prove",
        ((GuardedSyncObj, "_append", _commit_unproven),),
        10,
    ),
    PlantedFault(
        "two changes of the voters at once",
        ((Members, "has_uncommitted_voters", lambda _: False),),
        6,
        "changes",
    ),
    PlantedFault(
        "a voter with an empty disk votes",
        ((Elections, "_is_meant", lambda *_: True), (Members, "fault_of", _any_disk)),
        20,
    ),
    PlantedFault(
        "a set of voters holds on after its entry is gone",
        ((Members, "_truncate_from", _truncate_entries_alone),),
        12,
        "changes",
    ),
)


def found_in(fault: PlantedFault) -> tuple[int, str] | None:
    """The first of its seeds in which it is found, and as what."""
    with fault.planted():
        for seed in range(fault.seeds):
            run = run_seed(seed, fault.lean)
            if run.violation:
                return seed, run.violation
    return None


def main() -> None:
    logging.disable(logging.CRITICAL)
    missed = 0
    for fault in PLANTED:
        found = found_in(fault)
        missed += found is None
        how = "MISSED" if found is None else f"seed {found[0]}: {found[1][:80]}"
        print(f"{fault.name:<50} {how}", flush=True)
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
