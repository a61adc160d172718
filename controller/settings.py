"""What the controller takes from the node's settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """The controllers of one cluster should agree on all but the node id; what decisions depend on
    is written into the metadata log by whoever takes office."""

    node_id: int
    cluster_id: str
    num_partitions: int = 1
    default_replication_factor: int = 1
    min_insync_replicas: int = 1
    unclean_leader_election: bool = False
    lease_ms: int = 3_000
    """`broker.session.timeout.ms`: a broker silent for so long is fenced."""
    auto_leader_rebalance: bool = True
    leader_imbalance_check_ms: int = 10_000
    """How often preferred leaders are restored."""
    brokers_wait_ms: int = 2_000
    """How long an answer waits for every live broker to have applied a change."""
    redial_ms: int = 500
    """Bound of one attempt to reach a broker whose stream was reset."""
