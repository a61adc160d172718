"""The thread that runs one voter: waits for events, hands them over, turns the engine.

Events come before time: a voter that was held up reads what arrived meanwhile before it concludes
that the leader is gone. Other threads only put events into the inbox; what they learn they learn
from `published` and from the callbacks, which are called on this thread.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from controller.quorum import library
from controller.quorum.applied import AppliedState
from controller.quorum.bootstrap import check_founders, open_voter
from controller.quorum.description import describe_quorum
from controller.quorum.engine import GuardedSyncObj
from controller.quorum.inbox import (
    AddVoter,
    Connected,
    Describe,
    Disconnected,
    Event,
    Gone,
    Received,
    RemoveVoter,
    Resign,
    Stop,
    Submitted,
    ToldVoters,
)
from controller.quorum.messages import Message
from controller.quorum.metadata_log import Leadership, StateMachine
from controller.quorum.outcomes import Refused
from controller.quorum.snapshot_store import SnapshotStore
from controller.quorum.timings import Timings
from controller.quorum.tls import QuorumTls
from controller.quorum.transport import Identity, Transport
from controller.quorum.voter_set import Address, founders
from ottla.core.errors import ConfigError
from ottla.core.identifiers import Uuid
from storage.vfs import Vfs

_log = logging.getLogger(__name__)

INBOX_EVENTS_MAX = 2048  # from the network; beyond it the calls of the other voters are held up
EVENTS_PER_TURN_MAX = 512
RESIGN_RETRY_SECONDS = 0.1
LOCK_NAME = "voter.lock"


class VoterThread:
    """One voter. `publish` is told each change of leadership, `ended` once why the thread ended
    (None: it was asked to)."""

    def __init__(
        self,
        node_id: int,
        voters: Mapping[int, Address],
        state_machine: StateMachine,
        *,
        publish: Callable[[Leadership], None],
        ended: Callable[[BaseException | None], None],
    ) -> None:
        self._node_id = node_id
        self._voters = voters
        self._publish_change = publish
        self._ended = ended
        self._inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._drained = threading.Event()
        self._has_ended = False
        self._engine: GuardedSyncObj | None = None
        self._thread: threading.Thread | None = None
        self._transport: Transport | None = None
        self._resigning = False
        self._resign_at = float("-inf")
        self.state = AppliedState(state_machine)
        self.published = Leadership(None, 0, False)

    # For other threads

    @property
    def is_leading(self) -> bool:
        """Elected, and still running."""
        return not self._has_ended and self._engine is not None and self._engine.is_leading()

    @property
    def is_voter(self) -> bool:
        return self._engine is not None and self._engine.may_lead()

    @property
    def is_alone(self) -> bool:
        """There is no other voter."""
        return self._engine is not None and len(self._engine.voter_set()) == 1

    def controllers(self) -> list[Address]:
        engine = self._engine
        if engine is None:
            return []
        _, voters = engine.committed_voter_set()
        return [node.internal for node in voters.voters.values() if node.internal is not None]

    @property
    def last_applied(self) -> int:
        return 0 if self._engine is None else int(self._engine.raftLastApplied)

    @property
    def has_caught_up(self) -> bool:
        return not self._has_ended and self._engine is not None and self._engine.has_caught_up()

    @property
    def unapplied(self) -> int:
        return 0 if self._engine is None else self._engine.unapplied()

    def post(self, event: Event) -> None:
        self._inbox.put(event)

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    # What the transport reports, from its threads

    def fault_of(self, peer_id: int, directory_id: Uuid) -> str | None:
        """Why that node, with its log in that directory, may not take part (SAFETY.md, rule 3)."""
        engine = self._engine
        return (
            "this voter is not ready" if engine is None else engine.fault_of(peer_id, directory_id)
        )

    def committed_voters(self) -> tuple[int, bytes]:
        engine = self._engine
        if engine is None:
            return 0, b""
        index, voters = engine.committed_voter_set()
        return index, voters.encode()

    def told_voters(self, index: int, voters: bytes) -> None:
        self._inbox.put(ToldVoters(index, voters))

    def connected(self, peer_id: int, directory_id: Uuid) -> None:
        self._inbox.put(Connected(peer_id, directory_id))

    def disconnected(self, peer_id: int) -> None:
        self._inbox.put(Disconnected(peer_id))

    def gone(self, peer_id: int) -> None:
        self._inbox.put(Gone(peer_id))

    def received(self, peer_id: int, directory_id: Uuid, messages: list[Message]) -> None:
        while self._inbox.qsize() > INBOX_EVENTS_MAX and not self._has_ended:
            self._drained.clear()
            self._drained.wait(0.1)
        self._inbox.put(Received(peer_id, directory_id, messages))

    # Start and end

    def start(
        self,
        listen: tuple[str, int],
        directory: str,
        vfs: Vfs,
        *,
        tls: QuorumTls | None,
        timings: Timings,
    ) -> int:
        """Open everything and run; the port. ConfigError: this voter may not join."""
        with contextlib.ExitStack() as undo:
            engine, transport = self._open(undo, listen, directory, vfs, tls, timings)
            self._engine, self._transport = engine, transport
            self._update_peers(engine)
            self._thread = threading.Thread(
                target=self._run, args=(engine, undo.pop_all()), name="quorum", daemon=True
            )
            self._thread.start()
        return transport.port

    def _open(
        self,
        undo: contextlib.ExitStack,
        listen: tuple[str, int],
        directory: str,
        vfs: Vfs,
        tls: QuorumTls | None,
        timings: Timings,
    ) -> tuple[GuardedSyncObj, Transport]:
        try:
            vfs.mkdirs(directory)
            lock = vfs.lock(f"{directory}/{LOCK_NAME}")
        except BlockingIOError as error:
            raise ConfigError(
                f"{directory} is in use by another process: stop it, or choose another "
                "metadata.log.dir"
            ) from error
        undo.callback(lock.release)
        mark, journal = open_voter(directory, self._node_id, vfs)
        undo.callback(journal.close)
        identity = Identity(mark.cluster_id, self._node_id, mark.directory_id, journal.incarnation)
        transport = Transport(identity, listen, self, timings=timings, tls=tls)
        undo.callback(transport.stop)
        pool = ThreadPoolExecutor(1, thread_name_prefix="quorum-snapshot")
        undo.callback(pool.shutdown)

        def worker(task: Callable[[], None]) -> Future[None]:
            return pool.submit(task)

        snapshots = SnapshotStore(
            vfs, directory, timings, worker=worker, has_credit=transport.has_credit
        )
        engine = GuardedSyncObj(
            self._node_id,
            founders(self._voters),
            journal,
            self.state,
            snapshots,
            transport.send,
            is_founder=mark.is_founder,
            timings=timings,
            source=random.Random(),
        )
        index, voters = engine.committed_voter_set()
        if index == 0:
            check_founders(directory, mark, self._voters)
        elif voters.ids != tuple(sorted(self._voters)):
            _log.info("the voters are %s, as they were changed by command", _ids(voters.ids))
        return engine, transport

    def _run(self, engine: GuardedSyncObj, resources: contextlib.ExitStack) -> None:
        failure: BaseException | None = None
        try:
            self._serve(engine)
            engine.shutdown()
        except BaseException as error:
            _log.critical("this voter stops: %s", error, exc_info=True)
            failure = error
        self._has_ended = True
        engine.abandon_waiting()
        self._publish(Leadership(None, self.published.term, False))
        try:
            resources.close()
        except Exception as error:
            _log.exception("the quorum did not close in order")
            failure = failure or error
        self._refuse_rest()
        self._ended(failure)

    def _refuse_rest(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._inbox.get_nowait()
                if isinstance(event, Submitted):
                    event.done(Refused(None))

    # The thread

    def _serve(self, engine: GuardedSyncObj) -> None:
        while True:
            seconds = engine.turn()
            self._publish(self._leadership(engine))
            if engine.peers_changed:
                self._follow_peers(engine)
            if self._resigning:
                seconds = min(seconds, self._hand_over(engine))
            if not self._take_events(engine, seconds):
                return

    def _take_events(self, engine: GuardedSyncObj, seconds: float) -> bool:
        """Wait for events and hand them to the engine; False at the end."""
        for _ in range(EVENTS_PER_TURN_MAX):
            try:
                event = self._inbox.get(timeout=seconds) if seconds else self._inbox.get_nowait()
            except queue.Empty:
                break
            if isinstance(event, Stop):
                return False
            self._take(engine, event)
            seconds = 0.0
        self._drained.set()
        return True

    def _take(self, engine: GuardedSyncObj, event: Event) -> None:
        match event:
            case Received(peer_id, directory_id, messages):
                # The set of voters may have changed since it was let in.
                if engine.fault_of(peer_id, directory_id) is None:
                    for message in messages:
                        engine.receive(peer_id, message)
            case ToldVoters(index, voters):
                engine.learn_of(index, voters)
            case Submitted(entries, done):
                if self._resigning:
                    done(Refused(None))
                else:
                    engine.submit(entries, done)
            case Connected(peer_id, directory_id):
                if engine.fault_of(peer_id, directory_id) is None:
                    engine.peer_connected(peer_id, directory_id)
            case Disconnected(peer_id):
                engine.peer_disconnected(peer_id)
            case Gone(peer_id):
                engine.peer_gone(peer_id)
            case AddVoter(node_id, node, timeout_seconds, done):
                now = library.now()
                engine.changes.add(
                    node_id, node, now=now, deadline=now + timeout_seconds, done=done
                )
            case RemoveVoter(node_id, directory_id, timeout_seconds, done):
                now = library.now()
                engine.changes.remove(
                    node_id, directory_id, now=now, deadline=now + timeout_seconds, done=done
                )
            case Describe(describe):
                describe(describe_quorum(engine))
            case Resign(wanted):
                self._resigning = wanted
            case Stop():
                pass  # `_take_events` ends the thread

    def _leadership(self, engine: GuardedSyncObj) -> Leadership:
        leader_id, term = engine.leader_id(), int(engine.raftCurrentTerm)
        if not engine.is_leading():
            return Leadership(None if leader_id == self._node_id else leader_id, term, False)
        ready = engine.is_ready_leader()
        return Leadership(self._node_id if ready else None, term, ready)

    def _publish(self, leadership: Leadership) -> None:
        before = self.published
        if leadership == before:
            return
        if before.is_self and leadership.is_self:  # deposed and elected again within one turn
            self._publish(Leadership(None, leadership.term, False))
        self.published = leadership
        self._publish_change(leadership)

    def _follow_peers(self, engine: GuardedSyncObj) -> None:
        try:
            self._update_peers(engine)
        except ConfigError as error:  # a quorum of one that cannot open its port stays alone
            _log.error("no other voter can be reached: %s", error)

    def _update_peers(self, engine: GuardedSyncObj) -> None:
        engine.peers_changed = False
        if self._transport is not None:
            self._transport.update(engine.peers())

    def _hand_over(self, engine: GuardedSyncObj) -> float:
        """Try to pass leadership on; seconds until the next attempt."""
        if not engine.is_leading():
            self._resigning = False
            return float("inf")
        now = library.now()
        if now >= self._resign_at:
            self._resign_at = now + RESIGN_RETRY_SECONDS
            engine.try_transfer()
            return 0.0  # the next turn sends it
        return self._resign_at - now


def _ids(voters: Sequence[int]) -> str:
    return ", ".join(str(voter) for voter in voters)
