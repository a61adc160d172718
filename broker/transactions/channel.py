"""The brokers' own channel for transactions: calls to the internal listeners of other brokers.

What concerns this broker does not leave it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import grpc
import grpc.aio

from broker.generated.transactions_pb2 import (
    AdmitRequest,
    Marker,
    WriteMarkersRequest,
)
from broker.generated.transactions_pb2 import (
    TopicPartition as TopicPartitionMessage,
)
from broker.generated.transactions_pb2_grpc import TransactionsStub
from broker.internal.channels import InternalChannels
from broker.transactions.seams import MarkerWrite, TopicPartition, TransactionMarker
from controller.state import PartitionMetadata
from ottla.core.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from broker.generated.transactions_pb2_grpc import TransactionsAsyncStub

CALL_SECONDS_MAX: Final = 10.0
ADMIT_SECONDS_MAX: Final = 5.0
CONCURRENT_RETRY_MS: Final = 10
CONCURRENT_MS_MAX: Final = 500
"""How long a batch waits here for the end of the transaction before (KIP-890): a client would come
back only after its own, longer, pause."""

AnswerT = TypeVar("AnswerT")


class LocalWriter(Protocol):
    """broker.transactions.marker_writer.MarkerWriter."""

    async def write(
        self, marker: TransactionMarker, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, ErrorCode]: ...


class LocalCoordinator(Protocol):
    """broker.transactions.transaction_coordinator.TransactionCoordinator."""

    def partition_of(self, transactional_id: str) -> PartitionMetadata | None: ...

    def admit(
        self,
        transactional_id: str,
        producer_id: int,
        producer_epoch: int,
        partitions: Sequence[TopicPartition],
        *,
        verify_only: bool,
    ) -> asyncio.Future[list[ErrorCode]]: ...


class TransactionChannel:
    """A `MarkerChannel` and a `TransactionGate`. `coordinator` is set once it is made."""

    def __init__(
        self,
        node_id: int,
        cluster_id: str,
        writer: LocalWriter,
        channels: InternalChannels,
    ) -> None:
        self.coordinator: LocalCoordinator | None = None
        self._node_id = node_id
        self._cluster_id = cluster_id
        self._writer = writer
        self._channels = channels
        self._admissions: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        for task in [*self._admissions]:
            task.cancel()

    # ---- markers

    async def write_markers(
        self, broker_id: int, writes: Sequence[MarkerWrite]
    ) -> list[dict[TopicPartition, ErrorCode]]:
        """See `MarkerChannel`."""
        if broker_id == self._node_id:
            return list(
                await asyncio.gather(*(self._writer.write(w.marker, w.partitions) for w in writes))
            )
        request = WriteMarkersRequest(
            cluster_id=self._cluster_id,
            receiver_id=broker_id,
            markers=[
                Marker(
                    producer_id=write.marker.producer_id,
                    producer_epoch=write.marker.producer_epoch,
                    coordinator_epoch=write.marker.coordinator_epoch,
                    is_commit=write.marker.is_commit,
                    is_bumped=write.marker.is_bumped,
                    partitions=_messages(write.partitions),
                )
                for write in writes
            ],
        )
        response = await self._call(
            broker_id,
            lambda stub: stub.WriteMarkers(request, timeout=CALL_SECONDS_MAX),
        )
        if len(response.codes) != len(writes):
            raise _unreachable(broker_id, "its answer does not fit the question")
        return [
            _codes(broker_id, write.partitions, answer.codes)
            for write, answer in zip(writes, response.codes, strict=True)
        ]

    # ---- admission

    def admit(
        self,
        transactional_id: str,
        producer_id: int,
        producer_epoch: int,
        partitions: Sequence[TopicPartition],
        *,
        verify_only: bool,
    ) -> asyncio.Future[dict[TopicPartition, ErrorCode]]:
        """See `TransactionGate`."""
        answer: asyncio.Future[dict[TopicPartition, ErrorCode]] = (
            asyncio.get_running_loop().create_future()
        )
        request = AdmitRequest(
            cluster_id=self._cluster_id,
            transactional_id=transactional_id,
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            verify_only=verify_only,
            partitions=_messages(partitions),
        )
        task = asyncio.get_running_loop().create_task(
            self._admit(request, tuple(partitions), answer)
        )
        self._admissions.add(task)
        task.add_done_callback(self._admissions.discard)
        return answer

    async def _admit(
        self,
        request: AdmitRequest,
        partitions: tuple[TopicPartition, ...],
        answer: asyncio.Future[dict[TopicPartition, ErrorCode]],
    ) -> None:
        code = ErrorCode.COORDINATOR_NOT_AVAILABLE
        result: dict[TopicPartition, ErrorCode] | None = None
        waited_ms = 0
        try:
            async with asyncio.timeout(ADMIT_SECONDS_MAX):
                while True:
                    try:
                        result = await self._ask(request, partitions)
                        code = next(iter(result.values()), ErrorCode.NONE)
                    except ProtocolError as error:
                        code, result = error.code, None
                    if (
                        code is not ErrorCode.CONCURRENT_TRANSACTIONS
                        or waited_ms >= CONCURRENT_MS_MAX
                    ):
                        break
                    await asyncio.sleep(CONCURRENT_RETRY_MS / 1000)
                    waited_ms += CONCURRENT_RETRY_MS
        except TimeoutError:
            result = None
        finally:
            if not answer.done():
                answer.set_result(dict.fromkeys(partitions, code) if result is None else result)

    async def _ask(
        self, request: AdmitRequest, partitions: tuple[TopicPartition, ...]
    ) -> dict[TopicPartition, ErrorCode]:
        coordinator = self.coordinator
        where = None if coordinator is None else coordinator.partition_of(request.transactional_id)
        if coordinator is None or where is None or where.leader_id is None:
            raise ProtocolError(
                ErrorCode.COORDINATOR_NOT_AVAILABLE, "the transaction's partition has no leader"
            )
        if where.leader_id == self._node_id:
            codes = await coordinator.admit(
                request.transactional_id,
                request.producer_id,
                request.producer_epoch,
                partitions,
                verify_only=request.verify_only,
            )
            return dict(zip(partitions, codes, strict=True))
        leader_id = where.leader_id
        request.receiver_id = leader_id
        response = await self._call(
            leader_id, lambda stub: stub.Admit(request, timeout=ADMIT_SECONDS_MAX)
        )
        return _codes(leader_id, partitions, response.codes)

    # ---- calls

    async def _call(
        self, broker_id: int, call: Callable[[TransactionsAsyncStub], Awaitable[AnswerT]]
    ) -> AnswerT:
        """One call; COORDINATOR_NOT_AVAILABLE when it fails in whatever way."""
        channel = await self._channels.maybe_to(broker_id)
        if channel is None:
            raise _unreachable(broker_id, "it is not alive")
        stub: TransactionsAsyncStub = TransactionsStub(channel)
        try:
            return await call(stub)
        except grpc.aio.AioRpcError as error:
            raise _unreachable(broker_id, error.details() or error.code().name) from error
        except (grpc.RpcError, grpc.aio.BaseError, grpc.aio.UsageError) as error:
            raise _unreachable(broker_id, str(error)) from error


def _messages(partitions: Sequence[TopicPartition]) -> list[TopicPartitionMessage]:
    return [TopicPartitionMessage(topic=topic, partition=index) for topic, index in partitions]


def _codes(
    broker_id: int, partitions: Sequence[TopicPartition], codes: Sequence[int]
) -> dict[TopicPartition, ErrorCode]:
    if len(codes) != len(partitions):
        raise _unreachable(broker_id, "its answer does not fit the question")
    return {partition: _known(code) for partition, code in zip(partitions, codes, strict=True)}


def _known(code: int) -> ErrorCode:
    try:
        return ErrorCode(code)
    except ValueError:
        return ErrorCode.UNKNOWN_SERVER_ERROR


def _unreachable(broker_id: int, why: str) -> ProtocolError:
    return ProtocolError(
        ErrorCode.COORDINATOR_NOT_AVAILABLE, f"broker {broker_id} does not answer: {why}"
    )
