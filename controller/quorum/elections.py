# ruff: noqa: N802, N803 - the names of the library's methods are its own
"""Elections of the guarded voter: promises before votes, voters counted once, terms adopted.

A voter whose election time ran out first asks who would vote for it (pre-vote, Raft thesis 9.6); it
raises its term only with a majority of promises. One that was cut off would else come back with a
high term and depose the leader. Voters that hear from a leader promise nothing.

Only a member of the set in its own log holds elections. Anybody that may be heard is asked and
answers (Raft thesis, 4.2.2), but a request names the directory by which the candidate knows the
receiver (KIP-853), and a disk that is not meant does not vote: it may have forgotten what another
one promised (SAFETY.md, rule 3).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from controller.quorum import library
from controller.quorum.applied import AppliedState
from controller.quorum.journal import Journal
from controller.quorum.library import CANDIDATE, FOLLOWER, Node
from controller.quorum.members import Members
from controller.quorum.messages import Message
from controller.quorum.voter_set import VoterSet
from ottla.core.identifiers import NIL_UUID, Uuid


class Outbox(library.Transport):  # type: ignore[misc]
    """What the library believes to be the network: keeps messages until the turn ends, and puts
    the directory that is meant into requests for votes."""

    def __init__(self, directory_of: Callable[[int], Uuid]) -> None:
        super().__init__(None, None, [])
        self.messages: list[tuple[int, Message]] = []
        self._directory_of = directory_of

    def send(self, node: Node, message: Message) -> bool:
        if message["type"] in ("request_vote", "pre_vote"):
            message = {**message, "directory_id": self._directory_of(node.id)}
        self.messages.append((node.id, message))
        return True


class Elections(Members):
    """See the module."""

    _SyncObj__transferInProgress: bool
    _SyncObj__raftElectionDeadline: float

    def __init__(
        self,
        node_id: int,
        configured: VoterSet,
        journal: Journal,
        state: AppliedState,
        *,
        is_founder: bool,
        conf: Any,
        source: random.Random,
    ) -> None:
        self._source = source
        self._votes: tuple[int, set[int]] = (0, set())
        self._canvass: tuple[int, set[int]] = (0, set())
        self._canvass_won = False
        self._leader_heard = float("-inf")
        self._outbox = Outbox(self._directory_of)
        super().__init__(
            node_id,
            configured,
            journal,
            state,
            is_founder=is_founder,
            conf=conf,
            outbox=self._outbox,
        )

    def _onTick(self, timeToWait: float = 0.0) -> None:
        self._maybe_canvass()
        super()._onTick(timeToWait)

    def _maybe_canvass(self) -> bool:
        """Ask for promises, when the election time has run out."""
        now = library.now()
        if not self.may_lead():
            self._SyncObj__raftElectionDeadline = now + self._SyncObj__generateRaftTimeout()
            return False
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
                    "voters_index": self._history.index,
                },
            )
        return True

    def leader_is_gone(self, seconds_min: float, seconds_max: float) -> None:
        """Hold an election after a time between these, as if nothing had been heard for long.

        Whoever is told of a death that is none asks in vain: the others hear from the leader.
        """
        self._leader_heard = float("-inf")
        soon = library.now() + self._source.uniform(seconds_min, seconds_max)
        deadline = min(self._SyncObj__raftElectionDeadline, soon)
        self._SyncObj__raftElectionDeadline = deadline

    def _directory_of(self, voter_id: int) -> Uuid:
        node = self._history.current.get(voter_id)
        return NIL_UUID if node is None else node.directory_id or NIL_UUID

    def _is_meant(self, message: Message) -> bool:
        """Whether the candidate asks this disk: by its id, or, not knowing any, a founder's."""
        directory_id = message["directory_id"]
        return bool(directory_id == self._directory_id) or (
            directory_id == NIL_UUID and self._is_founder
        )

    def _on_request_vote(self, node: Node, message: Message) -> None:
        if self._is_meant(message):
            super()._SyncObj__onMessageReceived(node, message)

    def _on_pre_vote(self, node: Node, message: Message) -> None:
        own = (self._SyncObj__getCurrentLogTerm(), self._last_index())
        quiet = library.now() - self._leader_heard >= self.conf.raftMinTimeout
        granted = (
            message["term"] > self.raftCurrentTerm
            and (message["last_log_term"], message["last_log_index"]) >= own
            and not self._isLeader()
            and quiet
            and self._is_meant(message)
        )
        index, voters = self.committed_voter_set()
        self._outbox.send(
            node,
            {
                "type": "pre_vote_response",
                "term": self.raftCurrentTerm,
                "requested_term": message["term"],
                "granted": granted,
                "voters_index": index if index > message["voters_index"] else 0,
                "voters": voters.encode() if index > message["voters_index"] else b"",
            },
        )

    def _on_pre_vote_response(self, node: Node, message: Message) -> None:
        if message["voters"]:
            self.learn_of(message["voters_index"], message["voters"])
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
        if self._is_majority(promised) and not self._canvass_won:
            self._canvass_won = True
            self._SyncObj__raftElectionDeadline = float("-inf")

    def _on_vote(self, node: Node, message: Message) -> None:
        """Count voters, not votes: one delivered twice is one."""
        if self._SyncObj__raftState != CANDIDATE or message["term"] != self.raftCurrentTerm:
            return
        if self._votes[0] != self.raftCurrentTerm:
            self._votes = (self.raftCurrentTerm, {self.selfNode.id})
        self._votes[1].add(node.id)
        if self.may_lead() and self._is_majority(self._votes[1]):
            self._SyncObj__onBecomeLeader()

    def _adopt_term(self, term: int) -> None:
        self._SyncObj__setCurrentTerm(term, None)
        self._SyncObj__setState(FOLLOWER)
        self._SyncObj__raftLeader = None

    def _is_majority(self, voters: Iterable[int]) -> bool:
        return self._history.current.is_majority(voters)

    def _SyncObj__generateRaftTimeout(self) -> float:
        conf = self.conf
        return float(self._source.uniform(conf.raftMinTimeout, conf.raftMaxTimeout))

    def _last_index(self) -> int:
        return self._journal[-1][1]
