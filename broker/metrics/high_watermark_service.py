"""The other end of `remote_ends`: where partitions end that this broker leads."""

from __future__ import annotations

from typing import Final, Protocol

import grpc
import grpc.aio

from broker.generated.high_watermarks_pb2 import TellRequest, TellResponse
from broker.generated.high_watermarks_pb2_grpc import (
    HighWatermarksServicer,
    add_HighWatermarksServicer_to_server,
)
from broker.metrics.remote_ends import PARTITIONS_PER_CALL

NOT_LED: Final = -1


class LocalPartition(Protocol):
    """broker.replication.partition.Partition."""

    @property
    def is_leader(self) -> bool: ...

    @property
    def high_watermark(self) -> int: ...


class LocalPartitions(Protocol):
    """broker.replication.manager.ReplicaManager."""

    def maybe_partition(self, topic: str, index: int) -> LocalPartition | None: ...


class HighWatermarkService(HighWatermarksServicer):
    """A stranger learns nothing: without the cluster's id and ours the call is refused."""

    def __init__(self, node_id: int, cluster_id: str, partitions: LocalPartitions) -> None:
        self._node_id = node_id
        self._cluster_id = cluster_id
        self._partitions = partitions

    def add_to_server(self, server: grpc.aio.Server) -> None:
        add_HighWatermarksServicer_to_server(self, server)

    async def Tell(  # noqa: N802
        self, request: TellRequest, context: grpc.aio.ServicerContext[TellRequest, TellResponse]
    ) -> TellResponse:
        if request.cluster_id != self._cluster_id or request.receiver_id != self._node_id:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "this is not that broker")
        if sum(len(asked.partitions) for asked in request.topics) > PARTITIONS_PER_CALL:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"more than {PARTITIONS_PER_CALL} partitions"
            )
        return TellResponse(
            high_watermarks=[
                self._high_watermark(asked.topic, index)
                for asked in request.topics
                for index in asked.partitions
            ]
        )

    def _high_watermark(self, topic: str, index: int) -> int:
        partition = self._partitions.maybe_partition(topic, index)
        if partition is None or not partition.is_leader:
            return NOT_LED
        return partition.high_watermark
