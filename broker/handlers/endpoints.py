"""Which brokers a client may be told of, and under which address.

A client learns only of live brokers (registered and not fenced; departures.py has the exceptions),
by the endpoint of the listener over which it asked: another listener's address may be unreachable
from where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ottla.core.identifiers import Uuid

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from controller.state import ClusterState, Endpoint


@dataclass(frozen=True, slots=True)
class LeaderHint:
    """The leader of a partition in committed metadata (KIP-951)."""

    leader_id: int
    leader_epoch: int
    endpoint: Endpoint | None
    rack: str | None


def live_endpoint(state: ClusterState, broker_id: int, listener_name: str) -> Endpoint | None:
    """Where a live broker listens for the clients of `listener_name`; None for all others."""
    broker = state.brokers.get(broker_id)
    if broker is None or broker.fenced:
        return None
    return last_endpoint(state, broker_id, listener_name)


def last_endpoint(state: ClusterState, broker_id: int, listener_name: str) -> Endpoint | None:
    """The same, whether the broker is alive or not."""
    broker = state.brokers.get(broker_id)
    for endpoint in broker.endpoints if broker is not None else ():
        if endpoint.name == listener_name:
            return endpoint
    return None


def controller_for_clients(state: ClusterState, listener_name: str) -> int:
    """The broker to which clients send admin requests, -1 when none is alive.

    Every broker forwards them. The active controller's node when it is a live broker, else the live
    broker with the lowest id: never a controller-only node, to which no client could connect.
    """
    active = state.controller_id
    if active is not None and live_endpoint(state, active, listener_name) is not None:
        return active
    for broker_id in sorted(state.brokers):
        if live_endpoint(state, broker_id, listener_name) is not None:
            return broker_id
    return -1


def leader_hint(
    services: BrokerServices, listener_name: str, topic: str | Uuid, index: int
) -> LeaderHint | None:
    """What to tell a client that asked the wrong broker; None when no leader is known."""
    state = services.metadata.state
    topic_id = state.topic_ids.get(topic) if isinstance(topic, str) else topic
    partition = None if topic_id is None else state.partition(topic_id, index)
    if partition is None or partition.leader_id is None:
        return None
    broker = state.brokers.get(partition.leader_id)
    return LeaderHint(
        partition.leader_id,
        partition.leader_epoch,
        live_endpoint(state, partition.leader_id, listener_name),
        broker.rack if broker is not None else None,
    )
