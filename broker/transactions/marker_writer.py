"""Writes a transaction's markers to partitions that this broker leads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

from broker.coordinator.internal_topic import TOPIC as OFFSETS_TOPIC
from broker.transactions.seams import TopicPartition, TransactionMarker
from ottla.core.errors import ErrorCode, ProtocolError

WAIT_MS: Final = 5_000
"""How long a marker may wait for the high watermark; the coordinator asks again."""


class MarkedPartition(Protocol):
    """broker.replication.partition.Partition."""

    def append_marker(self, marker: TransactionMarker) -> Any: ...

    def wait_committed(self, next_offset: int, leader_epoch: int) -> asyncio.Future[None]: ...


class Partitions(Protocol):
    """broker.replication.manager.ReplicaManager."""

    def partition(self, topic: str, index: int) -> Any: ...


class Groups(Protocol):
    """broker.groups.group_coordinator.GroupCoordinator."""

    def end_transaction(self, index: int, marker: TransactionMarker) -> asyncio.Future[None]: ...


class MarkerWriter:
    """See the module. Offsets of groups become visible with their marker, in one step with it: the
    coordinator of groups writes those of its topic."""

    def __init__(self, replicas: Partitions, groups: Groups) -> None:
        self._replicas = replicas
        self._groups = groups

    async def write(
        self, marker: TransactionMarker, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, ErrorCode]:
        """Append to all, then wait for all; NONE where the marker is committed."""
        codes: dict[TopicPartition, ErrorCode] = {}
        waiting: dict[TopicPartition, asyncio.Future[None]] = {}
        for partition in dict.fromkeys(partitions):
            try:
                waiting[partition] = self._append(marker, *partition)
            except ProtocolError as error:
                codes[partition] = error.code
        if waiting:
            await asyncio.wait(waiting.values(), timeout=WAIT_MS / 1000)
        for partition, future in waiting.items():
            codes[partition] = _code(future)
        return codes

    def _append(self, marker: TransactionMarker, topic: str, index: int) -> asyncio.Future[None]:
        if topic == OFFSETS_TOPIC:
            return self._groups.end_transaction(index, marker)
        partition = self._replicas.partition(topic, index)
        appended = partition.append_marker(marker)
        committed: asyncio.Future[None] = partition.wait_committed(
            appended.last_offset + 1, appended.leader_epoch
        )
        return committed


def _code(future: asyncio.Future[None]) -> ErrorCode:
    if not future.done():
        future.cancel()
        return ErrorCode.REQUEST_TIMED_OUT
    if future.cancelled():
        return ErrorCode.NOT_LEADER_OR_FOLLOWER
    error = future.exception()
    if error is None:
        return ErrorCode.NONE
    return error.code if isinstance(error, ProtocolError) else ErrorCode.UNKNOWN_SERVER_ERROR
