"""Where partitions end of which this broker has no replica, as their leaders tell it.

A group lags behind the high watermarks of all its partitions, and its coordinator has a replica of
some. What a page of metrics misses is asked for once it is made, one call a leader, so the next
page has it: by then it is as old as the time between two scrapes. A leader that does not answer
leaves what it told before. Nothing is asked while every broker has a replica of everything, or
nobody scrapes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final, TypeAlias

import grpc
import grpc.aio

from broker.generated.high_watermarks_pb2 import TellRequest, TopicPartitions
from broker.generated.high_watermarks_pb2_grpc import HighWatermarksStub
from broker.internal.channels import InternalChannels, StateSource

if TYPE_CHECKING:
    from broker.generated.high_watermarks_pb2_grpc import HighWatermarksAsyncStub

logger = logging.getLogger(__name__)

PARTITIONS_MAX: Final = 20_000
"""Asked for after one page; the others are not known."""
PARTITIONS_PER_CALL: Final = 1_000
CALL_SECONDS_MAX: Final = 2.0
_PARTITIONS_PER_PAUSE: Final = 500

TopicPartition: TypeAlias = tuple[str, int]


class RemoteEnds:
    """See the module."""

    def __init__(
        self, node_id: int, cluster_id: str, metadata: StateSource, channels: InternalChannels
    ) -> None:
        self._node_id = node_id
        self._cluster_id = cluster_id
        self._metadata = metadata
        self._channels = channels
        self._known: dict[TopicPartition, int] = {}
        self._missed: dict[TopicPartition, None] = {}
        self._wake = asyncio.Event()

    def high_watermark(self, topic: str, index: int) -> int | None:
        """As last told; None: not known yet. It will be asked for."""
        if len(self._missed) < PARTITIONS_MAX:
            self._missed[topic, index] = None
        return self._known.get((topic, index))

    def page_is_made(self) -> None:
        """What it missed can be asked for."""
        if self._missed or self._known:
            self._wake.set()

    async def run(self) -> None:
        """Ask, whenever a page has missed something, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            missed, self._missed = self._missed, {}
            await self._ask(list(missed))

    async def _ask(self, partitions: Sequence[TopicPartition]) -> None:
        by_leader: dict[int, list[TopicPartition]] = {}
        kept: dict[TopicPartition, int] = {}
        for number, partition in enumerate(partitions, 1):
            leader_id = self._maybe_leader(*partition)
            if leader_id is not None:
                by_leader.setdefault(leader_id, []).append(partition)
            if partition in self._known:
                kept[partition] = self._known[partition]
            if number % _PARTITIONS_PER_PAUSE == 0:
                await asyncio.sleep(0)
        self._known = kept
        await asyncio.gather(*(self._ask_leader(*one) for one in by_leader.items()))

    def _maybe_leader(self, topic: str, index: int) -> int | None:
        known = self._metadata.state.topic_named(topic)
        if known is None or not 0 <= index < len(known.partitions):
            self._known.pop((topic, index), None)  # it was deleted
            return None
        leader_id = known.partitions[index].leader_id
        return None if leader_id == self._node_id else leader_id

    async def _ask_leader(self, leader_id: int, partitions: Sequence[TopicPartition]) -> None:
        channel = await self._channels.maybe_to(leader_id)
        if channel is None:
            return
        stub: HighWatermarksAsyncStub = HighWatermarksStub(channel)
        for some in _pieces(partitions):
            request = TellRequest(
                cluster_id=self._cluster_id,
                receiver_id=leader_id,
                topics=[
                    TopicPartitions(topic=topic, partitions=[index for _, index in of_topic])
                    for topic, of_topic in groupby(some, lambda partition: partition[0])
                ],
            )
            try:
                answer = await stub.Tell(request, timeout=CALL_SECONDS_MAX)
            except (grpc.RpcError, grpc.aio.BaseError, grpc.aio.UsageError) as error:
                logger.debug("broker %d tells no high watermarks: %s", leader_id, error)
                return
            if len(answer.high_watermarks) != len(some):
                logger.debug("the answer of broker %d does not fit the question", leader_id)
                return
            told = zip(some, answer.high_watermarks, strict=True)
            self._known.update((partition, end) for partition, end in told if end >= 0)


def _pieces(partitions: Sequence[TopicPartition]) -> Iterator[list[TopicPartition]]:
    rest = iter(partitions)
    while some := list(islice(rest, PARTITIONS_PER_CALL)):
        yield some
