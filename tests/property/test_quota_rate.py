"""Rates of clients against a plain count of all that they took."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from broker.quotas.rate import WindowedRate


@given(
    st.lists(st.tuples(st.integers(0, 2_000), st.integers(1, 5_000)), min_size=1, max_size=60),
    st.integers(100, 5_000),
)
def test_who_pauses_as_told_keeps_the_quota(steps: list[tuple[int, int]], limit: int) -> None:
    """Against a plain count of all: in the long run no more than the burst, the rate, and what was
    last taken at once."""
    rate, now_ms = WindowedRate(), 0
    taken: dict[int, int] = defaultdict(int)
    for wait_ms, amount in steps:
        now_ms += wait_ms
        if rate.throttle_ms(limit, now_ms, amount) and not rate.is_idle:
            continue
        rate.record(amount, now_ms)
        taken[now_ms] += amount
    for start_ms in taken:
        within = [n for at, n in taken.items() if start_ms <= at < start_ms + 10_000]
        assert sum(within) <= rate.burst(limit) + max(within) + 1
