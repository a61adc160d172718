"""Whom this voter knows: the set of voters in its log, who else may speak to it, where they listen.

The set that holds is the latest in the log (voter_set.py); the library's own bookkeeping of members
is kept equal to it. Beside the voters of that set, these may be heard, since a voter that was away
would else never hear of a set that was made without it:

- the *learner*: a node that the leader feeds before it may become a voter;
- voters of a later, committed set, of which a voter told that was asked for a vote or refused us;
- those that the settings name, until a leader is heard that is in the set that holds.
"""

from __future__ import annotations

import logging
from typing import Any

from controller.quorum import library
from controller.quorum.applied import AppliedState
from controller.quorum.commands import voters_of
from controller.quorum.journal import Journal
from controller.quorum.library import Node, SyncObj
from controller.quorum.voter_set import Address, VoterHistory, VoterNode, VoterSet
from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid, uuid_text

_log = logging.getLogger(__name__)


class Members(SyncObj):  # type: ignore[misc]
    """No properties: the library evaluates every attribute of itself while it is made."""

    def __init__(
        self,
        node_id: int,
        configured: VoterSet,
        journal: Journal,
        state: AppliedState,
        *,
        is_founder: bool,
        conf: Any,
        outbox: library.Transport,
    ) -> None:
        self._node_id = node_id
        self._directory_id = journal.header.directory_id
        self._is_founder = is_founder
        self._configured = configured
        self._journal = journal
        self._state = state
        self._history = self._read_history()
        self._told: tuple[int, VoterSet] | None = None
        self._learner: tuple[int, VoterNode] | None = None
        self._settled = False  # a leader that is in the set was heard
        self._directories: dict[int, Uuid] = {}  # of those that are connected
        self.peers_changed = True
        super().__init__(
            Node(node_id),
            [Node(voter) for voter in self._history.current.ids if voter != node_id],
            conf=conf,
            transport=outbox,
        )

    # The set in the log

    def voter_set(self) -> VoterSet:
        """The set that holds here."""
        return self._history.current

    def committed_voter_set(self) -> tuple[int, VoterSet]:
        return self._history.at(self.raftCommitIndex)

    def has_uncommitted_voters(self) -> bool:
        return self._history.index > int(self.raftCommitIndex)

    def may_lead(self) -> bool:
        """Whether this node, with this disk, is in the set: nobody else holds an election."""
        own = self._history.current.get(self._node_id)
        if own is None:
            return False
        if own.directory_id is None:
            return self._is_founder
        return own.directory_id == self._directory_id

    def _read_history(self) -> VoterHistory:
        history = VoterHistory(*(self._state.voters or (0, self._configured)))
        for command, index, _ in self._journal[:]:
            if index > history.index and (voters := voters_in(command)) is not None:
                history.append(index, voters)
        return history

    def _add_entry(self, command: bytes, index: int, term: int) -> None:
        self._journal.add(command, index, term)
        if (voters := voters_in(command)) is not None:
            self._history.append(index, voters)
            self._history.forget_before(self.raftCommitIndex)
            self._adopt_voters()

    def _truncate_from(self, index: int) -> None:
        self._SyncObj__deleteEntriesFrom(index)
        if self._history.index >= index:
            self._history.truncate(index)
            self._adopt_voters()

    def _restart_history(self) -> None:
        """The log was replaced by a snapshot, which is applied."""
        self._history = self._read_history()
        self._adopt_voters()

    def _adopt_voters(self) -> None:
        others: set[Node] = self._SyncObj__otherNodes
        members = {Node(one) for one in self._history.current.ids if one != self._node_id}
        for gone in others - members:
            self._forget_position(gone)
        for new in members - others:
            self._SyncObj__readonlyNodes.discard(new)
            self._begin_position(new)
        others.clear()
        others.update(members)
        if self._told is not None and self._told[0] <= self._history.index:
            self._told = None
        self.peers_changed = True

    def _begin_position(self, node: Node) -> None:
        """Where that node's log ends, for a leader: nothing is known."""
        self._SyncObj__raftNextIndex.setdefault(node, self._journal[-1][1] + 1)
        self._SyncObj__raftMatchIndex.setdefault(node, 0)
        self._SyncObj__lastResponseTime.setdefault(node, library.now())

    def _forget_position(self, node: Node) -> None:
        for positions in (
            self._SyncObj__raftNextIndex,
            self._SyncObj__raftMatchIndex,
            self._SyncObj__lastResponseTime,
        ):
            positions.pop(node, None)

    # The learner, of a leader

    def learner(self) -> tuple[int, VoterNode] | None:
        return self._learner

    def set_learner(self, node_id: int, node: VoterNode) -> None:
        """Feed a node that is no voter."""
        self._learner = (node_id, node)
        learner = Node(node_id)
        self._forget_position(learner)
        self._begin_position(learner)
        self._SyncObj__readonlyNodes.add(learner)
        self.peers_changed = True

    def drop_learner(self) -> None:
        """Stop feeding it; a voter by now, it stays one."""
        if self._learner is None:
            return
        node = Node(self._learner[0])
        if node in self._SyncObj__readonlyNodes:
            self._SyncObj__readonlyNodes.discard(node)
            self._forget_position(node)
        self._learner = None
        self.peers_changed = True

    # What changes of the voters need (voter_changes.Leader)

    def connected_directories(self) -> dict[int, Uuid]:
        return {self._node_id: self._directory_id, **self._directories}

    def responding(self) -> set[int]:
        """Who has shown what it holds and answered lately, this voter included; of a leader."""
        since = library.now() - self.conf.leaderFallbackTimeout
        return {self._node_id} | {
            node.id
            for node, answered in self._SyncObj__lastResponseTime.items()
            if answered > since and self._SyncObj__raftMatchIndex.get(node, 0) > 0
        }

    def own_end(self) -> int:
        return int(self._journal[-1][1])

    def matched(self, node_id: int) -> int:
        """The last entry that node is known to have; 0: nothing is known."""
        if node_id == self._node_id:
            return int(self._journal[-1][1])
        return int(self._SyncObj__raftMatchIndex.get(Node(node_id), 0))

    def silent_ms(self, node_id: int) -> int | None:
        """Since that node answered last; None: it has not answered this leader."""
        if node_id == self._node_id:
            return 0
        if self.matched(node_id) == 0:
            return None
        answered: float = self._SyncObj__lastResponseTime[Node(node_id)]
        return int(1000 * (library.now() - answered))

    # Who may be heard

    def fault_of(self, node_id: int, directory_id: Uuid) -> str | None:
        """Why that node, with its log in that directory, may not take part; None: it may. May be
        called by any thread."""
        known = {node.directory_id for node in self._nodes_of(node_id)}
        if directory_id in known or known == {None}:
            return None
        if not known:
            return f"node {node_id} is not a voter of this quorum"
        names = " or ".join(sorted(uuid_text(one) for one in known if one is not None))
        return (
            f"voter {node_id} comes with directory {uuid_text(directory_id)}, but the quorum knows "
            f"it by {names}: start it with its own disk, or remove the voter and add it again"
        )

    def peers(self) -> dict[int, tuple[Address, ...]]:
        """Whom to dial, and where: all places that are known."""
        return {
            node_id: tuple(
                dict.fromkeys(
                    node.raft
                    for node in (*self._nodes_of(node_id), self._configured.get(node_id))
                    if node is not None and node.raft is not None
                )
            )
            for node_id in sorted({one for known in self._known_sets() for one in known.ids})
            if node_id != self._node_id
        }

    def _known_sets(self) -> list[VoterSet]:
        learner, told = self._learner, self._told
        found = [self._history.current]
        if learner is not None:
            found.append(VoterSet(dict([learner])))
        if told is not None:
            found.append(told[1])
        if not self._settled:
            found.append(self._configured)
        return found

    def _nodes_of(self, node_id: int) -> list[VoterNode]:
        found = (known.get(node_id) for known in self._known_sets())
        return [node for node in found if node is not None]

    def _is_known(self, node_id: int) -> bool:
        return any(node_id in known for known in self._known_sets())

    def _settle(self, leader_id: int) -> None:
        if not self._settled and leader_id in self._history.current:
            self._settled = True
            self.peers_changed = True

    def learn_of(self, index: int, encoded: bytes) -> None:
        """A voter told of a committed set; it counts only for who may be heard."""
        if index <= max(self._history.index, self._told[0] if self._told else 0):
            return
        try:
            voters = VoterSet.decode(encoded)
        except DecodeError as error:
            _log.error("a set of voters that was told cannot be read: %s", error)
            return
        self._told = (index, voters)
        self.peers_changed = True
        if self.may_lead() and self._node_id not in voters:
            _log.warning(
                "this node was removed from the quorum, whose voters are %s: add it again, or take "
                "the role controller from its settings",
                ", ".join(map(str, voters.ids)),
            )


def voters_in(command: bytes) -> VoterSet | None:
    if command[:1] != library.REGULAR:
        return None
    try:
        return voters_of(command[1:])
    except DecodeError as error:
        _log.critical("a set of voters in the log cannot be read and does not count: %s", error)
        return None
