from __future__ import annotations

import pytest

from tests.benchmark.compare.open_loop import quantile, summary


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100), (0.001, 1)]
)
def test_quantiles_are_values_that_were_measured(share: float, value: int) -> None:
    assert quantile(range(1, 101), share) == value


def test_of_one_value_every_quantile_is_it() -> None:
    assert {quantile([7], share) for share in (0.0, 0.5, 0.999, 1.0)} == {7}


def test_the_summary_is_in_milliseconds_and_counts_what_is_lost() -> None:
    found = summary([3_000_000, 1_000_000, 2_000_000], expected=5)
    assert found == {"count": 3, "p50": 2.0, "p99": 3.0, "p999": 3.0, "worst": 3.0, "lost": 2}


def test_nothing_arrived() -> None:
    with pytest.raises(RuntimeError, match="no message"):
        summary([], expected=5)
