"""Where the replicas of new partitions go: over brokers and racks, evenly.

The idea of Kafka's StripedReplicaPlacer. The live brokers stand in a ring, racks taking turns, in
an order that depends on the seed. Partition after partition, the leader is the next broker of the
ring; the further replicas are picked walking on from there, always from the racks used least so
far; at each full turn of the ring the walk starts one further on, so that other brokers share the
load of a dead one. Fenced brokers are taken only when the live ones do not suffice, never first.

Pure and the same on every controller: nothing but integer arithmetic on the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ottla.core.errors import ErrorCode, ProtocolError

_MASK: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class UsableBroker:
    """A broker that replicas may be placed on."""

    broker_id: int
    rack: str | None
    live: bool
    """Not fenced, not shutting down."""


def place_replicas(
    brokers: Sequence[UsableBroker],
    *,
    first_partition: int,
    partition_count: int,
    replication_factor: int,
    seed: int,
) -> list[tuple[int, ...]]:
    """Replicas of `partition_count` partitions from `first_partition` on, leaders first.

    INVALID_REPLICATION_FACTOR when there are fewer brokers than replicas, or none is live.
    """
    if replication_factor > len(brokers):
        raise ProtocolError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"the replication factor {replication_factor} is above the number of brokers, "
            f"{len(brokers)}: start more brokers or ask for fewer replicas",
        )
    live = _ring([broker for broker in brokers if broker.live], seed)
    if not live:
        raise ProtocolError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            "no broker is live, so none could lead a partition: wait until one has started",
        )
    fenced = _ring([broker for broker in brokers if not broker.live], seed)
    offset = _mix(seed ^ len(live)) % len(live)
    return [
        _place(live, fenced, offset + first_partition + number, replication_factor)
        for number in range(partition_count)
    ]


def _place(
    live: list[UsableBroker], fenced: list[UsableBroker], turn: int, replication_factor: int
) -> tuple[int, ...]:
    at = turn % len(live)
    leader = live[at]
    others = live[at + 1 :] + live[:at]
    chosen = [leader]
    uses = {leader.rack: 1}
    for candidates in (_rotated(others, turn // len(live)), _rotated(fenced, turn)):
        while candidates and len(chosen) < replication_factor:
            # min() takes the first of equals: the walk's order decides within the rack's turn.
            # Brokers without a rack are each their own.
            best = min(candidates, key=lambda b: 0 if b.rack is None else uses.get(b.rack, 0))
            candidates.remove(best)
            chosen.append(best)
            uses[best.rack] = uses.get(best.rack, 0) + 1
    return tuple(broker.broker_id for broker in chosen)


def _rotated(brokers: list[UsableBroker], by: int) -> list[UsableBroker]:
    if not brokers:
        return []
    start = by % len(brokers)
    return brokers[start:] + brokers[:start]


def _ring(brokers: list[UsableBroker], seed: int) -> list[UsableBroker]:
    """Racks take turns; the order of racks, and of brokers inside one, depends on the seed."""
    racks: dict[str | None, list[UsableBroker]] = {}
    for broker in sorted(brokers, key=lambda b: (_mix(seed ^ b.broker_id), b.broker_id)):
        racks.setdefault(broker.rack, []).append(broker)
    queues = list(racks.values())
    ring: list[UsableBroker] = []
    for depth in range(max(map(len, queues), default=0)):
        ring += [queue[depth] for queue in queues if depth < len(queue)]
    return ring


def _mix(value: int) -> int:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
