from __future__ import annotations

import pytest

from tests.benchmark.compare.samples import KAFKA, OTTLA, Measure, Sample
from tests.benchmark.compare.statistics import (
    Spread,
    aim_is_met,
    ratio,
    ratio_by_round,
    values,
)

KEY = "produce/one"


def samples(*rounds: tuple[list[float], list[float]]) -> list[Sample]:
    """Each round as Ottla's and Kafka's values; other measures lie between them."""
    found = []
    for number, (ours, theirs) in enumerate(rounds, 1):
        found += [Sample(KEY, OTTLA, number, value) for value in ours]
        found += [Sample("produce/other", OTTLA, number, 1e9)]
        found += [Sample(KEY, KAFKA, number, value) for value in theirs]
    return found


def test_a_rounds_ratio_is_that_of_its_medians() -> None:
    assert ratio_by_round(samples(([1.0, 2.0, 30.0], [4.0])), KEY) == {1: 0.5}


def test_systems_are_compared_within_a_round_only() -> None:
    """The machine was twice as fast in round 2: the ratio does not see it, a ratio of overall
    medians of rounds of unequal length would."""
    found = samples(([1.0, 1.0, 1.0], [2.0]), ([2.0], [4.0, 4.0, 4.0]))
    assert ratio(found, KEY) == Spread(0.5, 0.5, 0.5)


def test_the_spread_is_that_of_the_rounds() -> None:
    found = samples(([1.0], [1.0]), ([3.0], [1.0]), ([2.0], [1.0]))
    assert ratio(found, KEY) == Spread(2.0, 1.0, 3.0)


def test_a_round_without_one_of_the_two_has_no_ratio() -> None:
    found = samples(([1.0], []), ([3.0], [2.0]), ([3.0], [0.0]))
    assert ratio_by_round(found, KEY) == {2: 1.5}
    assert ratio(samples(([1.0], [])), KEY) is None


def test_values_are_of_all_rounds() -> None:
    found = samples(([1.0, 5.0], [9.0]), ([3.0], []))
    assert values(found, KEY, OTTLA) == Spread(3.0, 1.0, 5.0)
    assert values(found, "produce/none", OTTLA) is None


@pytest.mark.parametrize(
    ("lower_is_better", "median", "is_met"),
    [
        (True, 0.7, True),
        (True, 0.71, False),
        (False, 0.7, True),
        (False, 0.69, False),
    ],
)
def test_an_aim_bounds_the_median_from_the_side_that_is_worse(
    lower_is_better: bool, median: float, is_met: bool
) -> None:
    measure = Measure(KEY, "", "s", lower_is_better, 0.7)
    assert aim_is_met(measure, Spread(median, 0.1, 10.0)) is is_met


def test_what_has_no_aim_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="produce/one"):
        aim_is_met(Measure(KEY, "", "s", True), Spread(1.0, 1.0, 1.0))
