# ruff: noqa: N802, N803 - the names of the library's methods are its own
"""Elections of the guarded voter: promises before votes, voters counted once, terms adopted.

A voter whose election time ran out first asks who would vote for it (pre-vote, Raft thesis 9.6); it
raises its term only with a majority of promises. One that was cut off would else come back with a
high term and depose the leader. Voters that hear from a leader promise nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from controller.quorum import library
from controller.quorum.journal import Journal
from controller.quorum.library import CANDIDATE, FOLLOWER, Node, SyncObj
from controller.quorum.messages import Message


class Outbox(library.Transport):  # type: ignore[misc]
    """What the library believes to be the network: keeps messages until the turn ends."""

    def __init__(self) -> None:
        super().__init__(None, None, [])
        self.messages: list[tuple[int, Message]] = []

    def send(self, node: Node, message: Message) -> bool:
        self.messages.append((node.id, message))
        return True


class Elections(SyncObj):  # type: ignore[misc]
    """No properties: the library evaluates every attribute of itself while it is made."""

    _SyncObj__transferInProgress: bool
    _SyncObj__raftElectionDeadline: float

    def __init__(
        self,
        node_id: int,
        voters: Iterable[int],
        journal: Journal,
        *,
        conf: Any,
        source: random.Random,
    ) -> None:
        self._source = source
        self._journal = journal
        self._votes: tuple[int, set[int]] = (0, set())
        self._canvass: tuple[int, set[int]] = (0, set())
        self._canvass_won = False
        self._leader_heard = float("-inf")
        self._outbox = Outbox()
        super().__init__(
            Node(node_id),
            [Node(voter) for voter in sorted(voters) if voter != node_id],
            conf=conf,
            transport=self._outbox,
        )

    def _onTick(self, timeToWait: float = 0.0) -> None:
        self._maybe_canvass()
        super()._onTick(timeToWait)

    def _maybe_canvass(self) -> bool:
        """Ask for promises, when the election time has run out."""
        now = library.now()
        if (
            self._isLeader()
            or not self._SyncObj__otherNodes
            or self._SyncObj__raftElectionDeadline >= now
        ):
            return False
        if self._SyncObj__transferInProgress:
            if self._SyncObj__connectedNodes:
                return False  # the leader asked for it: no promises needed
            self._SyncObj__transferInProgress = False
        term = self.raftCurrentTerm + 1
        if self._canvass_won and self._canvass[0] == term:
            self._canvass_won = False
            return False  # the library holds the election now
        self._SyncObj__raftElectionDeadline = now + self._SyncObj__generateRaftTimeout()
        self._SyncObj__raftLeader = None
        self._canvass = (term, {self.selfNode.id})
        self._canvass_won = False
        for node in self._SyncObj__otherNodes:
            self._outbox.send(
                node,
                {
                    "type": "pre_vote",
                    "term": term,
                    "last_log_index": self._last_index(),
                    "last_log_term": self._SyncObj__getCurrentLogTerm(),
                },
            )
        return True

    def _on_pre_vote(self, node: Node, message: Message) -> None:
        own = (self._SyncObj__getCurrentLogTerm(), self._last_index())
        quiet = library.now() - self._leader_heard >= self.conf.raftMinTimeout
        granted = (
            message["term"] > self.raftCurrentTerm
            and (message["last_log_term"], message["last_log_index"]) >= own
            and not self._isLeader()
            and quiet
        )
        self._outbox.send(
            node,
            {
                "type": "pre_vote_response",
                "term": self.raftCurrentTerm,
                "requested_term": message["term"],
                "granted": granted,
            },
        )

    def _on_pre_vote_response(self, node: Node, message: Message) -> None:
        if message["term"] > self.raftCurrentTerm:
            self._adopt_term(message["term"])
            return
        term, promised = self._canvass
        if (
            not message["granted"]
            or message["requested_term"] != term
            or term != self.raftCurrentTerm + 1
            or self._isLeader()
        ):
            return
        promised.add(node.id)
        if self._is_majority(len(promised)) and not self._canvass_won:
            self._canvass_won = True
            self._SyncObj__raftElectionDeadline = float("-inf")

    def _on_vote(self, node: Node, message: Message) -> None:
        """Count voters, not votes: one delivered twice is one."""
        if self._SyncObj__raftState != CANDIDATE or message["term"] != self.raftCurrentTerm:
            return
        if self._votes[0] != self.raftCurrentTerm:
            self._votes = (self.raftCurrentTerm, {self.selfNode.id})
        self._votes[1].add(node.id)
        if self._is_majority(len(self._votes[1])):
            self._SyncObj__onBecomeLeader()

    def _adopt_term(self, term: int) -> None:
        self._SyncObj__setCurrentTerm(term, None)
        self._SyncObj__setState(FOLLOWER)
        self._SyncObj__raftLeader = None

    def _is_majority(self, count: int) -> bool:
        return 2 * count > len(self._SyncObj__otherNodes) + 1

    def _SyncObj__generateRaftTimeout(self) -> float:
        conf = self.conf
        return float(self._source.uniform(conf.raftMinTimeout, conf.raftMaxTimeout))

    def _last_index(self) -> int:
        return self._journal[-1][1]
