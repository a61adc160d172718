"""Composes faults at random from a seed. Pure: one seed always gives the same rounds.

A campaign is a sequence of rounds. In a round one to three faults begin within a few seconds of
each other and overlap; when all are healed, the cluster is given the time to become whole. Every
kind is dealt once before any comes again, so that a campaign of some length has had all of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

AT_ONCE = (1, 1, 2, 2, 2, 3)
BEGIN_SECONDS_MAX = 4.0


@dataclass(frozen=True, slots=True)
class KindPlan:
    """How one kind is composed: how long it holds, and whether others may overlap it."""

    name: str
    hold_seconds: tuple[float, float]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One fault of a round. `dice` seeds what it chooses by itself: its victim, its details."""

    kind: str
    after_seconds: float
    hold_seconds: float
    dice: str


def rounds(seed: int, kinds: Sequence[KindPlan]) -> Iterator[tuple[Step, ...]]:
    """Rounds without end."""
    rng = random.Random(seed)
    deck: list[KindPlan] = []
    number = 0
    while True:
        number += 1
        wanted = rng.choice(AT_ONCE)
        dealt: list[KindPlan] = []
        while len(dealt) < wanted:
            if not deck:
                deck = rng.sample(list(kinds), len(kinds))
            if deck[-1].alone and dealt:
                break
            dealt.append(deck.pop())
            if dealt[-1].alone:
                break
        yield tuple(
            Step(
                kind=kind.name,
                after_seconds=rng.uniform(0.0, BEGIN_SECONDS_MAX) if index else 0.0,
                hold_seconds=rng.uniform(*kind.hold_seconds),
                dice=f"{seed}-{number}-{index}",
            )
            for index, kind in enumerate(dealt)
        )
