"""Which replicas should be where: the plan of a reassignment; pure.

Replicas come first (rotation.py): each partition over as many racks as it can be, each broker with
as many replicas as the others, and with that as few bytes moved as possible. Then, where one
broker's share of bytes is far above another's, replicas are swapped for smaller ones. Last,
leaders: each broker prefers as many partitions as the others, with as few changes as possible; that
moves no data. A cluster that is balanced already gets an empty plan.

`drain` and `fill` do less: replicas leave the drained brokers, or come to the filled ones, and
nothing else is moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ottla.core.errors import ConfigError
from ottla.reassignment.rotation import Item, Spread

UNEVEN_BYTES: Final = 0.2
"""Bytes are levelled while the fullest and the emptiest broker differ by more of the mean."""
SWAPS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class PartitionPlace:
    """A partition as it is. `size_bytes`: of its largest replica."""

    topic: str
    index: int
    replicas: tuple[int, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that may have replicas."""

    broker_id: int
    rack: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One partition with other replicas, or others preferred; the preferred leader comes first."""

    topic: str
    index: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    size_bytes: int

    @property
    def added(self) -> tuple[int, ...]:
        return tuple(broker for broker in self.after if broker not in self.before)

    @property
    def removed(self) -> tuple[int, ...]:
        return tuple(broker for broker in self.before if broker not in self.after)

    @property
    def bytes_to_move(self) -> int:
        return self.size_bytes * len(self.added)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked for beside balance."""

    replication_factor: int | None = None
    """None: each partition keeps its own."""
    fill: frozenset[int] = field(default_factory=frozenset)
    """Only these brokers get replicas that they do not have; empty: all may."""
    keep: bool = False
    """Replicas on brokers that stay are left where they are (drain)."""
    level_bytes: bool = True


def plan(
    partitions: Sequence[PartitionPlace], brokers: Iterable[Broker], wishes: Wishes | None = None
) -> list[Change]:
    """The changes that spread `partitions` over `brokers`; empty when nothing is better.

    ConfigError when there are fewer brokers than replicas.
    """
    wishes = wishes or Wishes()
    racks = {broker.broker_id: broker.rack for broker in brokers}
    copies = _copies(partitions, racks, wishes)
    leaders = _leaders(partitions, copies, racks)
    changes = []
    for place, held, leader in zip(partitions, copies, leaders, strict=True):
        staying = [broker for broker in place.replicas if broker in held]
        coming = sorted(held.difference(place.replicas))
        after = (leader, *(b for b in (*staying, *coming) if b != leader))
        if after != place.replicas:
            changes.append(
                Change(place.topic, place.index, place.replicas, after, place.size_bytes)
            )
    return changes


def _copies(
    partitions: Sequence[PartitionPlace], racks: Mapping[int, str | None], wishes: Wishes
) -> list[set[int]]:
    eligible = frozenset(racks)
    total = sum(max(1, len(place.replicas)) for place in partitions) + len(partitions)
    items: list[Item] = []
    load = dict.fromkeys(racks, 0)
    for place in partitions:
        factor = wishes.replication_factor or len(place.replicas)
        if factor > len(eligible):
            raise ConfigError(
                f"{place.topic}-{place.index} needs {factor} replicas, and only {len(eligible)} "
                f"brokers may have them ({_ids(eligible)}): start more brokers, name more of them, "
                "or ask for fewer replicas"
            )
        origin = frozenset(place.replicas)
        held = _begin(place, factor, racks, load, wishes)
        for broker in held:
            load[broker] += 1
        # First the bytes, then the number of replicas.
        items.append(Item(held, origin, eligible, place.size_bytes * total + 1))

    def permits(item: Item, source: int, target: int) -> bool:
        if wishes.keep and source in item.origin and target not in item.origin:
            return False
        return not wishes.fill or target in wishes.fill or target in item.origin

    limited = wishes.keep or bool(wishes.fill)
    spread = Spread(items, [*eligible], racks=racks, permits=permits if limited else None)
    spread.settle()
    if wishes.level_bytes and not limited:
        _level_bytes(partitions, spread)
    return [item.copies for item in items]


def _begin(
    place: PartitionPlace,
    factor: int,
    racks: Mapping[int, str | None],
    load: Mapping[int, int],
    wishes: Wishes,
) -> set[int]:
    """Where the copies are before they are spread: what stays, filled up."""
    held = {broker for broker in place.replicas if broker in racks}

    def in_rack(broker: int) -> int:
        rack = racks[broker]
        return 0 if rack is None else sum(1 for other in held if racks[other] == rack)

    while len(held) > factor:
        held.remove(max(held, key=lambda b: (in_rack(b), b != place.replicas[0], load[b], b)))
    while len(held) < factor:
        free = [broker for broker in racks if broker not in held]
        held.add(min(free, key=lambda b: (in_rack(b), load[b], b)))
    return held


def _level_bytes(partitions: Sequence[PartitionPlace], spread: Spread) -> None:
    """Swap replicas between the fullest and the emptiest broker while they differ by much."""
    sizes = [place.size_bytes for place in partitions]
    held = dict.fromkeys(spread.load, 0)
    for size, item in zip(sizes, spread.items, strict=True):
        for broker in item.copies:
            held[broker] += size
    if not held:
        return
    allowed = UNEVEN_BYTES * sum(held.values()) / len(held)
    for _ in range(SWAPS_MAX):
        full = max(held, key=lambda b: (held[b], b))
        empty = min(held, key=lambda b: (held[b], b))
        gap = held[full] - held[empty]
        if gap <= allowed:
            return
        swap = _best_swap(sizes, spread, full, empty, gap)
        if swap is None:
            return
        large, small = swap
        for number, source, target in ((large, full, empty), (small, empty, full)):
            copies = spread.items[number].copies
            copies.remove(source)
            copies.add(target)
            held[source] -= sizes[number]
            held[target] += sizes[number]


def _best_swap(
    sizes: Sequence[int], spread: Spread, full: int, empty: int, gap: int
) -> tuple[int, int] | None:
    """(partition to take from `full`, one to take from `empty`) that leaves the least gap; one that
    leaves nearly all of it is not worth its bytes."""

    def candidates(source: int, target: int) -> list[int]:
        return [
            number
            for number, item in enumerate(spread.items)
            if source in item.copies
            and target not in item.copies
            and spread.crowding(item, source, target) <= 0
        ]

    best: tuple[float, int, int] | None = None
    smaller = candidates(empty, full)
    for large in candidates(full, empty):
        for small in smaller:
            left = abs(gap - 2 * (sizes[large] - sizes[small]))
            if left <= 0.8 * gap and (best is None or left < best[0]):
                best = (left, large, small)
    return None if best is None else best[1:]


def _leaders(
    partitions: Sequence[PartitionPlace],
    copies: Sequence[set[int]],
    racks: Mapping[int, str | None],
) -> list[int]:
    """The preferred leader of each partition."""
    load = dict.fromkeys(racks, 0)
    items = []
    for place, held in zip(partitions, copies, strict=True):
        preferred = place.replicas[0] if place.replicas else -1
        leader = preferred if preferred in held else min(held, key=lambda b: (load[b], b))
        load[leader] += 1
        items.append(Item({leader}, frozenset({preferred}), frozenset(held), 1))
    Spread(items, [*racks]).settle()
    return [next(iter(item.copies)) for item in items]


def _ids(brokers: Iterable[int]) -> str:
    return ", ".join(str(broker) for broker in sorted(brokers)) or "none"
