"""Plays a round: begins, goes on with and heals its faults, each at its time, in one thread."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections.abc import Callable, Sequence

from tests.chaos.availability import Injury
from tests.chaos.faults import KINDS, Steps
from tests.chaos.scene import NotNow, Scene
from tests.chaos.schedule import Step

TRIES_MAX = 30
TRY_SECONDS = 1.0


class Driver:
    """Faults that were done, in the order of their beginnings."""

    def __init__(self, scene: Scene, say: Callable[[str], None]) -> None:
        self.injuries: list[Injury] = []
        self.skipped = 0
        self._scene = scene
        self._say = say

    def play(self, steps: Sequence[Step]) -> list[Injury]:
        """Returns when every fault of the round is healed: those that were done."""
        began_at = time.monotonic()
        order = itertools.count()
        first = len(self.injuries)
        queue: list[tuple[float, int, Callable[[], float | None]]] = [
            (began_at + step.after_seconds, next(order), self._begin(step)) for step in steps
        ]
        heapq.heapify(queue)
        while queue:
            due, _, go_on = heapq.heappop(queue)
            time.sleep(max(0.0, due - time.monotonic()))
            seconds = go_on()
            if seconds is not None:
                heapq.heappush(queue, (time.monotonic() + seconds, next(order), go_on))
        return self.injuries[first:]

    def _begin(self, step: Step) -> Callable[[], float | None]:
        """Does the next part of a fault; the seconds to the one after it, or None at its end."""
        kind = KINDS[step.kind]
        steps: Steps | None = None
        injury: Injury | None = None
        tries = 0

        def go_on() -> float | None:
            nonlocal steps, injury, tries
            now = time.monotonic()
            try:
                if steps is None:
                    dice = random.Random(step.dice)
                    steps = kind.fault(self._scene, dice, step.hold_seconds)
                harm = next(steps)
            except NotNow as why:
                steps = None
                tries += 1
                if tries < TRIES_MAX:
                    return TRY_SECONDS
                self.skipped += 1
                self._say(f"  left out: {step.kind}: {why}")
                return None
            except StopIteration:
                if injury is not None:
                    injury.healed_at = time.monotonic()
                return None
            if injury is None:
                injury = Injury(step.kind, harm.about, now, kind.bound_seconds, kind.stops)
                self.injuries.append(injury)
                self._say(f"  {step.kind}: {harm.about}")
            injury.nodes |= harm.nodes
            return harm.seconds

        return go_on
