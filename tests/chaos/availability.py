"""How long partitions could not be written, and whether that was too long. Pure.

A gap is the time between two acknowledgements of one partition. How long it may be follows from
the faults that it overlaps:

    STEADY_SECONDS
    + the bound of every fault in the gap's way (see faults.py)
    + the time during which the gap needed more than a majority: two nodes at once were harmed, or
      a fault was at work that stops writing as long as it holds

A harmed node counts as harmed for REJOIN_SECONDS after its healing: it must come back into the ISR
before the next one may go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

STEADY_SECONDS = 5.0
REJOIN_SECONDS = 15.0

Interval = tuple[float, float]


@dataclass
class Injury:
    """One fault as it happened. `bound_seconds`: how long it may keep a partition from being
    written while a majority is well; `stops`: as long as it holds, nothing is promised."""

    kind: str
    about: str
    began_at: float
    bound_seconds: float
    stops: bool = False
    nodes: frozenset[int] = field(default_factory=frozenset)
    healed_at: float | None = None
    whole_at: float | None = None
    """When the cluster was seen to be whole again, after all faults of the round."""

    def interval(self, end: float) -> Interval:
        """From the harm to when its node is expected to be whole again."""
        return self.began_at, (end if self.healed_at is None else self.healed_at) + REJOIN_SECONDS


@dataclass(frozen=True, slots=True)
class Gap:
    """No acknowledgement of a partition between two times; `allowed_seconds` by the faults."""

    began_at: float
    ended_at: float
    allowed_seconds: float

    @property
    def seconds(self) -> float:
        return self.ended_at - self.began_at

    @property
    def is_too_long(self) -> bool:
        return self.seconds > self.allowed_seconds


def gaps(
    times: Iterable[float],
    injuries: Sequence[Injury],
    *,
    at_least_seconds: float = STEADY_SECONDS,
    slack: float = 1.0,
) -> list[Gap]:
    """Gaps between acknowledgement `times`, of which each is allowed what the faults in its way
    excuse. `slack` (≥ 1) lengthens the bounds of a machine that others use too."""
    found = []
    for began_at, ended_at in pairwise(sorted(times)):
        if ended_at - began_at < at_least_seconds:
            continue
        found.append(
            Gap(began_at, ended_at, allowed_seconds((began_at, ended_at), injuries, slack))
        )
    return found


def allowed_seconds(gap: Interval, injuries: Sequence[Injury], slack: float = 1.0) -> float:
    end = gap[1]
    involved = [each for each in injuries if _overlap(gap, each.interval(end)) > 0]
    excused = merged(
        [each.interval(end) for each in involved if each.stops] + _two_harmed(involved, end)
    )
    bounds = STEADY_SECONDS + sum(each.bound_seconds for each in involved)
    return slack * bounds + sum(_overlap(gap, each) for each in excused)


def longest_gap(times: Sequence[float], window: Interval) -> float:
    """The longest time without an acknowledgement that overlaps `window`, in seconds. `times` are
    in order."""
    return max((b - a for a, b in pairwise(times) if a < window[1] and b > window[0]), default=0.0)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same times, without overlaps, in order."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _two_harmed(injuries: Sequence[Injury], end: float) -> list[Interval]:
    """When at least two different nodes were harmed at once."""
    return [
        (start, stop)
        for index, one in enumerate(injuries)
        for other in injuries[: index + 1]
        if len(one.nodes | other.nodes) >= 2
        for (start, stop) in [_common(one.interval(end), other.interval(end))]
        if start < stop
    ]


def _common(one: Interval, other: Interval) -> Interval:
    return max(one[0], other[0]), min(one[1], other[1])


def _overlap(one: Interval, other: Interval) -> float:
    start, end = _common(one, other)
    return max(0.0, end - start)
