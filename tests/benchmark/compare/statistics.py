"""Ratios of Ottla to Apache Kafka, with their spread.

Systems are compared within a round, where the machine was in one state: a round's ratio is that of
the two medians of its samples. The ratio of a measure is the median of its rounds' ratios, and its
spread the lowest and the highest of them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.benchmark.compare.samples import KAFKA, OTTLA, Measure, Sample


@dataclass(frozen=True, slots=True)
class Spread:
    """Bounds inclusive."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


def ratio_by_round(samples: Iterable[Sample], measure: str) -> dict[int, float]:
    """Ottla to Kafka in each round in which both were measured; Kafka's zero has no ratio."""
    values: dict[tuple[int, str], list[float]] = {}
    for sample in samples:
        if sample.measure == measure:
            values.setdefault((sample.round, sample.system), []).append(sample.value)
    found = {}
    for number in sorted({number for number, _ in values}):
        ours, theirs = values.get((number, OTTLA)), values.get((number, KAFKA))
        if ours and theirs and statistics.median(theirs) > 0:
            found[number] = statistics.median(ours) / statistics.median(theirs)
    return found


def ratio(samples: Iterable[Sample], measure: str) -> Spread | None:
    ratios = ratio_by_round(samples, measure)
    return Spread.of([*ratios.values()]) if ratios else None


def values(samples: Iterable[Sample], measure: str, system: str) -> Spread | None:
    """Over all rounds."""
    found = [s.value for s in samples if (s.measure, s.system) == (measure, system)]
    return Spread.of(found) if found else None


def aim_is_met(measure: Measure, found: Spread) -> bool:
    """By the median: the spread is shown beside it."""
    if measure.aim is None:
        raise ValueError(f"{measure.key} has no aim")
    if measure.lower_is_better:
        return found.median <= measure.aim
    return found.median >= measure.aim
