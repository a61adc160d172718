"""The seams of replication: what it needs of metadata and controller, as protocols.

The real ones are MetadataCache and ControllerClient of `broker.control`; tests bring small ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from controller.state import ClusterState, PartitionMetadata
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


class DeltaInfo(Protocol):
    """broker.control.MetadataDelta: what changed."""

    @property
    def topics(self) -> Iterable[Uuid]: ...
    @property
    def deleted(self) -> Mapping[Uuid, str]: ...
    @property
    def brokers(self) -> Iterable[int]: ...
    @property
    def configs(self) -> Iterable[tuple[str, str]]: ...
    @property
    def snapshot(self) -> bool: ...


class MetadataSource(Protocol):
    """broker.control.MetadataCache."""

    @property
    def state(self) -> ClusterState: ...
    def subscribe(self, listener: Callable[[DeltaInfo], None]) -> object: ...


class IsrController(Protocol):
    """What replication asks of broker.control.ControllerClient."""

    @property
    def broker_epoch(self) -> int | None: ...
    @property
    def unfenced(self) -> asyncio.Event: ...
    async def alter_partition(self, proposal: IsrProposal) -> PartitionMetadata: ...
