"""Runs a pure coordinator over the partitions of an internal topic that this broker leads.

Becoming leader opens a shard, which loads; losing the leadership, or a new leader epoch, closes it.
Requests are routed by partition. All time is data: `next_deadline()` says when `on_deadline()`
wants to be called, and `run()` is the shell that does so.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, Generic

from broker.coordinator.loading import LoadResult, replay_log, wait_loaded
from broker.coordinator.machine import Ticket, Turn
from broker.coordinator.replicated_partition import ReplicatedPartition
from broker.coordinator.shard import MachineT, Shard, ShardLimits
from broker.metrics.durations import Durations
from broker.transactions.seams import TransactionMarker
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, OttlaError, ProtocolError

logger = logging.getLogger(__name__)

LOADS_MAX: Final = 4
"""Shards that load at once: more would only share the one core and hold more slices in memory."""
_FAR_MS: Final = 2**62


class CoordinatorRuntime(Generic[MachineT]):
    """The shards of one internal topic."""

    def __init__(
        self,
        topic: str,
        make_machine: Callable[[int], MachineT],
        partition_at: Callable[[int], ReplicatedPartition],
        clock: Clock,
        limits: ShardLimits | None = None,
    ) -> None:
        """`make_machine(index)` gives an empty state; `partition_at` may raise ProtocolError."""
        self.topic = topic
        self._make_machine = make_machine
        self._partition_at = partition_at
        self._clock = clock
        self._limits = limits or ShardLimits()
        self._shards: dict[int, Shard[MachineT]] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        """(what, label) → how many, as the machines counted."""
        self.loads = Durations()
        self.load_failures = 0
        self.loaded_records = 0
        self._last_ticket: Ticket = 0
        self._wake = asyncio.Event()
        self._asleep_until_ms = _FAR_MS

    # ---- leadership

    def on_leadership(self, index: int, leader_epoch: int, is_leader: bool) -> None:
        """This broker began or ceased to lead partition `index`; called on the loop, in order."""
        shard = self._shards.get(index)
        if shard is not None:
            if is_leader and shard.leader_epoch == leader_epoch:
                return
            del self._shards[index]
            shard.close()
        if not is_leader:
            return
        try:
            partition = self._partition_at(index)
        except ProtocolError as error:
            logger.warning("%s-%d is led here but cannot be used: %s", self.topic, index, error)
            return
        self._shards[index] = Shard(
            index, leader_epoch, partition, self._clock, self._limits, self.counts
        )
        self._wake.set()

    @property
    def indexes(self) -> tuple[int, ...]:
        """The partitions that this broker coordinates, those that load included."""
        return tuple(self._shards)

    def leader_epoch(self, index: int) -> int | None:
        """Of the partition as it is coordinated here; None when it is not."""
        shard = self._shards.get(index)
        return None if shard is None else shard.leader_epoch

    def is_active(self, index: int) -> bool:
        """Whether requests for the partition are served."""
        shard = self._shards.get(index)
        return shard is not None and shard.machine is not None

    def machines(self) -> tuple[MachineT, ...]:
        """The states of the partitions that are active here, to be read."""
        return tuple(s.machine for s in self._shards.values() if s.machine is not None)

    # ---- requests

    def submit(
        self, index: int, decide: Callable[[MachineT, Ticket, Turn[Any]], None]
    ) -> asyncio.Future[Any]:
        """Decide now; the future is the answer once everything that it saw is committed.

        Its ProtocolErrors are ready for clients: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS,
        COORDINATOR_NOT_AVAILABLE, UNKNOWN_SERVER_ERROR and those of `decide`. Cancelling the future
        abandons the request.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        shard = self._shards.get(index)
        if shard is None:
            future.set_exception(
                ProtocolError(ErrorCode.NOT_COORDINATOR, f"{self.topic}-{index} is led elsewhere")
            )
            return future
        self._last_ticket += 1
        shard.submit(self._last_ticket, future, decide)
        self._maybe_wake(shard)
        return future

    def end_transaction(self, index: int, marker: TransactionMarker) -> asyncio.Future[None]:
        """End a producer's transaction in partition `index`; see `Shard.end_transaction`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        shard = self._shards.get(index)
        if shard is None:
            future.set_exception(
                ProtocolError(ErrorCode.NOT_COORDINATOR, f"{self.topic}-{index} is led elsewhere")
            )
            return future
        self._last_ticket += 1
        shard.end_transaction(self._last_ticket, future, marker)
        self._maybe_wake(shard)
        return future

    def tell(self, index: int, decide: Callable[[MachineT, Turn[Any]], None]) -> bool:
        """A decision that nobody waits for; False when the partition is not active here."""
        shard = self._shards.get(index)
        if shard is None:
            return False
        was_taken = shard.tell(decide)
        self._maybe_wake(shard)
        return was_taken

    # ---- time

    def next_deadline(self) -> int | None:
        """When `on_deadline` is wanted, in monotonic ms."""
        deadlines = [shard.next_deadline() for shard in self._shards.values()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def on_deadline(self, now_ms: int) -> None:
        """Do a bounded part of what is due."""
        for shard in tuple(self._shards.values()):
            shard.on_deadline(now_ms)

    def _maybe_wake(self, shard: Shard[MachineT]) -> None:
        deadline = shard.next_deadline()
        if deadline is not None and deadline < self._asleep_until_ms:
            self._wake.set()

    async def run(self) -> None:
        """Load shards and keep time until cancelled; then nobody waits here any longer."""
        slots = asyncio.Semaphore(LOADS_MAX)
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._wake.clear()
                    now_ms = self._clock.now_ms()
                    self.on_deadline(now_ms)
                    for shard in self._shards.values():
                        if shard.wants_load(now_ms):
                            shard.is_loading = True
                            tasks.create_task(self._load(shard, slots))
                    await self._sleep(now_ms)
        finally:
            self.close()

    async def _sleep(self, now_ms: int) -> None:
        deadline = self.next_deadline()
        if deadline is not None and deadline <= now_ms:
            await asyncio.sleep(0)  # the rest of a bounded part, after whoever waits for the loop
            return
        self._asleep_until_ms = _FAR_MS if deadline is None else deadline
        wait_s = None if deadline is None else (deadline - now_ms) / 1000
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        finally:
            self._asleep_until_ms = _FAR_MS

    async def _load(self, shard: Shard[MachineT], slots: asyncio.Semaphore) -> None:
        """Load one shard; on failure plan another try. Never raises but for a cancellation."""
        started_ms = self._clock.now_ms()
        machine = self._make_machine(shard.index)
        try:
            async with slots:
                result = await replay_log(machine, shard.partition, shard.leader_epoch)
            # Without the slot: this one may wait for a replica while others have theirs.
            await wait_loaded(shard.partition, shard.leader_epoch, result)
        except (OttlaError, OSError) as error:
            self._load_failed(shard, error)
        except Exception as error:
            logger.exception("%s-%d: loading failed", self.topic, shard.index)
            self._load_failed(shard, error)
        else:
            self._load_succeeded(shard, machine, result, self._clock.now_ms() - started_ms)

    def _load_succeeded(
        self, shard: Shard[MachineT], machine: MachineT, result: LoadResult, took_ms: int
    ) -> None:
        shard.is_loading = False
        self.loads.note(took_ms * 1_000_000)
        self.loaded_records += result.record_count
        if shard.is_closed:
            return
        shard.activate(machine, result.end_offset)
        self._wake.set()
        logger.log(
            logging.INFO if result.record_count else logging.DEBUG,
            "%s-%d, epoch %d: loaded %d records in %d ms (%d of unknown kinds)",
            self.topic,
            shard.index,
            shard.leader_epoch,
            result.record_count,
            took_ms,
            result.skipped_count,
        )

    def _load_failed(self, shard: Shard[MachineT], error: Exception) -> None:
        shard.is_loading = False
        if shard.is_closed:
            return
        self.load_failures += 1
        wait_ms = shard.note_failure()
        self._wake.set()
        logger.warning(
            "%s-%d, epoch %d: not loaded, next try in %d ms: %s",
            self.topic,
            shard.index,
            shard.leader_epoch,
            wait_ms,
            error,
        )

    def close(self) -> None:
        """Answer NOT_COORDINATOR to all who wait; the broker stops."""
        shards, self._shards = self._shards, {}
        for shard in shards.values():
            shard.close()
