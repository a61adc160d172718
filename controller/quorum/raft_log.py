"""`RaftMetadataLog`: the metadata log by pysyncobj, on a thread of its own.

The engine's thread waits for events (messages, connections, commands), takes all that are there,
then turns the engine once. Events come before time: a voter that was held up reads what arrived
meanwhile before it concludes that the leader is gone. Nothing of the broker's loop is on this path:
results and changes of leadership cross by `loop.call_soon_threadsafe`, and a stalled loop does not
look like a dead voter.

When the journal fails or an invariant breaks, the voter stops for good: `run()` raises the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from controller.quorum import library
from controller.quorum.applied import AppliedState
from controller.quorum.bootstrap import open_voter
from controller.quorum.commands import COMMAND_BYTES_MAX, encode_command, encode_directory
from controller.quorum.engine import GuardedSyncObj
from controller.quorum.messages import Message
from controller.quorum.metadata_log import (
    CommandTooLarge,
    Leadership,
    NotLeader,
    Proposal,
    ProposalLost,
    QuorumBusy,
    StateMachine,
)
from controller.quorum.outcomes import Applied, Lost, Outcome, Refused
from controller.quorum.snapshot_store import SnapshotStore
from controller.quorum.timings import Timings
from controller.quorum.transport import Identity, QuorumTls, Transport
from ottla.core.checks import check
from ottla.core.errors import ConfigError, InvariantError
from ottla.core.identifiers import Uuid, uuid_text
from storage.vfs import Vfs

_log = logging.getLogger(__name__)

WAITING_COMMANDS_MAX = 4096
WAITING_BYTES_MAX = 64 << 20
INBOX_EVENTS_MAX = 2048  # from the network; beyond it the calls of the other voters are held up
EVENTS_PER_TURN_MAX = 512
RESIGN_RETRY_SECONDS = 0.1
LOCK_NAME = "voter.lock"


@dataclass(frozen=True, slots=True)
class _Received:
    peer_id: int
    directory_id: Uuid
    messages: list[Message]


@dataclass(frozen=True, slots=True)
class _Connected:
    peer_id: int
    directory_id: Uuid


@dataclass(frozen=True, slots=True)
class _Disconnected:
    peer_id: int


@dataclass(frozen=True, slots=True)
class _Submitted:
    entries: list[bytes]
    done: Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class _Resign:
    wanted: bool


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


_Event: TypeAlias = _Received | _Connected | _Disconnected | _Submitted | _Resign | _Stop


class RaftMetadataLog:
    """See `metadata_log.MetadataLog`. `listen` and `voters` are raft listeners (host, port)."""

    def __init__(
        self,
        node_id: int,
        voters: Mapping[int, tuple[str, int]],
        listen: tuple[str, int],
        directory: str,
        state_machine: StateMachine,
        loop: asyncio.AbstractEventLoop,
        vfs: Vfs,
        tls: QuorumTls | None = None,
        timings: Timings | None = None,
    ) -> None:
        self._node_id = node_id
        self._voters = dict(voters)
        self._listen = listen
        self._directory = directory
        self._loop = loop
        self._vfs = vfs
        self._tls = tls
        self._timings = timings or Timings()
        self._state = AppliedState(state_machine)
        self._inbox: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._drained = threading.Event()
        self._engine: GuardedSyncObj | None = None
        self._transport: Transport | None = None
        self._thread: threading.Thread | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._ended: asyncio.Future[None] = loop.create_future()
        self._listeners: list[Callable[[Leadership], None]] = []
        self._published = Leadership(None, 0, False)  # by the engine's thread
        self._told: Leadership | None = None  # to the listeners, on the loop
        self._waiting_commands = 0
        self._waiting_bytes = 0
        self._directories: dict[int, Uuid] = {}  # of voters that are connected, and our own
        self._registered: set[tuple[int, int]] = set()
        self._resigning = False
        self._resign_at = float("-inf")
        self.port = 0

    # The loop's side

    @property
    def leader_id(self) -> int | None:
        return self._published.leader_id

    @property
    def term(self) -> int:
        return self._published.term

    @property
    def last_applied(self) -> int:
        return 0 if self._engine is None else int(self._engine.raftLastApplied)

    def start(self) -> None:
        """Open the journal, listen, and start the thread. Blocking, for the time it takes to read
        the journal. ConfigError: this voter may not join, in one sentence that says what helps."""
        check(self._thread is None, "the metadata log is started twice")
        with contextlib.ExitStack() as undo:
            self._open(undo)
            check(self._transport is not None, "no transport")
            assert self._transport is not None
            self.port = self._transport.start()
            self._thread = threading.Thread(
                target=self._run, args=(undo.pop_all(),), name="quorum", daemon=True
            )
            self._thread.start()

    async def run(self) -> None:
        """Until `stop`; raises what ended the voter before that."""
        await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """Hand leadership over if it is ours, then end all threads and close the journal."""
        if self._thread is None:
            return
        await self.resign(2 * self._timings.election_min_ms)
        self._inbox.put(_Stop())
        await asyncio.to_thread(self._thread.join)

    async def resign(self, timeout_ms: int) -> bool:
        """Ask the voter with the longest log to take over, and refuse commands meanwhile.

        True once this voter does not lead; False when nobody took over in time (no other voter is
        in reach, or there is none).
        """
        engine = self._engine
        if engine is None or self._ended.done() or not engine.is_leading():
            return True
        if len(self._voters) == 1:
            return False
        self._inbox.put(_Resign(True))
        changed = asyncio.Event()
        self._listeners.append(lambda _: changed.set())
        listener = self._listeners[-1]
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while engine.is_leading():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            self._inbox.put(_Resign(False))
            return False
        finally:
            self._listeners.remove(listener)
        return True

    async def propose(self, command: bytes, timeout_ms: int) -> Proposal:
        """See `MetadataLog.propose`."""
        if len(command) > COMMAND_BYTES_MAX:
            raise CommandTooLarge(
                f"a command of {len(command)} bytes is above the limit of {COMMAND_BYTES_MAX}: "
                "divide the request"
            )
        return await self._submit(encode_command(command), timeout_ms)

    async def forget_directory(self, voter_id: int, timeout_ms: int) -> None:
        """Admit voter `voter_id` with a new, freshly formatted directory; for the leader.

        Safe because it commits without that voter: from then on all that was ever committed is on
        a majority that does not count on its old disk. Raises as `propose` does.
        """
        await self._submit([encode_directory(voter_id, None)], timeout_ms)

    def add_leadership_listener(self, listener: Callable[[Leadership], None]) -> None:
        """See `MetadataLog.add_leadership_listener`."""
        self._listeners.append(listener)
        if self._told is not None:
            listener(self._told)

    async def _submit(self, entries: list[bytes], timeout_ms: int) -> Proposal:
        engine, size = self._engine, sum(len(entry) for entry in entries)
        if engine is None or self._ended.done() or not engine.is_leading():
            raise NotLeader(self._hint())
        if (
            self._waiting_commands >= WAITING_COMMANDS_MAX
            or self._waiting_bytes + size > WAITING_BYTES_MAX
        ):
            raise QuorumBusy(
                f"{self._waiting_commands} commands of {self._waiting_bytes} bytes are waiting for "
                "the quorum: try again later"
            )
        future: asyncio.Future[Outcome] = self._loop.create_future()

        def done(outcome: Outcome) -> None:
            self._call_loop(lambda: _resolve(future, outcome))

        self._waiting_commands += 1
        self._waiting_bytes += size
        try:
            self._inbox.put(_Submitted(entries, done))
            async with asyncio.timeout(timeout_ms / 1000):
                outcome = await future
        except TimeoutError as error:
            raise ProposalLost(
                f"the quorum gave no answer in {timeout_ms} ms; the command may still be applied"
            ) from error
        finally:
            self._waiting_commands -= 1
            self._waiting_bytes -= size
        match outcome:
            case Applied(index, term, result):
                if isinstance(result, Exception):
                    raise InvariantError(f"the state machine failed at entry {index}") from result
                return Proposal(index, term, result)
            case Refused(leader_id):
                raise NotLeader(None if leader_id == self._node_id else leader_id)
            case Lost():
                raise ProposalLost("the quorum lost track of the command; it may be applied")

    def _hint(self) -> int | None:
        leader_id = self._published.leader_id
        return None if leader_id == self._node_id else leader_id

    def _tell_leadership(self, leadership: Leadership) -> None:
        self._told = leadership
        for listener in list(self._listeners):
            try:
                listener(leadership)
            except Exception:
                _log.exception("a listener for the quorum's leader failed")

    def _call_loop(self, callback: Callable[[], object]) -> None:
        """From the engine's thread; without a loop there is nobody left to tell."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback)

    # What the transport reports, from its threads

    def fault_of_directory(self, peer_id: int, directory_id: Uuid) -> str | None:
        known = self._state.directories.get(peer_id)
        if known is None or known == directory_id:
            return None
        return (
            f"voter {peer_id} comes with directory {uuid_text(directory_id)}, but the quorum knows "
            f"it by {uuid_text(known)}: start it with its own disk, or have the leader forget the "
            "old one"
        )

    def connected(self, peer_id: int, directory_id: Uuid) -> None:
        self._inbox.put(_Connected(peer_id, directory_id))

    def disconnected(self, peer_id: int) -> None:
        self._inbox.put(_Disconnected(peer_id))

    def received(self, peer_id: int, directory_id: Uuid, messages: list[Message]) -> None:
        while self._inbox.qsize() > INBOX_EVENTS_MAX and not self._ended.done():
            self._drained.clear()
            self._drained.wait(0.1)
        self._inbox.put(_Received(peer_id, directory_id, messages))

    # The engine's thread

    def _open(self, undo: contextlib.ExitStack) -> None:
        try:
            self._vfs.mkdirs(self._directory)
            lock = self._vfs.lock(f"{self._directory}/{LOCK_NAME}")
        except BlockingIOError as error:
            raise ConfigError(
                f"{self._directory} is in use by another process: stop it, or choose another "
                "metadata.log.dir"
            ) from error
        undo.callback(lock.release)
        mark, journal = open_voter(self._directory, self._node_id, self._voters, self._vfs)
        undo.callback(journal.close)
        identity = Identity(mark.cluster_id, self._node_id, mark.directory_id, journal.incarnation)
        self._directories[self._node_id] = mark.directory_id
        transport = Transport(
            identity, self._voters, self._listen, self, timings=self._timings, tls=self._tls
        )
        undo.callback(transport.stop)
        worker = ThreadPoolExecutor(1, thread_name_prefix="quorum-snapshot")
        undo.callback(worker.shutdown)

        def in_worker(task: Callable[[], None]) -> Future[None]:
            return worker.submit(task)

        snapshots = SnapshotStore(
            self._vfs,
            self._directory,
            self._timings,
            worker=in_worker,
            has_credit=transport.has_credit,
        )
        self._engine = GuardedSyncObj(
            self._node_id,
            self._voters,
            journal,
            self._state,
            snapshots,
            transport.send,
            timings=self._timings,
            source=random.Random(),
        )
        self._transport, self._worker = transport, worker

    def _run(self, resources: contextlib.ExitStack) -> None:
        failure: BaseException | None = None
        engine = self._engine
        assert engine is not None
        try:
            self._serve(engine)
            engine.shutdown()
        except BaseException as error:
            _log.critical("this voter stops: %s", error, exc_info=True)
            failure = error
        engine.abandon_waiting()
        self._publish(Leadership(None, self._published.term, False))
        try:
            resources.close()
        except Exception as error:
            _log.exception("the quorum did not close in order")
            failure = failure or error
        self._refuse_rest()
        self._call_loop(lambda: self._end(failure))

    def _serve(self, engine: GuardedSyncObj) -> None:
        while True:
            seconds = engine.turn()
            self._publish(self._leadership(engine))
            if engine.is_ready_leader() and self._register_directories(engine):
                seconds = 0.0
            if self._resigning:
                seconds = min(seconds, self._hand_over(engine))
            if not self._take_events(engine, seconds):
                return

    def _take_events(self, engine: GuardedSyncObj, seconds: float) -> bool:
        """Wait for events and hand them to the engine; False at the end."""
        try:
            event = self._inbox.get(timeout=seconds) if seconds else self._inbox.get_nowait()
            for _ in range(EVENTS_PER_TURN_MAX):
                if isinstance(event, _Stop):
                    return False
                self._take(engine, event)
                event = self._inbox.get_nowait()
            self._take(engine, event)
        except queue.Empty:
            pass
        self._drained.set()
        return True

    def _take(self, engine: GuardedSyncObj, event: _Event) -> None:
        match event:
            case _Received(peer_id, directory_id, messages):
                # Its directory may have been committed differently since it was let in.
                if self._state.directories.get(peer_id, directory_id) == directory_id:
                    for message in messages:
                        engine.receive(peer_id, message)
            case _Submitted(entries, done):
                if self._resigning:
                    done(Refused(None))
                else:
                    engine.submit(entries, done)
            case _Connected(peer_id, directory_id):
                self._directories[peer_id] = directory_id
                engine.peer_connected(peer_id)
            case _Disconnected(peer_id):
                self._directories.pop(peer_id, None)
                engine.peer_disconnected(peer_id)
            case _Resign(wanted):
                self._resigning = wanted
            case _Stop():
                self._inbox.put(event)

    def _leadership(self, engine: GuardedSyncObj) -> Leadership:
        leader_id, term = engine.leader_id(), int(engine.raftCurrentTerm)
        if not engine.is_leading():
            return Leadership(None if leader_id == self._node_id else leader_id, term, False)
        ready = engine.is_ready_leader()
        return Leadership(self._node_id if ready else None, term, ready)

    def _publish(self, leadership: Leadership) -> None:
        before = self._published
        if leadership == before:
            return
        if before.is_self and leadership.is_self:  # deposed and elected again within one turn
            self._publish(Leadership(None, leadership.term, False))
        self._published = leadership
        self._call_loop(lambda: self._tell_leadership(leadership))

    def _register_directories(self, engine: GuardedSyncObj) -> bool:
        """Let the quorum commit where each voter has its log (SAFETY.md, rule 3); whether there
        was anything to submit."""
        before = len(self._registered)
        for voter_id, directory_id in self._directories.items():
            key = (voter_id, int(engine.raftCurrentTerm))
            if voter_id not in self._state.directories and key not in self._registered:
                self._registered.add(key)
                engine.submit([encode_directory(voter_id, directory_id)], lambda _: None)
        return len(self._registered) > before

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

    def _refuse_rest(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._inbox.get_nowait()
                if isinstance(event, _Submitted):
                    event.done(Refused(None))

    def _end(self, failure: BaseException | None) -> None:
        if self._ended.done():
            return
        if failure is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(failure)
            self._ended.exception()  # seen: `run` may have nobody waiting


def _resolve(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
