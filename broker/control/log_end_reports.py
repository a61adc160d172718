"""Telling the controller where logs end, of partitions that nobody may lead (SAFETY.md, rule 2).

When every member that could have led has perhaps lost data, the controller waits for what all of
them have, and elects the longest log. A broker sees in its metadata that it is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from broker.control.metadata_cache import MetadataCache, MetadataDelta
from broker.control.requests import LogPosition
from controller.elections import awaits_log_ends
from controller.generated import metadata_pb2 as pb
from controller.state import PartitionMetadata
from ottla.core.errors import ProtocolError
from ottla.core.identifiers import Uuid

PartitionId = tuple[Uuid, int]
LogPositions = Callable[[Sequence[PartitionId]], Sequence[LogPosition]]
"""The positions of those of the named logs that are open and on a working disk."""
RETRY_MS = 300


class LogEndReports:
    """See the module. `send` carries a report; ProtocolError when it cannot."""

    def __init__(
        self,
        broker_id: int,
        cache: MetadataCache,
        positions: LogPositions,
        send: Callable[[pb.ReportLogEnds], Awaitable[object]],
    ) -> None:
        self._broker_id = broker_id
        self._cache = cache
        self._positions = positions
        self._send = send
        self._wanted: set[PartitionId] = set()
        self._wake = asyncio.Event()
        cache.subscribe(self._on_delta)

    def _on_delta(self, delta: MetadataDelta) -> None:
        topics = self._cache.state.topics
        for topic_id in delta.topics:
            topic = topics.get(topic_id)
            for partition in topic.partitions if topic is not None else ():
                if self._is_asked(partition):
                    self._wanted.add((topic_id, partition.index))
        if self._wanted:
            self._wake.set()

    def _is_asked(self, partition: PartitionMetadata) -> bool:
        """It waits for log ends, and has none of this incarnation of ours."""
        if self._broker_id not in partition.replicas or not awaits_log_ends(partition):
            return False
        us = self._cache.state.brokers.get(self._broker_id)
        return us is not None and not any(
            end.broker_id == self._broker_id and end.broker_epoch == us.broker_epoch
            for end in partition.log_ends
        )

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._report()
            if self._wanted:
                # A log that is still being recovered, or a controller that is being replaced.
                await asyncio.sleep(RETRY_MS / 1000)
                self._wake.set()

    async def _report(self) -> None:
        state = self._cache.state
        for key in tuple(self._wanted):
            partition = state.partition(*key)
            if partition is None or not self._is_asked(partition):
                self._wanted.discard(key)
        positions = self._positions(sorted(self._wanted))
        if not positions:
            return
        report = pb.ReportLogEnds(
            partitions=[
                pb.PartitionLogEnd(
                    topic_id=position.topic_id,
                    index=position.partition,
                    last_epoch=position.last_epoch,
                    log_end_offset=position.log_end_offset,
                )
                for position in positions
            ]
        )
        try:
            await self._send(report)
        except ProtocolError:
            return  # still wanted: told again after a pause
