"""The replicated log as a coordinator's runtime sees it.

`broker.replication.partition.Partition` is the real one; tests bring one in memory.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from broker.transactions.seams import TransactionMarker


class AppendedBatch(Protocol):
    @property
    def last_offset(self) -> int:
        """Inclusive."""
        ...


class BatchSlice(Protocol):
    def read(self) -> bytes:
        """Whole record batches."""
        ...


class ReplicatedPartition(Protocol):
    """One partition of an internal topic on this broker."""

    @property
    def is_leader(self) -> bool: ...

    @property
    def leader_epoch(self) -> int: ...

    @property
    def high_watermark(self) -> int:
        """Exclusive."""
        ...

    @property
    def log_start_offset(self) -> int: ...

    @property
    def log_end_offset(self) -> int: ...

    def append(
        self,
        batch: memoryview,
        *,
        acks: int,
        internal: bool = False,
        expected_leader_epoch: int | None = None,
    ) -> AppendedBatch:
        """Append one batch in this call; ProtocolError when nothing was appended."""
        ...

    def append_marker(self, marker: TransactionMarker) -> AppendedBatch:
        """End a producer's transaction; ProtocolError when nothing was appended."""
        ...

    def wait_committed(self, next_offset: int, leader_epoch: int) -> asyncio.Future[None]:
        """Done once high_watermark >= `next_offset` in this leader epoch, else a ProtocolError."""
        ...

    def read(
        self,
        offset: int,
        max_bytes: int,
        *,
        committed_only: bool,
        at_least_one: bool,
        to_log_end: bool = False,
    ) -> BatchSlice | None:
        """Whole batches from the one that holds `offset` on."""
        ...
