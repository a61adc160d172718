"""`RaftMetadataLog`: the metadata log by pysyncobj, seen from the broker's loop.

The voter runs on a thread of its own (voter_thread.py), so that a stalled loop does not look like a
dead voter. Results and changes of leadership cross by `loop.call_soon_threadsafe`. When the journal
fails or an invariant breaks, the voter stops for good: `run()` raises the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping

from controller.quorum.commands import COMMAND_BYTES_MAX, encode_command
from controller.quorum.description import QuorumDescription
from controller.quorum.inbox import AddVoter, Describe, Event, RemoveVoter, Resign, Stop, Submitted
from controller.quorum.metadata_log import (
    CommandTooLarge,
    Leadership,
    NotLeader,
    Proposal,
    ProposalLost,
    QuorumBusy,
    StateMachine,
)
from controller.quorum.outcomes import Applied, Declined, Lost, Outcome, Refused
from controller.quorum.timings import Timings
from controller.quorum.tls import QuorumTls
from controller.quorum.voter_set import Address, VoterNode
from controller.quorum.voter_thread import VoterThread
from ottla.core.checks import check
from ottla.core.errors import ErrorCode, InvariantError, OttlaError, ProtocolError
from ottla.core.identifiers import Uuid
from storage.vfs import Vfs

_log = logging.getLogger(__name__)

WAITING_COMMANDS_MAX = 4096
WAITING_BYTES_MAX = 64 << 20
CHANGE_MARGIN_MS = 500
"""What adding a voter waits for says better why it is late than the lack of an answer does."""


class RaftMetadataLog:
    """See `metadata_log.MetadataLog` and `QuorumAdmin`. `listen` and `voters` are Raft listeners;
    `voters` counts until a set of voters is in the log."""

    def __init__(
        self,
        node_id: int,
        voters: Mapping[int, Address],
        listen: Address,
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
        self._voter = VoterThread(
            node_id,
            self._voters,
            state_machine,
            publish=lambda leadership: self._call_loop(lambda: self._tell_leadership(leadership)),
            ended=lambda failure: self._call_loop(lambda: self._end(failure)),
        )
        self._started = False
        self._ended: asyncio.Future[None] = loop.create_future()
        self._listeners: list[Callable[[Leadership], None]] = []
        self._told: Leadership | None = None
        self._waiting_commands = 0
        self._waiting_bytes = 0
        self.proposals = 0
        """That were accepted and answered; `proposal_ns` is what all of them took."""
        self.proposal_ns = 0
        self.proposal_failures = 0
        self.elections = 0
        """Leaders that this voter has heard of, itself included."""
        self.port = 0

    @property
    def leader_id(self) -> int | None:
        return self._voter.published.leader_id

    @property
    def term(self) -> int:
        return self._voter.published.term

    @property
    def last_applied(self) -> int:
        return self._voter.last_applied

    @property
    def is_voter(self) -> bool:
        """Whether the set in this node's log names it, with this directory."""
        return self._voter.is_voter

    @property
    def has_caught_up(self) -> bool:
        """Whether there is a leader, and all that it had committed when it last spoke is applied
        here."""
        return self._voter.has_caught_up

    @property
    def waiting_commands(self) -> int:
        return self._waiting_commands

    @property
    def unapplied(self) -> int:
        """Entries that are known to be committed and are not applied here."""
        return self._voter.unapplied

    def start(self) -> None:
        """Open the journal, listen, and start the thread. Blocking, for the time it takes to read
        the journal. ConfigError: this voter may not join, in one sentence that says what helps."""
        check(not self._started, "the metadata log is started twice")
        self.port = self._voter.start(
            self._listen, self._directory, self._vfs, tls=self._tls, timings=self._timings
        )
        self._started = True

    async def run(self) -> None:
        """Until `stop`; raises what ended the voter before that."""
        await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """Hand leadership over if it is ours, then end all threads and close the journal."""
        if not self._started:
            return
        await self.resign(2 * self._timings.election_min_ms)
        self._voter.post(Stop())
        await asyncio.to_thread(self._voter.join)

    async def resign(self, timeout_ms: int) -> bool:
        """Ask the voter with the longest log to take over, and refuse commands meanwhile.

        True once this voter does not lead; False when nobody took over in time (no other voter is
        in reach, or there is none).
        """
        if not self._voter.is_leading:
            return True
        if self._voter.is_alone:
            return False
        self._voter.post(Resign(True))
        changed = asyncio.Event()

        def listener(_: Leadership) -> None:
            changed.set()

        self._listeners.append(listener)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while self._voter.is_leading:
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            self._voter.post(Resign(False))
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

    def controllers(self) -> list[Address]:
        """See `QuorumAdmin.controllers`."""
        return self._voter.controllers()

    async def describe(self, timeout_ms: int) -> QuorumDescription:
        """See `QuorumAdmin.describe`."""
        future: asyncio.Future[QuorumDescription] = self._loop.create_future()

        def done(description: QuorumDescription) -> None:
            self._call_loop(lambda: None if future.done() else future.set_result(description))

        self._voter.post(Describe(done))
        async with asyncio.timeout(timeout_ms / 1000):
            return await future

    async def add_voter(self, node_id: int, node: VoterNode, timeout_ms: int) -> None:
        """See `QuorumAdmin.add_voter`."""
        await self._change(
            lambda done: AddVoter(node_id, node, timeout_ms / 1000, done), timeout_ms
        )

    async def remove_voter(self, node_id: int, directory_id: Uuid | None, timeout_ms: int) -> None:
        """See `QuorumAdmin.remove_voter`."""
        try:
            await self._change(
                lambda done: RemoveVoter(node_id, directory_id, timeout_ms / 1000, done), timeout_ms
            )
        except ProtocolError as error:
            if error.code != ErrorCode.NOT_CONTROLLER:
                raise
            if not await self.resign(timeout_ms):
                raise ProtocolError(
                    ErrorCode.REQUEST_TIMED_OUT,
                    f"voter {node_id} leads the quorum, and no other voter could take over from "
                    "it: try again when another one is up and has caught up",
                ) from None
            raise NotLeader(self._hint()) from None

    async def _change(
        self, event: Callable[[Callable[[Outcome], None]], Event], timeout_ms: int
    ) -> None:
        if not self._voter.is_leading:
            raise NotLeader(self._hint())
        await self._outcome(event, timeout_ms + CHANGE_MARGIN_MS)

    def add_leadership_listener(self, listener: Callable[[Leadership], None]) -> None:
        """See `MetadataLog.add_leadership_listener`."""
        self._listeners.append(listener)
        if self._told is not None:
            listener(self._told)

    async def _submit(self, entries: list[bytes], timeout_ms: int) -> Proposal:
        size = sum(len(entry) for entry in entries)
        if not self._voter.is_leading:
            raise NotLeader(self._hint())
        if (
            self._waiting_commands >= WAITING_COMMANDS_MAX
            or self._waiting_bytes + size > WAITING_BYTES_MAX
        ):
            raise QuorumBusy(
                f"{self._waiting_commands} commands of {self._waiting_bytes} bytes are waiting for "
                "the quorum: try again later"
            )
        self._waiting_commands += 1
        self._waiting_bytes += size
        began_ns = time.monotonic_ns()
        try:
            proposal = await self._outcome(lambda done: Submitted(entries, done), timeout_ms)
            self.proposals += 1
            self.proposal_ns += time.monotonic_ns() - began_ns
            return proposal
        except OttlaError:
            self.proposal_failures += 1
            raise
        finally:
            self._waiting_commands -= 1
            self._waiting_bytes -= size

    async def _outcome(
        self, event: Callable[[Callable[[Outcome], None]], Event], timeout_ms: int
    ) -> Proposal:
        future: asyncio.Future[Outcome] = self._loop.create_future()

        def done(outcome: Outcome) -> None:
            self._call_loop(lambda: _resolve(future, outcome))

        self._voter.post(event(done))
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                outcome = await future
        except TimeoutError as error:
            raise ProposalLost(
                f"the quorum gave no answer in {timeout_ms} ms; the command may still be applied"
            ) from error
        match outcome:
            case Applied(index, term, result):
                if isinstance(result, Exception):
                    raise InvariantError(f"the state machine failed at entry {index}") from result
                return Proposal(index, term, result)
            case Refused(leader_id):
                raise NotLeader(None if leader_id == self._node_id else leader_id)
            case Declined(code, message):
                raise ProtocolError(code, message)
            case Lost():
                raise ProposalLost("the quorum lost track of the command; it may be applied")

    def _hint(self) -> int | None:
        leader_id = self._voter.published.leader_id
        return None if leader_id == self._node_id else leader_id

    def _tell_leadership(self, leadership: Leadership) -> None:
        self._told = leadership
        self.elections += leadership.leader_id is not None
        for listener in list(self._listeners):
            try:
                listener(leadership)
            except Exception:
                _log.exception("a listener for the quorum's leader failed")

    def _call_loop(self, callback: Callable[[], object]) -> None:
        """From the engine's thread; without a loop there is nobody left to tell."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback)

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
