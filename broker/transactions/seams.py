"""What the coordinator of transactions and the partitions say to each other, free of transports.

A coordinator ends a transaction by one marker in each of its partitions; a partition asks the
coordinator before it takes a transaction's first batch (KIP-890), since a batch that comes after
the marker would hang: nobody would ever end it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ottla.core.errors import ErrorCode

TopicPartition: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TransactionMarker:
    """The end of a producer's transaction, as it is written to each partition."""

    producer_id: int
    producer_epoch: int
    """Under KIP-890 one above that of the transaction's batches, else the same."""
    coordinator_epoch: int
    """Leader epoch of the coordinator's partition; a partition refuses a lower one than it saw."""
    is_commit: bool
    is_bumped: bool = False
    """Whether KIP-890 made the epoch: then one that is not above the batches' is refused."""


@dataclass(frozen=True, slots=True)
class MarkerWrite:
    marker: TransactionMarker
    partitions: tuple[TopicPartition, ...]


class MarkerChannel(Protocol):
    """The coordinator's way to the leaders of partitions."""

    async def write_markers(
        self, broker_id: int, writes: Sequence[MarkerWrite]
    ) -> list[dict[TopicPartition, ErrorCode]]:
        """Write markers to partitions that `broker_id` leads, this broker included.

        A code per partition and write, in order; NONE when the marker is committed. ProtocolError
        (COORDINATOR_NOT_AVAILABLE) when the broker cannot be reached: nothing is known then.
        """
        ...


class TransactionGate(Protocol):
    """A partition leader's way to the coordinator of a transaction."""

    def admit(
        self,
        transactional_id: str,
        producer_id: int,
        producer_epoch: int,
        partitions: Sequence[TopicPartition],
        *,
        verify_only: bool,
    ) -> asyncio.Future[dict[TopicPartition, ErrorCode]]:
        """Whether each partition is in the producer's open transaction; unless `verify_only`,
        it is put there (KIP-890: Produce 12, TxnOffsetCommit 5).

        Codes are the coordinator's (AddPartitionsToTxn), or COORDINATOR_NOT_AVAILABLE after a
        bounded wait; never fails.
        """
        ...
