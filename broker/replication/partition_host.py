"""What a partition gives to whoever appends, and what it asks of the replica manager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from broker.replication.isr import IsrChange
from broker.replication.seams import LeadershipChange
from broker.replication.tail import TailBudget
from ottla.core.clock import Clock

if TYPE_CHECKING:
    from broker.replication.partition import Partition


@dataclass(frozen=True, slots=True)
class Appended:
    """What a leader's append gave; for a duplicate, where the original batch lies."""

    base_offset: int
    last_offset: int
    log_append_time_ms: int
    log_start_offset: int
    leader_epoch: int
    duplicate: bool


class PartitionHost(Protocol):
    """What a partition asks of the replica manager."""

    @property
    def clock(self) -> Clock: ...
    @property
    def tail_budget(self) -> TailBudget: ...
    def propose(self, partition: Partition, change: IsrChange) -> None: ...
    def leadership_changed(self, change: LeadershipChange) -> None: ...
    def high_watermark_moved(self, partition: Partition) -> None: ...
    def request_flush(self, partition: Partition) -> None: ...
    def save_log_start(self, partition: Partition) -> None: ...
    def log_failed(self, partition: Partition) -> None:
        """Its log gave KAFKA_STORAGE_ERROR: its disk is full, or it or its directory failed."""
        ...
