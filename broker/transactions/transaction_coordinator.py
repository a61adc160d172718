"""The room's front: what handlers and the internal channel call.

Routes each request to the partition of __transaction_state that its transactional id hashes to
(rule 16 of the safety rules), bounds what a client may ask, gets producer ids, and has the markers
of decided transactions written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from broker.coordinator.internal_topic import InternalTopic, MetadataSource, TopicCreator
from broker.coordinator.machine import Ticket, Turn
from broker.coordinator.replicated_partition import ReplicatedPartition
from broker.coordinator.runtime import CoordinatorRuntime
from broker.coordinator.shard import ShardLimits
from broker.replication.seams import LeadershipChange
from broker.transactions.machine import TransactionMachine
from broker.transactions.marker_sender import MarkerSender
from broker.transactions.requests import (
    AddRequest,
    EndRequest,
    InitRequest,
    NeedsProducerId,
    Prepared,
    ProducerIdentity,
    TransactionListing,
)
from broker.transactions.seams import MarkerChannel, TopicPartition
from broker.transactions.settings import TransactionSettings
from broker.transactions.stored import (
    TEXT_BYTES_MAX,
    VERSION_BUMPING,
    VERSION_CLASSIC,
    StoredTransaction,
)
from controller.state import PartitionMetadata
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.hashing import coordinator_partition

logger = logging.getLogger(__name__)

TOPIC: Final = "__transaction_state"
LOOK_MS: Final = 100
"""How often time-outs and takeovers are looked for; what a client ends is written at once."""
FAILED_SECONDS: Final = 5.0
COMPLETIONS_MAX: Final = 1_000
"""Transactions whose markers are written at once."""

_Decide = Callable[[TransactionMachine, Ticket, Turn[Any]], None]


class Replicas(Protocol):
    """broker.replication.manager.ReplicaManager."""

    def partition(self, topic: str, index: int) -> ReplicatedPartition: ...

    def add_leadership_listener(self, listener: Callable[[LeadershipChange], None]) -> None: ...


class TransactionCoordinator:
    """See the module. `take_producer_id` gives an id that nobody has had; its errors are answered
    COORDINATOR_NOT_AVAILABLE."""

    def __init__(
        self,
        replicas: Replicas,
        metadata: MetadataSource,
        controller: TopicCreator,
        take_producer_id: Callable[[], Awaitable[int]],
        channel: MarkerChannel,
        settings: TransactionSettings,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._take_producer_id = take_producer_id
        self.topic = InternalTopic(
            TOPIC,
            settings.topic_num_partitions,
            settings.topic_replication_factor,
            metadata,
            controller,
            replication_setting="transaction.state.log.replication.factor",
        )
        self.runtime: CoordinatorRuntime[TransactionMachine] = CoordinatorRuntime(
            TOPIC,
            lambda index: TransactionMachine(settings),
            lambda index: replicas.partition(TOPIC, index),
            clock,
            ShardLimits(settings.commit_timeout_ms, settings.record_bytes_max),
        )
        self._sender = MarkerSender(channel, metadata)
        self._decided = asyncio.Event()
        self._looking: set[int] = set()
        """Partitions whose prepared transactions are being asked for."""
        self._completing: set[tuple[int, int, str]] = set()
        """(partition, leader epoch, transactional id) whose markers are being written."""
        replicas.add_leadership_listener(self._on_leadership)

    async def run(self) -> None:
        """Load, keep time and write markers until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.runtime.run())
            tasks.create_task(self._complete_all())

    def partition_of(self, transactional_id: str) -> PartitionMetadata | None:
        """The partition that owns the id; None while __transaction_state does not exist."""
        topic = self.topic.metadata
        if topic is None or not topic.partitions:
            return None
        return topic.partitions[coordinator_partition(transactional_id, len(topic.partitions))]

    # ---- producers

    async def init_producer_id(
        self, transactional_id: str, timeout_ms: int, expected: ProducerIdentity | None
    ) -> ProducerIdentity:
        """INVALID_TRANSACTION_TIMEOUT, INVALID_REQUEST, CONCURRENT_TRANSACTIONS, PRODUCER_FENCED,
        and the coordinator's own codes."""
        if not transactional_id:
            raise ProtocolError(ErrorCode.INVALID_REQUEST, "the transactional id is empty")
        if not 0 < timeout_ms <= self._settings.timeout_ms_max:
            raise ProtocolError(
                ErrorCode.INVALID_TRANSACTION_TIMEOUT,
                f"transaction.timeout.ms must be between 1 and {self._settings.timeout_ms_max}, "
                f"the broker's transaction.max.timeout.ms; it is {timeout_ms}",
            )

        def decide(fresh: int | None) -> _Decide:
            request = InitRequest(transactional_id, timeout_ms, expected, fresh)
            return lambda m, ticket, turn: m.init(request, ticket, turn)

        try:
            return await self._with_producer_id(transactional_id, decide)
        finally:
            self._decided.set()

    def add_partitions(
        self,
        transactional_id: str,
        identity: ProducerIdentity,
        partitions: Sequence[TopicPartition],
        *,
        client_version: int = VERSION_CLASSIC,
        verify_only: bool = False,
    ) -> asyncio.Future[list[ErrorCode]]:
        """A code for each partition; see `decide_add`."""
        request = AddRequest(
            transactional_id, identity, tuple(partitions), client_version, verify_only
        )
        return self._submit(transactional_id, lambda m, ticket, turn: m.add(request, ticket, turn))

    def admit(
        self,
        transactional_id: str,
        producer_id: int,
        producer_epoch: int,
        partitions: Sequence[TopicPartition],
        *,
        verify_only: bool,
    ) -> asyncio.Future[list[ErrorCode]]:
        """What a partition's leader asks (KIP-890): see TransactionGate."""
        return self.add_partitions(
            transactional_id,
            ProducerIdentity(producer_id, producer_epoch),
            partitions,
            client_version=VERSION_BUMPING,
            verify_only=verify_only,
        )

    async def end(
        self,
        transactional_id: str,
        identity: ProducerIdentity,
        *,
        is_commit: bool,
        client_version: int,
    ) -> ProducerIdentity:
        """Decide the end; the identity to go on with. See `decide_end` for errors."""

        def decide(fresh: int | None) -> _Decide:
            request = EndRequest(transactional_id, identity, is_commit, client_version, fresh)
            return lambda m, ticket, turn: m.end(request, ticket, turn)

        try:
            return await self._with_producer_id(transactional_id, decide)
        finally:
            self._decided.set()

    async def _with_producer_id(
        self, transactional_id: str, decide: Callable[[int | None], _Decide]
    ) -> ProducerIdentity:
        """Run a decision; once more with a producer id if it needs one."""
        result = await self._submit(transactional_id, decide(None))
        if isinstance(result, NeedsProducerId):
            try:
                async with asyncio.timeout(self._settings.commit_timeout_ms / 1000):
                    fresh = await self._take_producer_id()
            except (ProtocolError, TimeoutError) as error:
                raise ProtocolError(
                    ErrorCode.COORDINATOR_NOT_AVAILABLE, f"no producer id could be had: {error}"
                ) from error
            result = await self._submit(transactional_id, decide(fresh))
        identity: ProducerIdentity = result
        return identity

    # ---- tools

    def describe(self, transactional_id: str) -> asyncio.Future[StoredTransaction]:
        """TRANSACTIONAL_ID_NOT_FOUND."""
        return self._submit(
            transactional_id, lambda m, ticket, turn: m.describe(transactional_id, ticket, turn)
        )

    async def list_transactions(self) -> list[TransactionListing]:
        """All of the partitions that are led here; COORDINATOR_LOAD_IN_PROGRESS."""
        listings: list[TransactionListing] = []
        indexes = self.runtime.indexes
        futures = [self.runtime.submit(i, TransactionMachine.list_transactions) for i in indexes]
        for result in await asyncio.gather(*futures, return_exceptions=True):
            if isinstance(result, list):
                listings += result
            elif not (
                isinstance(result, ProtocolError) and result.code is ErrorCode.NOT_COORDINATOR
            ):
                raise result
        return listings

    # ---- routing

    def _submit(self, transactional_id: str, decide: _Decide) -> asyncio.Future[Any]:
        if not transactional_id or len(transactional_id.encode()) > TEXT_BYTES_MAX:
            return _refused(
                ErrorCode.INVALID_REQUEST, "a transactional id has 1 to 32767 bytes of UTF-8"
            )
        partition = self.partition_of(transactional_id)
        if partition is None:
            return _refused(ErrorCode.NOT_COORDINATOR, f"{TOPIC} does not exist yet")
        return self.runtime.submit(partition.index, decide)

    def _on_leadership(self, change: LeadershipChange) -> None:
        if change.topic == TOPIC:
            self.runtime.on_leadership(change.index, change.leader_epoch, change.is_leader)

    # ---- completion

    async def _complete_all(self) -> None:
        """Start the completion of every transaction whose end is decided."""
        slots = asyncio.Semaphore(COMPLETIONS_MAX)
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    async with asyncio.timeout(LOOK_MS / 1000):
                        await self._decided.wait()
                except TimeoutError:
                    pass
                self._decided.clear()
                for index in self.runtime.indexes:
                    if index not in self._looking and self._has_prepared(index):
                        self._looking.add(index)
                        tasks.create_task(self._complete_some(index, tasks, slots))

    def _has_prepared(self, index: int) -> bool:
        found: list[bool] = []
        self.runtime.tell(index, lambda m, turn: found.append(m.has_prepared))
        return any(found)

    async def _complete_some(
        self, index: int, tasks: asyncio.TaskGroup, slots: asyncio.Semaphore
    ) -> None:
        leader_epoch = self.runtime.leader_epoch(index) or 0
        try:
            decided: list[Prepared] = await self.runtime.submit(index, TransactionMachine.prepared)
            for prepared in decided:
                key = (index, leader_epoch, prepared.transactional_id)
                if key in self._completing:
                    continue
                await slots.acquire()
                self._completing.add(key)
                tasks.create_task(self._complete(key, prepared, slots))
        except ProtocolError:
            # Not committed yet, or loaded anew: what is prepared is found at another look.
            return
        finally:
            self._looking.discard(index)

    async def _complete(
        self, key: tuple[int, int, str], prepared: Prepared, slots: asyncio.Semaphore
    ) -> None:
        """Write the markers of one transaction, then that they are written."""
        index, leader_epoch, transactional_id = key

        def is_current() -> bool:
            return self.runtime.leader_epoch(index) == leader_epoch

        try:
            if not await self._sender.write_all(prepared, leader_epoch, is_current):
                return
            if is_current():
                await self.runtime.submit(
                    index, lambda m, ticket, turn: m.completed(prepared, ticket, turn)
                )
        except ProtocolError as error:
            # It is found prepared at another look, or complete.
            logger.info("transactional id %s: %s", transactional_id, error)
        except Exception:
            # It stays prepared: looked at again, but not ten times a second.
            logger.exception("transactional id %s: not completed", transactional_id)
            await asyncio.sleep(FAILED_SECONDS)
        finally:
            self._completing.discard(key)
            slots.release()


def _refused(code: ErrorCode, message: str) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_exception(ProtocolError(code, message))
    return future
