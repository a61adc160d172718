"""ISR changes of many partitions in few requests: what comes while one is under way goes together.

The answer is given only once the metadata that the controller answered from is applied here. Else a
leader could take over an ISR and not yet know of a raised min.insync.replicas that was decided
before, and let the high watermark move on alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from broker.control.metadata_cache import MetadataCache
from broker.control.requests import IsrProposal
from controller.codec import partition_from_message
from controller.generated import control_pb2
from controller.generated import metadata_pb2 as pb
from controller.state import PartitionMetadata
from ottla.core.errors import ErrorCode, ProtocolError

BATCH_MAX: Final = 1_000
WAITING_MAX: Final = 200_000
"""A leader has at most one proposal per partition under way."""
METADATA_MS_MAX: Final = 2_000

Send = Callable[[pb.AlterPartitions], Awaitable[control_pb2.ExecuteResponse]]


class IsrBatches:
    """See the module. `send` carries a batch to the controller; ProtocolError when it cannot."""

    def __init__(self, cache: MetadataCache, send: Send) -> None:
        self._cache = cache
        self._send = send
        self._waiting: list[tuple[IsrProposal, asyncio.Future[PartitionMetadata]]] = []
        self._wanted = asyncio.Event()

    async def alter(self, proposal: IsrProposal) -> PartitionMetadata:
        """The partition as it became; ProtocolError as the controller gave it, or
        REQUEST_TIMED_OUT: then it may have been taken all the same."""
        if len(self._waiting) >= WAITING_MAX:
            raise ProtocolError(ErrorCode.REQUEST_TIMED_OUT, "too many ISR changes are waiting")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[PartitionMetadata] = loop.create_future()
        self._waiting.append((proposal, future))
        self._wanted.set()
        return await future

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            if not self._waiting:
                self._wanted.clear()
            batch = [(proposal, future) for proposal, future in batch if not future.done()]
            if batch:
                await self._carry(batch)

    async def _carry(
        self, batch: list[tuple[IsrProposal, asyncio.Future[PartitionMetadata]]]
    ) -> None:
        request = pb.AlterPartitions(
            partitions=[
                pb.AlterPartition(
                    topic_id=proposal.topic_id,
                    index=proposal.partition,
                    leader_epoch=proposal.leader_epoch,
                    partition_epoch=proposal.partition_epoch,
                    isr=[pb.IsrMember(broker_id=i, broker_epoch=e) for i, e in proposal.isr],
                )
                for proposal, _ in batch
            ]
        )
        try:
            response = await self._send(request)
            await self._cache.wait_offset(response.offset, METADATA_MS_MAX)
        except ProtocolError as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(ProtocolError(error.code, error.message))
            return
        for (_, future), answer in zip(batch, response.result.partitions, strict=True):
            if future.done():
                continue
            if answer.error_code:
                code = ErrorCode(answer.error_code)
                future.set_exception(ProtocolError(code, answer.message))
            else:
                future.set_result(partition_from_message(answer.partition))
