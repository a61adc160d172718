"""One partition of a coordinator while this broker leads it: decide, append, replay, answer.

    LOADING   `machine` is None: the log is being replayed, or will be at `retry_at_ms`
    ACTIVE    `machine` is there: it holds exactly what the log holds up to `tail`
    CLOSED    the leader epoch has passed

A failed append leads from ACTIVE back to LOADING: nobody knows whether the machine and the log
still say the same. Answers whose records were appended before go on waiting for the high watermark;
all others are told at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from broker.coordinator.errors import translate
from broker.coordinator.machine import Coordinator, Moment, Ticket, Turn
from broker.coordinator.replicated_partition import ReplicatedPartition
from broker.transactions.seams import TransactionMarker
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.record.build import RECORD_OVERHEAD_MAX, BatchBuilder

logger = logging.getLogger(__name__)

ACKS_ALL: Final = -1
RETRY_MS_MIN: Final = 50
RETRY_MS_MAX: Final = 5_000

PRODUCER_REFUSALS: Final = frozenset(
    {ErrorCode.TRANSACTION_COORDINATOR_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH}
)

MachineT = TypeVar("MachineT", bound=Coordinator[Any])


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """Bounds of one shard."""

    commit_timeout_ms: int = 5_000
    """How long an answer may wait for the high watermark (Kafka's offsets.commit.timeout.ms)."""
    batch_bytes_max: int = 1_000_000
    """Of records in one batch; must stay below the topic's max.message.bytes. A decision with more
    is several batches, each record whole."""


class _AppendFailed(Exception):
    """The log refused what the machine decided, for a reason of its own."""

    def __init__(self, error: ProtocolError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True, eq=False)
class _Commit:
    """Answers that wait for the high watermark."""

    outcomes: list[tuple[asyncio.Future[Any], object]]
    deadline_ms: int
    committed: asyncio.Future[None]
    is_settled: bool = False


class Shard(Generic[MachineT]):
    """See the module. Everything runs on the event loop; nothing here waits."""

    __slots__ = (
        "_clock",
        "_commits",
        "_counts",
        "_limits",
        "_waiting",
        "failure_count",
        "index",
        "is_closed",
        "is_loading",
        "leader_epoch",
        "machine",
        "partition",
        "retry_at_ms",
        "tail",
    )

    def __init__(
        self,
        index: int,
        leader_epoch: int,
        partition: ReplicatedPartition,
        clock: Clock,
        limits: ShardLimits,
        counts: Counter[tuple[str, str]],
    ) -> None:
        self.index = index
        self.leader_epoch = leader_epoch
        self.partition = partition
        self.machine: MachineT | None = None
        self.is_closed = False
        self.is_loading = False
        """A task replays the log just now."""
        self.retry_at_ms = clock.now_ms()
        """While `machine` is None: when to load."""
        self.failure_count = 0
        """Failed loads and appends since the last append that succeeded."""
        self.tail = 0
        """Offset after the last record that the machine has replayed (exclusive)."""
        self._clock = clock
        self._limits = limits
        self._counts = counts
        self._waiting: dict[Ticket, asyncio.Future[Any]] = {}  # not answered by the machine yet
        self._commits: deque[_Commit] = deque()

    # ---- requests

    def submit(
        self,
        ticket: Ticket,
        future: asyncio.Future[Any],
        decide: Callable[[MachineT, Ticket, Turn[Any]], None],
    ) -> None:
        """Run one request now; `future` gets its answer, or a ProtocolError in a client's terms.

        `decide` may raise ProtocolError instead of answering, as long as it has changed nothing.
        """
        machine = self.machine
        if self.is_closed or not self._leads():
            future.set_exception(ProtocolError(ErrorCode.NOT_COORDINATOR, "the leadership moved"))
            return
        if machine is None:
            future.set_exception(
                ProtocolError(
                    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, "the coordinator reads its log"
                )
            )
            return
        self._waiting[ticket] = future
        self._step(machine, partial(decide, machine, ticket), ticket)
        if ticket in self._waiting:
            future.add_done_callback(partial(self._on_done, ticket))

    def tell(self, decide: Callable[[MachineT, Turn[Any]], None]) -> bool:
        """Run a decision that nobody waits for; says whether the shard was there to take it."""
        machine = self.machine
        if machine is None or self.is_closed or not self._leads():
            return False
        self._step(machine, partial(decide, machine), None)
        return True

    def _leads(self) -> bool:
        return self.partition.is_leader and self.partition.leader_epoch == self.leader_epoch

    def _on_done(self, ticket: Ticket, future: asyncio.Future[Any]) -> None:
        if not future.cancelled() or self._waiting.pop(ticket, None) is None:
            return
        self.tell(lambda machine, turn: machine.abandon(ticket, turn))

    # ---- one step

    def _step(
        self, machine: MachineT, decide: Callable[[Turn[Any]], None], ticket: Ticket | None
    ) -> None:
        """Decide, append and replay; nothing else runs between."""
        turn: Turn[Any] = Turn(Moment(self._clock.now_ms(), self._clock.timestamp_ms()))
        try:
            try:
                decide(turn)
            except ProtocolError as error:
                if ticket is None:
                    raise
                turn.answer(ticket, error)
            if turn.records:
                refusal = self._append(machine, turn)
                if refusal is not None:
                    turn.answers = [] if ticket is None else [(ticket, refusal)]
        except _AppendFailed as failure:
            self.discard(failure.error)
            return
        except Exception as error:
            # The machine may have changed half, or the log have taken half: only the log counts.
            if not isinstance(error, ProtocolError | OSError):
                logger.exception("%s failed; its state is discarded", self)
            self.discard(error)
            return
        for note in turn.notes:
            logger.info("%s: %s", self, note)
        for what, label, number in turn.counts:
            self._counts[what, label] += number
        self._answer(turn.answers)

    def _append(self, machine: MachineT, turn: Turn[Any]) -> ProtocolError | None:
        """Append all records, then replay them.

        The error when the log refused them for what their producer is: nothing has changed then,
        and one that was replaced must not cost everybody the state.
        """
        end = self.tail
        producer = turn.producer
        try:
            for builder in self._batches(machine, turn):
                end = self._append_batch(builder, producer)
        except ProtocolError as error:
            if producer is None or end != self.tail or error.code not in PRODUCER_REFUSALS:
                raise
            return error
        producer_id = None if producer is None else producer[0]
        for record in turn.records:
            machine.replay(record, producer_id)
        self.tail = end
        self.failure_count = 0
        return None

    def _batches(self, machine: MachineT, turn: Turn[Any]) -> Iterator[BatchBuilder]:
        timestamp_ms = turn.moment.timestamp_ms
        builder = BatchBuilder()
        for record in turn.records:
            key, value = machine.encode(record)
            size = len(key) + len(value or b"") + RECORD_OVERHEAD_MAX
            if builder.count and builder.size + size > self._limits.batch_bytes_max:
                yield builder
                builder = BatchBuilder()
            builder.append(key, value, (), timestamp_ms)
        yield builder

    def end_transaction(
        self, ticket: Ticket, future: asyncio.Future[Any], marker: TransactionMarker
    ) -> None:
        """Append the marker that ends a producer's transaction, and replay it in the same step.

        `future` is done once the marker is committed. Besides the errors of `submit`:
        TRANSACTION_COORDINATOR_FENCED, INVALID_PRODUCER_EPOCH.
        """

        def decide(machine: MachineT, ticket: Ticket, turn: Turn[Any]) -> None:
            try:
                appended = self.partition.append_marker(marker)
            except ProtocolError as error:
                if error.code in PRODUCER_REFUSALS:
                    raise
                # What the log took is not known: the state is discarded.
                raise _AppendFailed(error) from error
            machine.replay_end(marker.producer_id, is_commit=marker.is_commit)
            self.tail = appended.last_offset + 1
            turn.answer(ticket, None)

        self.submit(ticket, future, decide)

    def _append_batch(self, builder: BatchBuilder, producer: tuple[int, int] | None) -> int:
        if producer is None:
            batch = builder.build()
        else:
            batch = builder.build(
                producer_id=producer[0], producer_epoch=producer[1], transactional=True
            )
        appended = self.partition.append(
            memoryview(batch),
            acks=ACKS_ALL,
            internal=True,
            expected_leader_epoch=self.leader_epoch,
        )
        return appended.last_offset + 1

    # ---- answers

    def _answer(self, answers: list[tuple[Ticket, object]]) -> None:
        """Give answers once everything that they saw is committed."""
        outcomes = []
        for ticket, result in answers:
            future = self._waiting.pop(ticket, None)
            if future is not None and not future.done():
                outcomes.append((future, result))
        if not outcomes:
            return
        if self.partition.high_watermark >= self.tail and self._leads():
            _give(outcomes)
            return
        committed = self.partition.wait_committed(self.tail, self.leader_epoch)
        deadline_ms = self._clock.now_ms() + self._limits.commit_timeout_ms
        commit = _Commit(outcomes, deadline_ms, committed)
        self._commits.append(commit)
        committed.add_done_callback(partial(self._on_committed, commit))

    def _on_committed(self, commit: _Commit, committed: asyncio.Future[None]) -> None:
        if commit.is_settled:
            if not committed.cancelled():
                committed.exception()  # retrieved, so that asyncio does not log it
            return
        commit.is_settled = True
        self._commits.remove(commit)
        if committed.cancelled():
            _fail(commit, ProtocolError(ErrorCode.NOT_COORDINATOR, "the broker is stopping"))
        elif (error := committed.exception()) is not None:
            _fail(commit, translate(error))
        else:
            _give(commit.outcomes)

    # ---- time

    def next_deadline(self) -> int | None:
        """In monotonic ms; while loading, when to load (None when a task does)."""
        deadline = self._commits[0].deadline_ms if self._commits else None
        if self.machine is not None:
            other = self.machine.next_deadline()
        elif self.is_loading:
            other = None
        else:
            other = self.retry_at_ms
        if deadline is None or other is None:
            return other if deadline is None else deadline
        return min(deadline, other)

    def on_deadline(self, now_ms: int) -> None:
        """Give up on answers that waited too long and do a bounded part of the machine's work."""
        while self._commits and self._commits[0].deadline_ms <= now_ms:
            commit = self._commits.popleft()
            commit.is_settled = True
            commit.committed.cancel()
            _fail(
                commit,
                ProtocolError(
                    ErrorCode.COORDINATOR_NOT_AVAILABLE,
                    f"not replicated within {self._limits.commit_timeout_ms} ms",
                ),
            )
        if self.machine is not None:
            due = self.machine.next_deadline()
            if due is not None and due <= now_ms:
                self.tell(lambda machine, turn: machine.on_deadline(turn))

    # ---- life

    def wants_load(self, now_ms: int) -> bool:
        return self.machine is None and not self.is_loading and self.retry_at_ms <= now_ms

    def activate(self, machine: MachineT, end_offset: int) -> None:
        """The state is loaded and committed up to `end_offset` (exclusive): serve."""
        machine.loaded(Moment(self._clock.now_ms(), self._clock.timestamp_ms()))
        self.tail = end_offset
        self.machine = machine

    def note_failure(self) -> int:
        """Plan the next load; how long until then in ms, longer after each failure."""
        wait_ms = min(RETRY_MS_MIN << min(self.failure_count, 16), RETRY_MS_MAX)
        self.failure_count += 1
        self.retry_at_ms = self._clock.now_ms() + wait_ms
        return wait_ms

    def discard(self, error: BaseException) -> None:
        """Forget the state and tell those whose answer stood on what the log did not take."""
        self.machine = None
        wait_ms = self.note_failure()
        if not self.is_closed:
            logger.warning("%s discards its state, loads in %d ms: %s", self, wait_ms, error)
        self._fail_waiting(translate(error))

    def close(self) -> None:
        """The leadership moved: nobody here may answer for what the log says."""
        self.is_closed = True
        self.machine = None
        error = ProtocolError(ErrorCode.NOT_COORDINATOR, "the leadership moved")
        self._fail_waiting(error)
        commits, self._commits = self._commits, deque()
        for commit in commits:
            commit.is_settled = True
            commit.committed.cancel()
            _fail(commit, error)

    def _fail_waiting(self, error: ProtocolError) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(error)

    def __str__(self) -> str:
        return f"coordinator partition {self.index}, epoch {self.leader_epoch}"


def _give(outcomes: list[tuple[asyncio.Future[Any], object]]) -> None:
    for future, result in outcomes:
        if future.done():
            continue
        if isinstance(result, ProtocolError):
            future.set_exception(result)
        else:
            future.set_result(result)


def _fail(commit: _Commit, error: ProtocolError) -> None:
    for future, _ in commit.outcomes:
        if not future.done():
            future.set_exception(error)
