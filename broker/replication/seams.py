"""The seams of replication: what others implement for it, and what it tells others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from broker.replication.progress import PartitionView
from controller.state import PartitionMetadata
from ottla.core.identifiers import Uuid


@dataclass(frozen=True, slots=True)
class IsrProposal:
    """A change of the ISR, compare-and-set on both epochs (KIP-497, KIP-841)."""

    topic_id: Uuid
    partition: int
    leader_epoch: int
    partition_epoch: int
    isr: tuple[tuple[int, int], ...]
    """(broker id, broker epoch) of every member."""


@dataclass(frozen=True, slots=True)
class LeadershipChange:
    """This broker began (or ceased) to lead a partition; told on the event loop, in order."""

    topic: str
    topic_id: Uuid
    index: int
    leader_epoch: int
    is_leader: bool


class FetchWaiter(Protocol):
    """Someone who waits for more of a partition to be readable."""

    def wake(self) -> None:
        """The high watermark, the last stable offset or the leadership changed. Must not raise."""
        ...


class IsrController(Protocol):
    """What replication asks of broker.control's ControllerClient."""

    @property
    def broker_epoch(self) -> int | None: ...
    @property
    def unfenced(self) -> asyncio.Event: ...
    async def alter_partition(self, proposal: IsrProposal) -> PartitionMetadata: ...


def view_of(info: PartitionMetadata) -> PartitionView:
    """What the machine needs of the metadata of a partition."""
    return PartitionView(
        info.leader_id,
        info.leader_epoch,
        info.partition_epoch,
        info.replicas,
        info.isr,
        info.adding_replicas,
    )
