"""Telling the controller what this broker can do with its replicas (SAFETY.md, rule 9).

A broker whose disk is full, whose log directory failed or whose log is damaged says so, and says it
when that is over. What is told is not an event but a difference: between what is so here and what
the applied metadata says. So whatever gets lost is told again, and once the two agree nothing is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias, assert_never

from broker.control.metadata_cache import MetadataCache, MetadataDelta
from broker.control.requests import ReplicaState
from controller.generated import control_pb2
from controller.generated import metadata_pb2 as pb
from controller.state import PartitionMetadata
from ottla.core.errors import ProtocolError
from ottla.core.identifiers import Uuid

logger = logging.getLogger(__name__)

BATCH_MAX: Final = 1_000
LOOK_MS: Final = 500
"""How often both sides are compared when nobody says that something has changed."""
PAUSE_MS_MIN: Final = 100
PAUSE_MS_MAX: Final = 5_000
METADATA_MS_MAX: Final = 2_000

PartitionId: TypeAlias = tuple[Uuid, int]
ReplicaStates = Callable[[], Mapping[PartitionId, ReplicaState]]
"""The replicas of this broker that are not able, and why."""
Send = Callable[[pb.ReportReplicas], Awaitable[control_pb2.ExecuteResponse]]

_STATES: Final = {
    ReplicaState.ABLE: pb.REPLICA_STATE_ABLE,
    ReplicaState.FULL: pb.REPLICA_STATE_FULL,
    ReplicaState.OFFLINE: pb.REPLICA_STATE_OFFLINE,
    ReplicaState.DAMAGED: pb.REPLICA_STATE_DAMAGED,
}


class ReplicaReports:
    """See the module. `changed` is set by whoever knows that a state is another one now; `send`
    carries a report, ProtocolError when it cannot."""

    def __init__(
        self,
        broker_id: int,
        cache: MetadataCache,
        states: ReplicaStates,
        changed: asyncio.Event,
        send: Send,
    ) -> None:
        self._broker_id = broker_id
        self._cache = cache
        self._states = states
        self._changed = changed
        self._send = send
        self._noted: set[PartitionId] = set()
        """Of which the metadata says that our replica is not able."""
        cache.subscribe(self._on_delta)

    def _on_delta(self, delta: MetadataDelta) -> None:
        if delta.snapshot:
            self._noted.clear()
        elif delta.deleted:
            self._noted = {key for key in self._noted if key[0] not in delta.deleted}
        topics = self._cache.state.topics
        for topic_id in delta.topics:
            topic = topics.get(topic_id)
            for partition in topic.partitions if topic is not None else ():
                key = (topic_id, partition.index)
                if self._broker_id in (*partition.offline_replicas, *partition.full_replicas):
                    self._noted.add(key)
                else:
                    self._noted.discard(key)

    async def run(self) -> None:
        pause_ms = PAUSE_MS_MIN
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_MS / 1000):
                    await self._changed.wait()
            self._changed.clear()
            try:
                await self._report()
                pause_ms = PAUSE_MS_MIN
            except ProtocolError as error:
                logger.info("what became of replicas was not told: %s", error)
                await asyncio.sleep(pause_ms / 1000)
                pause_ms = min(2 * pause_ms, PAUSE_MS_MAX)
                self._changed.set()

    async def _report(self) -> None:
        """Tell what differs now, in batches."""
        untold = self._untold()
        while untold:
            batch, untold = untold[:BATCH_MAX], untold[BATCH_MAX:]
            report = pb.ReportReplicas(
                partitions=[
                    pb.ReplicaReport(topic_id=topic_id, index=index, state=_STATES[state])
                    for (topic_id, index), state in batch
                ]
            )
            response = await self._send(report)
            # What is applied here is what the next comparison goes by.
            await self._cache.wait_offset(response.offset, METADATA_MS_MAX)

    def _untold(self) -> list[tuple[PartitionId, ReplicaState]]:
        states = self._states()
        untold = []
        for key in sorted({*states, *self._noted}):
            partition = self._cache.state.partition(*key)
            state = states.get(key, ReplicaState.ABLE)
            if partition is not None and not self._is_told(partition, state):
                untold.append((key, state))
        return untold

    def _is_told(self, partition: PartitionMetadata, state: ReplicaState) -> bool:
        us = self._broker_id
        if us not in partition.replicas:
            return True
        offline, full = us in partition.offline_replicas, us in partition.full_replicas
        match state:
            case ReplicaState.ABLE:
                return not offline and not full
            case ReplicaState.FULL:
                return full
            case ReplicaState.OFFLINE | ReplicaState.DAMAGED:
                return offline
            case _:
                assert_never(state)
