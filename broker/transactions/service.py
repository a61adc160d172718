"""The other end of `channel`: what other brokers ask of this one, on the internal listener."""

from __future__ import annotations

import asyncio
from typing import Final, TypeAlias

import grpc
import grpc.aio

from broker.generated.transactions_pb2 import (
    AdmitRequest,
    AdmitResponse,
    Marker,
    PartitionCodes,
    WriteMarkersRequest,
    WriteMarkersResponse,
)
from broker.generated.transactions_pb2_grpc import (
    TransactionsServicer,
    add_TransactionsServicer_to_server,
)
from broker.transactions.channel import LocalCoordinator, LocalWriter
from broker.transactions.seams import TransactionMarker
from broker.transactions.stored import EPOCH_MAX
from ottla.core.errors import ProtocolError

_Context: TypeAlias = (
    "grpc.aio.ServicerContext[AdmitRequest, AdmitResponse]"
    "| grpc.aio.ServicerContext[WriteMarkersRequest, WriteMarkersResponse]"
)

PARTITIONS_MAX: Final = 20_000
"""Of one call."""


class TransactionService(TransactionsServicer):
    """A stranger learns nothing: without the cluster's id and ours the call is refused."""

    def __init__(
        self, node_id: int, cluster_id: str, writer: LocalWriter, coordinator: LocalCoordinator
    ) -> None:
        self._node_id = node_id
        self._cluster_id = cluster_id
        self._writer = writer
        self._coordinator = coordinator

    def add_to_server(self, server: grpc.aio.Server) -> None:
        add_TransactionsServicer_to_server(self, server)

    async def WriteMarkers(  # noqa: N802
        self,
        request: WriteMarkersRequest,
        context: grpc.aio.ServicerContext[WriteMarkersRequest, WriteMarkersResponse],
    ) -> WriteMarkersResponse:
        count = sum(len(marker.partitions) for marker in request.markers)
        await self._check(request.cluster_id, request.receiver_id, count, context)
        for marker in request.markers:
            await self._check_epoch(marker.producer_epoch, context)
        # All are appended before the first is waited for: one round of replication serves all.
        answers = await asyncio.gather(*(self._write(asked) for asked in request.markers))
        return WriteMarkersResponse(codes=answers)

    async def _write(self, asked: Marker) -> PartitionCodes:
        marker = TransactionMarker(
            asked.producer_id,
            asked.producer_epoch,
            asked.coordinator_epoch,
            is_commit=asked.is_commit,
            is_bumped=asked.is_bumped,
        )
        partitions = [(p.topic, p.partition) for p in asked.partitions]
        codes = await self._writer.write(marker, partitions)
        return PartitionCodes(codes=[int(codes[p]) for p in partitions])

    async def Admit(  # noqa: N802
        self,
        request: AdmitRequest,
        context: grpc.aio.ServicerContext[AdmitRequest, AdmitResponse],
    ) -> AdmitResponse:
        await self._check(request.cluster_id, request.receiver_id, len(request.partitions), context)
        await self._check_epoch(request.producer_epoch, context)
        partitions = [(p.topic, p.partition) for p in request.partitions]
        try:
            codes = await self._coordinator.admit(
                request.transactional_id,
                request.producer_id,
                request.producer_epoch,
                partitions,
                verify_only=request.verify_only,
            )
        except ProtocolError as error:
            codes = [error.code] * len(partitions)
        return AdmitResponse(codes=[int(code) for code in codes])

    async def _check(
        self,
        cluster_id: str,
        receiver_id: int,
        partition_count: int,
        context: _Context,
    ) -> None:
        if cluster_id != self._cluster_id or receiver_id != self._node_id:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "this is not that broker")
        if partition_count > PARTITIONS_MAX:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"more than {PARTITIONS_MAX} partitions"
            )

    async def _check_epoch(self, producer_epoch: int, context: _Context) -> None:
        """Elsewhere it is an int16."""
        if not 0 <= producer_epoch <= EPOCH_MAX:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"{producer_epoch} is no producer epoch"
            )
