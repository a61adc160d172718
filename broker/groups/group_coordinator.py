"""The room's front: what handlers call.

Routes each request to the partition of __consumer_offsets that its group id hashes to (rule 16 of
the safety rules) and refuses what no group would take. Every method decides before it returns, in
the order of the connection; the future is the answer, and cancelling it tells that the client is
gone.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from broker.control.metadata_cache import MetadataDelta
from broker.coordinator.internal_topic import TOPIC, InternalTopic, MetadataSource, TopicCreator
from broker.coordinator.machine import Ticket, Turn
from broker.coordinator.replicated_partition import ReplicatedPartition
from broker.coordinator.runtime import CoordinatorRuntime
from broker.coordinator.shard import ShardLimits
from broker.groups.consumer.requests import (
    STATIC_LEAVE_EPOCH,
    ConsumerGroupDescription,
    ConsumerHeartbeat,
    ConsumerHeartbeatResult,
    TopicsView,
)
from broker.groups.machine import GroupMachine
from broker.groups.requests import (
    CommitRequest,
    FetchedOffset,
    FetchRequest,
    GroupDescription,
    GroupListing,
    HeartbeatRequest,
    JoinRequest,
    JoinResult,
    LeaveRequest,
    SyncRequest,
    SyncResult,
)
from broker.groups.settings import GroupSettings
from broker.groups.stored import TEXT_BYTES_MAX
from broker.replication.seams import LeadershipChange
from broker.transactions.seams import TransactionMarker
from controller.state import GROUP, PartitionMetadata
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.hashing import coordinator_partition
from ottla.core.identifiers import NIL_UUID, Uuid

_Decide = Callable[[GroupMachine, Ticket, Turn[Any]], None]


class Replicas(Protocol):
    """broker.replication.manager.ReplicaManager."""

    def partition(self, topic: str, index: int) -> ReplicatedPartition: ...

    def add_leadership_listener(self, listener: Callable[[LeadershipChange], None]) -> None: ...


class Metadata(MetadataSource, Protocol):
    """broker.control.metadata_cache.MetadataCache."""

    def subscribe(self, listener: Callable[[MetadataDelta], None]) -> Callable[[], None]: ...


class GroupCoordinator:
    """See the module."""

    def __init__(
        self,
        replicas: Replicas,
        metadata: Metadata,
        controller: TopicCreator,
        settings: GroupSettings,
        clock: Clock,
        source: random.Random | None = None,
    ) -> None:
        self._metadata = metadata
        self._settings = settings
        self._random: Final = source or random.SystemRandom()
        self.topic = InternalTopic(
            TOPIC,
            settings.offsets_topic_num_partitions,
            settings.offsets_topic_replication_factor,
            metadata,
            controller,
        )
        self.runtime: CoordinatorRuntime[GroupMachine] = CoordinatorRuntime(
            TOPIC,
            lambda index: GroupMachine(settings, self.topics_view, self._group_configs),
            lambda index: replicas.partition(TOPIC, index),
            clock,
            ShardLimits(settings.commit_timeout_ms, settings.record_bytes_max),
        )
        self._unknown_topic_ids: set[Uuid] = set()
        self._view: TopicsView | None = None
        self._view_version = 0
        replicas.add_leadership_listener(self._on_leadership)
        metadata.subscribe(self._on_metadata)

    async def run(self) -> None:
        """Load, keep time and tidy up until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.runtime.run())
            tasks.create_task(self._tidy())

    # ---- where a group lives

    def partition_of(self, group_id: str) -> PartitionMetadata | None:
        """The partition that owns the group; None while __consumer_offsets does not exist."""
        topic = self.topic.metadata
        if topic is None or not topic.partitions:
            return None
        return topic.partitions[coordinator_partition(group_id, len(topic.partitions))]

    def new_member_id(self, prefix: str) -> str:
        """An id as Kafka gives them: the client's or instance's name and a UUID."""
        return f"{prefix}-{uuid.UUID(int=self._random.getrandbits(128), version=4)}"

    # ---- members

    def join(self, request: JoinRequest) -> asyncio.Future[JoinResult]:
        """INVALID_SESSION_TIMEOUT, INVALID_REQUEST and what `decide_join` raises."""
        settings = self._settings
        timeout_ms = request.session_timeout_ms
        if not settings.min_session_timeout_ms <= timeout_ms <= settings.max_session_timeout_ms:
            return _refused(
                ErrorCode.INVALID_SESSION_TIMEOUT,
                f"session.timeout.ms must be between {settings.min_session_timeout_ms} and "
                f"{settings.max_session_timeout_ms}, not {timeout_ms}",
            )
        texts = [request.member_id, request.fresh_member_id, request.instance_id or ""]
        texts += [request.client_id, request.protocol_type, *dict(request.protocols)]
        if not _fit_a_record(texts):
            return _refused(ErrorCode.INVALID_REQUEST, "a name is longer than 32767 bytes")
        return self._submit(request.group_id, lambda m, ticket, turn: m.join(request, ticket, turn))

    def sync(self, request: SyncRequest) -> asyncio.Future[SyncResult]:
        return self._submit(request.group_id, lambda m, ticket, turn: m.sync(request, ticket, turn))

    def heartbeat(self, request: HeartbeatRequest) -> asyncio.Future[None]:
        return self._submit(
            request.group_id, lambda m, ticket, turn: m.heartbeat(request, ticket, turn)
        )

    def consumer_heartbeat(
        self, request: ConsumerHeartbeat
    ) -> asyncio.Future[ConsumerHeartbeatResult]:
        """KIP-848."""
        texts = [request.member_id, request.instance_id or "", request.rack_id or ""]
        texts += [request.client_id, *(request.topics or ())]
        if "" in (request.member_id, request.instance_id, request.rack_id, request.assignor):
            return _refused(
                ErrorCode.INVALID_REQUEST,
                "member id, instance id, rack id and assignor must not be empty",
            )
        if request.member_epoch == STATIC_LEAVE_EPOCH and request.instance_id is None:
            return _refused(ErrorCode.INVALID_REQUEST, "a member without instance id leaves by -1")
        if not _fit_a_record(texts):
            return _refused(ErrorCode.INVALID_REQUEST, "a name is longer than 32767 bytes")
        return self._submit(
            request.group_id, lambda m, ticket, turn: m.consumer_heartbeat(request, ticket, turn)
        )

    def leave(self, request: LeaveRequest) -> asyncio.Future[list[ErrorCode]]:
        """A code for each member."""
        return self._submit(
            request.group_id, lambda m, ticket, turn: m.leave(request, ticket, turn)
        )

    # ---- offsets

    def commit(self, request: CommitRequest) -> asyncio.Future[list[ErrorCode]]:
        """A code for each offset."""
        return self._submit(
            request.group_id,
            lambda m, ticket, turn: m.commit(request, ticket, turn),
            may_be_empty=True,
        )

    def fetch(self, request: FetchRequest) -> asyncio.Future[list[FetchedOffset]]:
        """Committed offsets, those of deleted topics included: see `is_current`."""
        return self._submit(
            request.group_id,
            lambda m, ticket, turn: m.fetch(request, ticket, turn),
            may_be_empty=True,
        )

    def is_current(self, fetched: FetchedOffset) -> bool:
        """Whether an offset was committed for the topic that has this name now."""
        if fetched.committed is None or fetched.committed.topic_id == NIL_UUID:
            return True
        current = self._metadata.state.topic_ids.get(fetched.topic)
        return current is None or current == fetched.committed.topic_id

    def end_transaction(self, index: int, marker: TransactionMarker) -> asyncio.Future[None]:
        """Write a transaction's marker to partition `index` of __consumer_offsets; the offsets of
        the transaction count, or are dropped, in the same step."""
        return self.runtime.end_transaction(index, marker)

    def commit_in_transaction(
        self, request: CommitRequest, producer_id: int, producer_epoch: int
    ) -> asyncio.Future[list[ErrorCode]]:
        """Offsets that count once the producer's transaction is committed; a code for each."""
        return self._submit(
            request.group_id,
            lambda m, ticket, turn: m.commit_in_transaction(
                request, (producer_id, producer_epoch), ticket, turn
            ),
        )

    # ---- tools

    def describe(self, group_id: str) -> asyncio.Future[GroupDescription]:
        return self._submit(
            group_id,
            lambda m, ticket, turn: m.describe(group_id, ticket, turn),
            may_be_empty=True,
        )

    def describe_consumers(self, group_id: str) -> asyncio.Future[ConsumerGroupDescription]:
        """A group of the consumer protocol (KIP-848)."""
        return self._submit(
            group_id,
            lambda m, ticket, turn: m.describe_consumers(group_id, ticket, turn),
            may_be_empty=True,
        )

    def delete(self, group_id: str) -> asyncio.Future[None]:
        return self._submit(group_id, lambda m, ticket, turn: m.delete(group_id, ticket, turn))

    def delete_offsets(
        self, group_id: str, partitions: Sequence[tuple[str, int]]
    ) -> asyncio.Future[list[ErrorCode]]:
        """A code for each partition."""
        return self._submit(
            group_id,
            lambda m, ticket, turn: m.delete_offsets(group_id, partitions, ticket, turn),
            may_be_empty=True,
        )

    async def list_groups(self) -> list[GroupListing]:
        """All groups of the partitions that are led here; COORDINATOR_LOAD_IN_PROGRESS."""
        listings: list[GroupListing] = []
        futures = [self.runtime.submit(i, GroupMachine.list_groups) for i in self.runtime.indexes]
        for result in await asyncio.gather(*futures, return_exceptions=True):
            if isinstance(result, list):
                listings += result
            elif not _is_moved(result):
                raise result
        return listings

    # ---- routing

    def _submit(
        self, group_id: str, decide: _Decide, *, may_be_empty: bool = False
    ) -> asyncio.Future[Any]:
        """An empty group id is as good as any for offsets (KIP-289), but no group has members."""
        if not group_id and not may_be_empty:
            return _refused(ErrorCode.INVALID_GROUP_ID, "the group id is empty")
        if not _fit_a_record([group_id]):
            return _refused(ErrorCode.INVALID_GROUP_ID, "the group id is longer than 32767 bytes")
        partition = self.partition_of(group_id)
        if partition is None:
            return _refused(ErrorCode.NOT_COORDINATOR, f"{TOPIC} does not exist yet")
        return self.runtime.submit(partition.index, decide)

    # ---- what happens elsewhere

    def _group_configs(self, group_id: str) -> Mapping[str, str]:
        return self._metadata.state.configs.get((GROUP, group_id), {})

    def topics_view(self) -> TopicsView:
        """The topics as this broker knows them now; made once for each change of them."""
        if self._view is None:
            topics = self._metadata.state.topics.values()
            self._view = TopicsView(
                {t.name: (t.topic_id, len(t.partitions)) for t in topics}, self._view_version
            )
        return self._view

    def _on_leadership(self, change: LeadershipChange) -> None:
        if change.topic == TOPIC:
            self.runtime.on_leadership(change.index, change.leader_epoch, change.is_leader)

    def _on_metadata(self, delta: MetadataDelta) -> None:
        if delta.topics or delta.deleted or delta.snapshot:
            self._view = None
            self._view_version += 1
        if delta.deleted:
            self._forget_topics(dict(delta.deleted), just_now=True)

    def _forget_topics(self, deleted: Mapping[Uuid, str], *, just_now: bool) -> None:
        for index in self.runtime.indexes:
            self.runtime.tell(
                index,
                lambda machine, turn: machine.forget_topics(deleted, turn, just_now=just_now),
            )

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(self._settings.offsets_retention_check_interval_ms / 1000)
            self.forget_vanished_topics()

    def forget_vanished_topics(self) -> None:
        """Drop offsets of topics that were deleted while their partition of ours was moving.

        A topic counts as deleted when it is unknown at two calls in a row, a check interval apart:
        metadata that lags behind what another coordinator stored has caught up by then.
        """
        known = self._metadata.state.topics
        unknown: dict[Uuid, str] = {}
        for index in self.runtime.indexes:
            self.runtime.tell(
                index,
                lambda machine, turn: unknown.update(
                    (topic_id, topic)
                    for topic, topic_id in machine.offsets.topic_ids()
                    if topic_id != NIL_UUID and topic_id not in known
                ),
            )
        vanished = {i: name for i, name in unknown.items() if i in self._unknown_topic_ids}
        if vanished:
            self._forget_topics(vanished, just_now=False)
        self._unknown_topic_ids = set(unknown)


def _fit_a_record(texts: Iterable[str]) -> bool:
    # Four bytes a character at most: short texts need not be encoded to know.
    return all(
        len(text) <= TEXT_BYTES_MAX // 4 or len(text.encode()) <= TEXT_BYTES_MAX for text in texts
    )


def _is_moved(error: BaseException) -> bool:
    return isinstance(error, ProtocolError) and error.code is ErrorCode.NOT_COORDINATOR


def _refused(code: ErrorCode, message: str) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_exception(ProtocolError(code, message))
    return future
