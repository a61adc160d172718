"""What a run is made of; drawn from its seed, or given."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Literal

from tests.simulation.broker_node import BrokerTimes

KINDS = (
    "crash",
    "power cut",
    "crash in mid-write",
    "pause of a broker",
    "crash of a controller",
    "pause of a controller",
    "controller replaced",
    "cut off",
    "cut off one way",
    "cut between two",
    "slow link",
    "connection reset",
    "calls lost",
    "calls repeated",
    "slow disk",
    "disk full",
    "disk error",
    "clock jump",
    "clean restart",
    "topic made anew",
)


REASSIGNED_FROM = 1_000
"""Seeds from here on move partitions too. Those below stay what they were: planted faults and
regressions are found by them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds unless said; `weights` by kind of fault."""

    brokers: int = 3
    controllers: int = 3
    topics: tuple[str, ...] = ("events", "orders")
    partitions: int = 2
    durable: bool = False
    """flush.messages=1 on all topics: then the power may go everywhere at once."""
    producers: tuple[str, ...] = ("idempotent", "plain", "loose")
    produce_pause_s: float = 0.1
    timeouts_s: tuple[float, ...] = (1.0, 4.0, 10.0)
    """Of a produce request, one of these for each producer."""
    patience_s: tuple[float, ...] = (0.3, 1.0, 4.0, 12.0)
    """After which a producer sends a batch again, likewise."""
    trouble_s: float = 20.0
    recovery_s: float = 40.0
    fault_pause_s: float = 0.5
    """Mean time between two faults."""
    restart_s: tuple[float, float] = (0.05, 2.5)
    """How long a killed broker stays down."""
    power_s: tuple[float, float] = (0.3, 3.0)
    """How long a machine stays without power."""
    slow_s: tuple[float, ...] = (0.02, 0.1, 0.5, 1.5)
    """The longest delay of a message on a slow link, one of these."""
    slow_links: Literal["all", "between brokers", "to controllers"] = "all"
    slow_share: float = 1.0
    """Of the messages on a slow link, so many are late; what follows them on their stream waits."""
    slow_both_share: float = 0.5
    """Of slow links: slow in both directions."""
    clock_skew: float = 0.01
    segment_bytes: int = 16_384
    lease_ms: int = 1_000
    leader_imbalance_check_ms: int = 2_000
    reassign_pause_s: float | None = None
    """Mean time between two reassignments; None: partitions stay where they are."""
    times: BrokerTimes = field(default_factory=BrokerTimes)
    weights: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))

    @property
    def broker_ids(self) -> range:
        return range(1, self.brokers + 1)

    @property
    def controller_ids(self) -> range:
        return range(101, 101 + self.controllers)


def settings_of(seed: int) -> Settings:
    """A run as its seed wants it: sizes, and which faults it sees more of than of others."""
    chance = random.Random(seed)
    weights = {kind: chance.choice((0.0, 0.5, 1.0, 1.0, 3.0)) for kind in KINDS}
    if not any(weights.values()):
        weights = dict.fromkeys(KINDS, 1.0)
    return replace(
        Settings(),
        brokers=chance.choice((3, 3, 3, 4)),
        controllers=chance.choice((1, 3, 3)),
        durable=chance.random() < 0.25,
        produce_pause_s=chance.choice((0.03, 0.1, 0.3)),
        fault_pause_s=chance.choice((0.2, 0.4, 0.8)),
        clock_skew=chance.choice((0.0, 0.01, 0.05)),
        segment_bytes=chance.choice((4_096, 16_384, 1 << 20)),
        leader_imbalance_check_ms=chance.choice((1_000, 3_000)),
        weights=weights,
        reassign_pause_s=chance.choice((0.5, 1.5, 4.0)) if seed >= REASSIGNED_FROM else None,
    )
