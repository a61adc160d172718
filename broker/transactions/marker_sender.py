"""Writes the markers of transactions whose end is decided, until every partition has its own.

One task a transaction; what goes to one broker at one time goes in one call. A partition is asked
again, with pauses, until it has confirmed: its leader may be dead, its replicas too few. It is done
with as well when its topic is gone, and when it refuses the marker because the producer is further:
then its transaction was ended before.

When the coordinator has moved, whoever has it now does all this again; markers of an older
coordinator epoch are refused, and a second marker changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from broker.transactions.requests import Prepared
from broker.transactions.seams import (
    MarkerChannel,
    MarkerWrite,
    TopicPartition,
    TransactionMarker,
)
from broker.transactions.states import TransactionState
from broker.transactions.stored import VERSION_BUMPING
from controller.state import ClusterState
from ottla.core.errors import ErrorCode, ProtocolError

logger = logging.getLogger(__name__)

RETRY_MS_MIN: Final = 20
RETRY_MS_MAX: Final = 1_000
WRITES_PER_CALL: Final = 500
PARTITIONS_PER_WRITE: Final = 2_000
PARTITIONS_PER_CALL: Final = 8_000
"""Below what a service takes, and with the longest names of topics below a message's size."""

_DONE: Final = frozenset(
    {
        ErrorCode.NONE,
        # The producer has begun anew with a higher epoch: this end was written before.
        ErrorCode.INVALID_PRODUCER_EPOCH,
    }
)


class StateSource(Protocol):
    """broker.control.metadata_cache.MetadataCache."""

    @property
    def state(self) -> ClusterState: ...


class _Outbox:
    """What waits to go to one broker; one call is under way at a time."""

    def __init__(self, broker_id: int, channel: MarkerChannel) -> None:
        self._broker_id = broker_id
        self._channel = channel
        self._waiting: list[
            tuple[MarkerWrite, asyncio.Future[Mapping[TopicPartition, ErrorCode]]]
        ] = []
        self._turn = asyncio.Lock()

    async def write(self, write: MarkerWrite) -> Mapping[TopicPartition, ErrorCode]:
        """A code for each partition; ProtocolError when the broker cannot be reached."""
        future: asyncio.Future[Mapping[TopicPartition, ErrorCode]] = (
            asyncio.get_running_loop().create_future()
        )
        self._waiting.append((write, future))
        async with self._turn:
            # Whoever has its turn sends for all that wait, and goes once its own is answered.
            while not future.done():
                await self._send_some()
        return await future

    def _take(self) -> list[tuple[MarkerWrite, asyncio.Future[Mapping[TopicPartition, ErrorCode]]]]:
        """The oldest that fit one call; at least one."""
        count = partitions = 0
        for write, _ in self._waiting:
            partitions += len(write.partitions)
            if count == WRITES_PER_CALL or (count and partitions > PARTITIONS_PER_CALL):
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _send_some(self) -> None:
        batch = self._take()
        try:
            results = await self._channel.write_markers(
                self._broker_id, [write for write, _ in batch]
            )
        except ProtocolError as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), codes in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(codes)


class MarkerSender:
    """See the module."""

    def __init__(self, channel: MarkerChannel, metadata: StateSource) -> None:
        self._channel = channel
        self._metadata = metadata
        self._outboxes: dict[int, _Outbox] = {}

    async def write_all(
        self, prepared: Prepared, coordinator_epoch: int, is_current: Callable[[], bool]
    ) -> bool:
        """Write every marker; False when `is_current` has become false, or a later coordinator
        was there."""
        stored = prepared.transaction
        marker = TransactionMarker(
            stored.producer_id,
            stored.producer_epoch,
            coordinator_epoch,
            is_commit=stored.state is TransactionState.PREPARE_COMMIT,
            is_bumped=stored.client_version >= VERSION_BUMPING,
        )
        left = set(stored.partitions)
        wait_ms = RETRY_MS_MIN
        while True:
            by_leader = self._by_leader(left)
            if not left:
                return True
            if by_leader:
                try:
                    await self._round(marker, by_leader, left)
                except _Overtaken:
                    return False
            if not left:
                return True
            if not is_current():
                return False
            await asyncio.sleep(wait_ms / 1000)
            if wait_ms == RETRY_MS_MAX:
                logger.info(
                    "transactional id %s: %d partitions still lack their marker",
                    prepared.transactional_id,
                    len(left),
                )
            wait_ms = min(2 * wait_ms, RETRY_MS_MAX)
            if not is_current():
                return False

    def _by_leader(self, left: set[TopicPartition]) -> dict[int, list[TopicPartition]]:
        """Who leads what; partitions that do not exist any more are taken out of `left`."""
        state = self._metadata.state
        found: dict[int, list[TopicPartition]] = {}
        for topic, index in [*left]:
            known = state.topic_named(topic)
            if known is None or index >= len(known.partitions):
                left.discard((topic, index))
                continue
            leader_id = known.partitions[index].leader_id
            if leader_id is not None:
                found.setdefault(leader_id, []).append((topic, index))
        return found

    async def _round(
        self,
        marker: TransactionMarker,
        by_leader: Mapping[int, Sequence[TopicPartition]],
        left: set[TopicPartition],
    ) -> None:
        """Ask every leader once, and strike out of `left` what is confirmed."""
        answers = await asyncio.gather(
            *(
                self._outbox(leader_id).write(
                    MarkerWrite(marker, tuple(partitions[first : first + PARTITIONS_PER_WRITE]))
                )
                for leader_id, partitions in by_leader.items()
                for first in range(0, len(partitions), PARTITIONS_PER_WRITE)
            ),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, ProtocolError):
                continue
            if isinstance(answer, BaseException):
                raise answer
            for partition, code in answer.items():
                if code is ErrorCode.TRANSACTION_COORDINATOR_FENCED:
                    raise _Overtaken
                if code in _DONE:
                    left.discard(partition)

    def _outbox(self, broker_id: int) -> _Outbox:
        outbox = self._outboxes.get(broker_id)
        if outbox is None:
            outbox = self._outboxes[broker_id] = _Outbox(broker_id, self._channel)
        return outbox


class _Overtaken(Exception):
    """A partition has seen a later coordinator epoch."""
