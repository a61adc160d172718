"""Whether a node is ready: a rolling restart may go on to the next one. Pure.

    broker       registered and unfenced, its metadata kept up to date by a session with the active
                 controller, every replica that it hosts in its ISR
    controller   the quorum has a leader, and all that it has committed is applied here

A node that starts or drains is not ready. Reasons are sentences for people, the first ones of many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from controller.state import ClusterState

REPLICAS_NAMED_MAX: Final = 10


class Flag(Protocol):
    """An asyncio.Event, seen by who only looks."""

    def is_set(self) -> bool: ...


class BrokerStanding(Protocol):
    """What the control client knows of this broker."""

    @property
    def registered(self) -> Flag: ...
    @property
    def unfenced(self) -> Flag: ...
    @property
    def caught_up(self) -> bool: ...


class QuorumStanding(Protocol):
    """What a controller knows of its quorum."""

    @property
    def leader_id(self) -> int | None: ...
    @property
    def is_voter(self) -> bool: ...
    @property
    def has_caught_up(self) -> bool: ...


class Readiness:
    """Asks everyone who may object; `stage` objects by itself while it is set."""

    def __init__(self) -> None:
        self.stage: str | None = "the node is starting"
        self._checks: list[Callable[[], Iterator[str]]] = []

    def add(self, check: Callable[[], Iterator[str]]) -> None:
        self._checks.append(check)

    def reasons(self) -> list[str]:
        """Why the node is not ready; empty when it is."""
        reasons = [] if self.stage is None else [self.stage]
        for check in self._checks:
            reasons += check()
        return reasons


def broker_reasons(standing: BrokerStanding, state: ClusterState, broker_id: int) -> Iterator[str]:
    """What keeps a broker from being ready."""
    if not standing.registered.is_set():
        yield "the broker is not registered with a controller"
        return
    if not standing.unfenced.is_set():
        yield "the broker is fenced"
    if not standing.caught_up:
        yield "no controller keeps the metadata up to date"
    behind = [
        (topic.name, partition.index)
        for topic in state.topics.values()
        for partition in topic.partitions
        if broker_id in partition.replicas and broker_id not in partition.isr
    ]
    for name, index in behind[:REPLICAS_NAMED_MAX]:
        yield f"the replica of {name}-{index} is not in its ISR"
    if len(behind) > REPLICAS_NAMED_MAX:
        yield f"so are {len(behind) - REPLICAS_NAMED_MAX} more replicas"


def controller_reasons(quorum: QuorumStanding) -> Iterator[str]:
    """What keeps a controller from being ready."""
    if not quorum.is_voter:
        yield "the controller is no voter of the quorum"
    if quorum.leader_id is None:
        yield "the quorum has no leader"
    elif not quorum.has_caught_up:
        yield "the controller has not applied all that the quorum has committed"
