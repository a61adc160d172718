"""Spreading copies of items over brokers, exactly, with as little moved as possible; pure.

What is minimised, in this order:

    crowding   for each item, the squares of its copies per rack
    load       the squares of the copies per broker: the least where all differ by one at most
    cost       of each copy on a broker that did not have it

That is a minimum-cost flow (item → rack → broker), and an assignment is the best one if and only if
no *rotation* of moves makes it better: copies that go from a to b, from b to c, and so on, back to
a or to a broker that has one more in the end (no negative cycle in the residual network; Klein
1967). So it starts from what is there, does rotations until there is none, and before them, since
one of n brokers and m items takes m · n steps, moves straight from the fullest to the emptiest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ottla.core.checks import check

_OUTSIDE: Final = -1
"""Where a rotation ends that makes one broker's load larger and another one's smaller."""
ROTATIONS_MAX: Final = 1_000_000
"""Each makes the sum smaller by at least 1, so they end; this only turns a bug into an error."""

Rack: TypeAlias = Hashable
Permits: TypeAlias = Callable[["Item", int, int], bool]


@dataclass(slots=True)
class Item:
    """Something with copies on brokers. `allowed`: where they may be; `cost`: of a copy on a broker
    that is not in `origin`, at least 1."""

    copies: set[int]
    origin: frozenset[int]
    allowed: frozenset[int]
    cost: int


@dataclass(frozen=True, slots=True)
class _Move:
    """One copy of one item."""

    item: int
    source: int
    target: int


class Spread:
    """See the module. `racks` of the brokers; without, or None, each broker is a rack of its own.
    `permits` may forbid single moves (item, source, target)."""

    def __init__(
        self,
        items: Sequence[Item],
        brokers: Sequence[int],
        *,
        racks: Mapping[int, Rack | None] | None = None,
        permits: Permits | None = None,
    ) -> None:
        self.items = items
        self._brokers = tuple(sorted(brokers))
        self._rack = {
            broker: ("broker", broker)
            if racks is None or racks.get(broker) is None
            else ("rack", racks[broker])
            for broker in self._brokers
        }
        self._permits = permits
        self.load = dict.fromkeys(self._brokers, 0)
        for item in items:
            for broker in item.copies:
                self.load[broker] += 1
        copies = sum(self.load.values())
        self._load_weight = 2 * sum(item.cost * len(item.allowed) for item in items) + 1
        self._crowding_weight = self._load_weight * (2 * (copies + 1) ** 2 + 1)

    def settle(self) -> None:
        """Rotate until nothing is better."""
        while self._straight():
            pass
        for _ in range(ROTATIONS_MAX):
            rotation = self._rotation()
            if rotation is None:
                return
            for move in rotation:
                self._apply(move)
        check(False, "rotations do not end", rotations=ROTATIONS_MAX)

    def crowding(self, item: Item, source: int, target: int) -> int:
        """How many more squares of copies per rack a move makes."""
        before, after = self._rack[source], self._rack[target]
        if before == after:
            return 0
        there = sum(1 for b in item.copies if self._rack[b] == after)
        here = sum(1 for b in item.copies if self._rack[b] == before)
        return (2 * there + 1) - (2 * here - 1)

    # ---- inside

    def _straight(self) -> bool:
        """The cheapest move from the fullest broker to the emptiest; False when none is better."""
        if not self._brokers:
            return False
        source = max(self._brokers, key=lambda broker: (self.load[broker], broker))
        target = min(self._brokers, key=lambda broker: (self.load[broker], broker))
        if self.load[source] - self.load[target] < 2:
            return False
        best: tuple[int, int] | None = None
        for number, item in enumerate(self.items):
            if source not in item.copies or target not in item.allowed - item.copies:
                continue
            if self._permits is not None and not self._permits(item, source, target):
                continue
            weight = self._weight(item, source, target)
            if best is None or weight < best[0]:
                best = (weight, number)
        if best is None or best[0] >= 2 * self._load_weight:
            return False
        self._apply(_Move(best[1], source, target))
        return True

    def _apply(self, move: _Move) -> None:
        copies = self.items[move.item].copies
        copies.remove(move.source)
        copies.add(move.target)
        self.load[move.source] -= 1
        self.load[move.target] += 1

    def _weight(self, item: Item, source: int, target: int) -> int:
        moved = (target not in item.origin) - (source not in item.origin)
        return self._crowding_weight * self.crowding(item, source, target) + moved * item.cost

    def _edges(self) -> dict[tuple[int, int], tuple[int, _Move | None]]:
        """The cheapest move from each broker to each other one."""
        edges: dict[tuple[int, int], tuple[int, _Move | None]] = {}
        for number, item in enumerate(self.items):
            free = sorted(item.allowed - item.copies)
            for source in item.copies:
                for target in free:
                    if self._permits is not None and not self._permits(item, source, target):
                        continue
                    weight = self._weight(item, source, target)
                    known = edges.get((source, target))
                    if known is None or weight < known[0]:
                        edges[source, target] = (weight, _Move(number, source, target))
        for broker in self._brokers:
            load = self.load[broker]
            edges[broker, _OUTSIDE] = (self._load_weight * (2 * load + 1), None)
            if load:
                edges[_OUTSIDE, broker] = (-self._load_weight * (2 * load - 1), None)
        return edges

    def _rotation(self) -> list[_Move] | None:
        """Moves that together make it better, by Bellman and Ford; None: there are none."""
        edges = self._edges()
        nodes = (*self._brokers, _OUTSIDE)
        distance = dict.fromkeys(nodes, 0)
        reached_by: dict[int, int] = {}
        last: int | None = None
        for _ in nodes:
            last = None
            for (source, target), (weight, _move) in edges.items():
                if distance[source] + weight < distance[target]:
                    distance[target] = distance[source] + weight
                    reached_by[target] = source
                    last = target
            if last is None:
                return None
        assert last is not None
        for _ in nodes:
            last = reached_by[last]
        cycle = [last]
        while (before := reached_by[cycle[-1]]) != last:
            cycle.append(before)
        cycle.append(last)
        cycle.reverse()
        if _OUTSIDE in cycle:
            at = cycle.index(_OUTSIDE)
            cycle = [*cycle[at:-1], *cycle[: at + 1]]
        moves = [edges[pair][1] for pair in itertools.pairwise(cycle)]
        return self._better_part([move for move in moves if move is not None])

    def _better_part(self, moves: list[_Move]) -> list[_Move] | None:
        """The rotation, or the part of it that is better and moves no item twice.

        The weights of two moves of one item hold only for one of them at a time. Such a rotation
        falls into two smaller ones where it passes the item, of which one is better.
        """
        first: dict[int, int] = {}
        for j, later in enumerate(moves):
            i = first.setdefault(later.item, j)
            if i == j:
                continue
            earlier = moves[i]
            across = _Move(later.item, earlier.source, later.target)
            back = _Move(later.item, later.source, earlier.target)
            for part in ([*moves[:i], across, *moves[j + 1 :]], [back, *moves[i + 1 : j]]):
                found = self._better_part([move for move in part if move.source != move.target])
                if found is not None:
                    return found
            return None
        return moves if moves and self._change(moves) < 0 else None

    def _change(self, moves: Sequence[_Move]) -> int:
        """How much more the sum becomes; each item is moved once."""
        change = sum(self._weight(self.items[m.item], m.source, m.target) for m in moves)
        more: dict[int, int] = {}
        for move in moves:
            more[move.source] = more.get(move.source, 0) - 1
            more[move.target] = more.get(move.target, 0) + 1
        for broker, count in more.items():
            load = self.load[broker]
            change += self._load_weight * ((load + count) ** 2 - load**2)
        return change
