# ruff: noqa: N802 - the names of the library's methods are its own
"""pysyncobj with its faults guarded: one voter, driven from one thread, without sockets or clock.

`GuardedSyncObj` overrides what the library gets wrong; README.md lists which guard answers which
fault. It is driven so: hand over what arrived (`receive`, `peer_connected`, `peer_disconnected`,
`submit`), then call `turn()` once. Order of effects in a turn, fixed by `_flush`:

- what promises something (votes, acknowledgements) leaves after the journal is synced;
- new entries leave before: the leader's disk and the followers' work at the same time, and the
  leader counts itself only in a later turn, or after the sync in `setRaftCommitIndex`.

An OSError (the journal's) or InvariantError from any method ends this voter: it must not go on.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from controller.quorum import library
from controller.quorum.applied import AppliedState
from controller.quorum.commands import encode_voters
from controller.quorum.elections import Elections
from controller.quorum.journal import Entry, Journal
from controller.quorum.library import FOLLOWER, Node
from controller.quorum.messages import PROMISES, Message
from controller.quorum.outcomes import Applied, Lost, Outcome, Refused
from controller.quorum.snapshot_store import SnapshotStore
from controller.quorum.timings import Timings
from controller.quorum.voter_changes import VoterChanges
from controller.quorum.voter_set import VoterSet
from ottla.core.checks import check
from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid

_log = logging.getLogger(__name__)

APPLY_SECONDS_MAX = 0.02  # of one turn, so that a long backlog does not hold up heartbeats
IDLE_SECONDS_MAX = 0.5


class GuardedSyncObj(Elections):
    """One voter, or a node that may become one. `configured`: the voters that the settings name;
    `is_founder`: this node was formatted as one of the first voters."""

    def __init__(
        self,
        node_id: int,
        configured: VoterSet,
        journal: Journal,
        state: AppliedState,
        snapshots: SnapshotStore,
        send: Callable[[int, Message], None],
        *,
        is_founder: bool,
        timings: Timings,
        source: random.Random,
    ) -> None:
        self._snapshots = snapshots
        self._timings = timings
        self._send = send
        self._submitted: deque[tuple[list[bytes], Callable[[Outcome], None]]] = deque()
        self._waiting: dict[int, tuple[int, Callable[[Outcome], None]]] = {}
        self._backlog = False
        self._heard_commit_index: int | None = None
        applied = snapshots.recover(journal, state)
        super().__init__(
            node_id,
            configured,
            journal,
            state,
            is_founder=is_founder,
            conf=_settings(timings, journal),
            source=source,
        )
        self.changes = VoterChanges(self, node_id, timings.election_min_ms / 1000)
        self._SyncObj__serializer = snapshots
        self._SyncObj__needLoadDumpFile = False
        self._SyncObj__raftLastApplied = applied
        if self.raftCommitIndex < applied:
            self._SyncObj__raftCommitIndex = applied
            journal.setRaftCommitIndex(applied)
        if not self._SyncObj__otherNodes:
            self._SyncObj__raftElectionDeadline = float("-inf")  # nobody to wait for
        journal.sync()

    # Driving

    def receive(self, peer_id: int, message: Message) -> None:
        """Take one message of a voter; each comes at most once and in the order it was sent. Its
        sender may be heard (`fault_of`)."""
        self._SyncObj__onMessageReceived(Node(peer_id), message)

    def peer_connected(self, peer_id: int, directory_id: Uuid) -> None:
        node = Node(peer_id)
        self._directories[peer_id] = directory_id
        self._SyncObj__onNodeConnected(node)
        if self._isLeader() and node in self._SyncObj__raftMatchIndex:
            # It may be another process with another disk: let it show again what it holds.
            self._SyncObj__raftMatchIndex[node] = 0

    def peer_disconnected(self, peer_id: int) -> None:
        self._directories.pop(peer_id, None)
        self._SyncObj__onNodeDisconnected(Node(peer_id))
        self._snapshots.cancelTransmisstion(Node(peer_id))

    def peer_gone(self, peer_id: int) -> None:
        """No process listens at that voter's address any more. If it led, another is elected
        without waiting for the election time."""
        if self._SyncObj__raftLeader == Node(peer_id) and not self._isLeader():
            timings = self._timings
            self.leader_is_gone(
                timings.gone_election_min_ms / 1000, timings.gone_election_max_ms / 1000
            )

    def submit(self, entries: list[bytes], done: Callable[[Outcome], None]) -> None:
        """Append `entries` to the log in this turn, without anything between them, if this voter
        leads; `done` is called with the outcome of the last one, or, without a leader in reach,
        perhaps never."""
        self._submitted.append((entries, done))

    def is_leading(self) -> bool:
        """Whether this voter is elected; it may not have applied its no-op yet."""
        return bool(self._isLeader())

    def try_transfer(self) -> None:
        """Ask the voter that has the whole log to hold an election now; do nothing without one."""
        self.transferLeadership()

    def turn(self) -> float:
        """Do all that is due; seconds until the next turn is, if nothing arrives before."""
        if self._isLeader():
            self._settle(self._node_id)
        self.changes.step(library.now())
        self._onTick(0.0)
        if not self._SyncObj__otherNodes and self._last_index() > self.raftCommitIndex:
            self._onTick(0.0)  # a quorum of one commits what it just appended
        self._flush()
        return self._seconds_to_next_turn()

    def shutdown(self) -> None:
        """Sync and close the journal."""
        self._snapshots.settle()
        self._journal.close()

    def abandon_waiting(self) -> None:
        """Nothing more will be told about any command."""
        self.changes.abandon()
        for _, done in self._waiting.values():
            _tell(done, Lost())
        for _, done in self._submitted:
            _tell(done, Refused(None))
        self._waiting.clear()
        self._submitted.clear()

    def waiting_count(self) -> int:
        return len(self._waiting) + len(self._submitted)

    def leader_id(self) -> int | None:
        leader: Any = self._SyncObj__raftLeader
        return None if leader is None else int(leader.id)

    def is_ready_leader(self) -> bool:
        """Whether this voter leads and has applied its own term's no-op."""
        leading: bool = self._isLeader()
        return leading and bool(self.raftLastApplied >= self._SyncObj__noopIDx)

    def has_caught_up(self) -> bool:
        """Whether this voter has applied all that was committed when the leader last spoke."""
        if self._isLeader():
            return self.is_ready_leader()
        heard = self._heard_commit_index
        return self.leader_id() is not None and heard is not None and self.raftLastApplied >= heard

    def unapplied(self) -> int:
        """Entries that are known to be committed and are not applied here."""
        known = max(self._heard_commit_index or 0, int(self.raftCommitIndex))
        return max(0, known - int(self.raftLastApplied))

    def append_voters(self, voters: VoterSet, done: Callable[[Outcome], None]) -> None:
        self._append_own([encode_voters(voters)], done)
        self._SyncObj__sendAppendEntries()

    def _flush(self) -> None:
        messages, self._outbox.messages = self._outbox.messages, []
        if any(message["type"] in PROMISES for _, message in messages):
            self._journal.sync()
        for peer_id, message in messages:
            self._send(peer_id, message)
        self._journal.sync()

    def _seconds_to_next_turn(self) -> float:
        if self._backlog or self._submitted:
            return 0.0
        due = min(library.now() + IDLE_SECONDS_MAX, self.changes.next_deadline())
        if self._isLeader():
            if self._SyncObj__otherNodes:
                due = min(due, self._SyncObj__newAppendEntriesTime)
        else:
            due = min(due, self._SyncObj__raftElectionDeadline)
        if self._snapshots.is_compacting:
            due = min(due, library.now() + 0.02)
        return float(max(0.0, due - library.now() + 0.0005))

    # Messages

    def _SyncObj__onMessageReceived(self, node: Node, message: Message) -> None:
        if not self._is_known(node.id):
            return
        match message["type"]:
            case "append_entries":
                self._on_append_entries(node, message)
            case "next_node_idx":
                self._on_append_result(node, message)
            case "request_vote":
                self._on_request_vote(node, message)
            case "timeout_now":
                super()._SyncObj__onMessageReceived(node, message)
            case "response_vote":
                self._on_vote(node, message)
            case "pre_vote":
                self._on_pre_vote(node, message)
            case "pre_vote_response":
                self._on_pre_vote_response(node, message)
            case kind:
                raise DecodeError(f"a voter sent a message of kind {kind!r}")

    def _on_append_entries(self, node: Node, message: Message) -> None:
        term = message["term"]
        if term < self.raftCurrentTerm:
            # Tell the deposed leader our term: it must step down, or we would never follow again.
            self._acknowledge(node, self._last_index() + 1, success=False)
            return
        check(
            not (self._isLeader() and term == self.raftCurrentTerm),
            "two leaders in one term",
            term=term,
            other=node.id,
        )
        if term > self.raftCurrentTerm:
            self._SyncObj__transferInProgress = False
            self._SyncObj__setCurrentTerm(term, None)
        now = library.now()
        if not self._SyncObj__transferInProgress:
            self._SyncObj__raftElectionDeadline = now + self._SyncObj__generateRaftTimeout()
            self._canvass_won = False
        self._leader_heard = now
        self._heard_commit_index = message["commit_index"]
        self._settle(node.id)
        self._SyncObj__raftLeader = node
        self._SyncObj__setState(FOLLOWER)
        if "prevLogIdx" in message:
            self._append(node, message)
        else:
            self._install(node, message)

    def _append(self, node: Node, message: Message) -> None:
        """Append what is new. Truncate only at a real conflict of terms: an older message that
        comes late must not take back what was acknowledged since."""
        previous, previous_term = message["prevLogIdx"], message["prevLogTerm"]
        held = self._term_at(previous)
        if held is None:
            reachable = min(self._last_index(), max(previous, self.raftCommitIndex))
            self._acknowledge(node, reachable + 1, reset=True, success=False)
            return
        if held != previous_term:
            check(
                previous > self.raftCommitIndex,
                "the leader contradicts a committed entry",
                index=previous,
                commit_index=self.raftCommitIndex,
            )
            self._acknowledge(node, self._first_index_of_conflict(previous), reset=True)
            return
        entries: list[Entry] = message["entries"]
        for position, (_, index, term) in enumerate(entries):
            own = self._term_at(index)
            if own == term:
                continue
            if own is not None:
                check(
                    index > self.raftCommitIndex,
                    "the leader contradicts a committed entry",
                    index=index,
                    commit_index=self.raftCommitIndex,
                )
                self._truncate_from(index)
            for entry in entries[position:]:
                self._add_entry(*entry)
            break
        end = previous + len(entries)  # all that is known to equal the leader's log
        self._acknowledge(node, end + 1, success=True)
        self._advance_commit(min(message["commit_index"], end))

    def _install(self, node: Node, message: Message) -> None:
        """Take a piece of a snapshot. The leader's commit index says nothing about our own tail,
        which may conflict, so it is left alone until the snapshot is installed."""
        index = self._snapshots.install(
            message["serialized"], self._journal, self._state, self.raftLastApplied
        )
        if index is None:
            self._acknowledge(node, self._last_index() + 1)  # a sign of life, no more
            return
        if self._snapshots.was_restored:
            self._SyncObj__raftLastApplied = index
            self._restart_history()
            for waiting in [key for key in self._waiting if key <= index]:
                _tell(self._waiting.pop(waiting)[1], Lost())
        self._advance_commit(index)
        self._acknowledge(node, index + 1, success=True)

    def _on_append_result(self, node: Node, message: Message) -> None:
        if message["term"] > self.raftCurrentTerm:
            self._adopt_term(message["term"])
            return
        if not self._isLeader() or message["term"] < self.raftCurrentTerm:
            return  # an answer to somebody that this voter no longer is
        matched: dict[Node, int] = self._SyncObj__raftMatchIndex
        if node not in matched:
            return  # removed meanwhile
        self._SyncObj__lastResponseTime[node] = library.now()
        following: dict[Node, int] = self._SyncObj__raftNextIndex
        next_index = min(message["next_node_idx"], self._last_index() + 1)
        if message["success"]:
            matched[node] = max(matched[node], next_index - 1)
            following[node] = max(following[node], next_index)
        elif message["reset"]:
            following[node] = max(next_index, matched[node] + 1)

    def _acknowledge(
        self, node: Node, next_index: int, *, reset: bool = False, success: bool = False
    ) -> None:
        self._outbox.send(
            node,
            {
                "type": "next_node_idx",
                "term": self.raftCurrentTerm,
                "next_node_idx": next_index,
                "reset": reset,
                "success": success,
            },
        )

    def _advance_commit(self, index: int) -> None:
        self._SyncObj__leaderCommitIndex = index
        if index > self.raftCommitIndex:
            self._SyncObj__raftCommitIndex = index
            self._journal.setRaftCommitIndex(index)

    # Commands

    def _checkCommandsToApply(self) -> None:
        if not self._submitted:
            return
        leading = self._isLeader()
        while self._submitted:
            entries, done = self._submitted.popleft()
            if not leading:
                _tell(done, Refused(self.leader_id()))
                continue
            self._append_own(entries, done)
        if leading:
            self._SyncObj__sendAppendEntries()

    def _append_own(self, entries: list[bytes], done: Callable[[Outcome], None]) -> None:
        for entry in entries:
            index = self._last_index() + 1
            self._add_entry(library.REGULAR + entry, index, self.raftCurrentTerm)
        self._waiting[index] = (self.raftCurrentTerm, done)

    def _SyncObj__applyLogEntries(self) -> bool:
        """Apply what is committed, each entry once, whatever state machine or callbacks do."""
        stop = library.now() + APPLY_SECONDS_MAX
        first, commit_index = self.raftLastApplied + 1, self.raftCommitIndex
        self._backlog = False
        if first > commit_index:
            return False
        for command, index, term in self._SyncObj__getEntries(first, commit_index - first + 1):
            result: bytes | Exception = b""
            if command[:1] == library.REGULAR:
                result = self._state.apply(index, term, command[1:])
            self._SyncObj__raftLastApplied = index
            if (waiting := self._waiting.pop(index, None)) is not None:
                own_term, done = waiting
                other = own_term != term  # another leader's entry took the place
                _tell(done, Refused(self.leader_id()) if other else Applied(index, term, result))
            if library.now() > stop and index < commit_index:
                self._backlog = True
                break
        return True

    def _SyncObj__tryLogCompaction(self) -> None:
        self._snapshots.step(self._journal, self._state, self.raftLastApplied, library.now())

    # The log

    def _term_at(self, index: int) -> int | None:
        first = self._journal[0][1]
        return self._journal[index - first][2] if first <= index <= self._last_index() else None

    def _first_index_of_conflict(self, index: int) -> int:
        """Where the leader should try next: the beginning of our entries of that wrong term."""
        term = self._term_at(index)
        while index > self.raftCommitIndex + 1 and self._term_at(index - 1) == term:
            index -= 1
        return index


def _tell(done: Callable[[Outcome], None], outcome: Outcome) -> None:
    try:
        done(outcome)
    except Exception:
        _log.exception("a callback of a proposal failed")


def _settings(timings: Timings, journal: Journal) -> Any:
    return library.SyncObjConf(
        autoTick=False,
        appendEntriesUseBatch=False,
        appendEntriesPeriod=timings.heartbeat_ms / 1000,
        appendEntriesBatchSizeBytes=256 * 1024,
        raftMinTimeout=timings.election_min_ms / 1000,
        raftMaxTimeout=timings.election_max_ms / 1000,
        leaderFallbackTimeout=timings.leader_fallback_ms / 1000,
        connectionTimeout=max(1.0, timings.election_max_ms / 1000),
        dynamicMembershipChange=False,
        journalFile=journal,
        fullDumpFile=None,
        useFork=False,
    )
