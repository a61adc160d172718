from __future__ import annotations

from broker.quotas.rate import WindowedRate


def test_who_was_idle_may_take_what_the_windows_give() -> None:
    rate = WindowedRate()
    assert rate.burst(100) == 1_000
    rate.record(1_000, 0)
    assert rate.throttle_ms(100, 0) == 0
    rate.record(1, 0)
    assert rate.throttle_ms(100, 0) == 10
    assert rate.throttle_ms(100, 0, amount=99) == 1_000


def test_the_pause_is_what_brings_the_rate_down() -> None:
    rate = WindowedRate(windows=11, window_ms=1_000)
    rate.record(2_000, 0)
    assert rate.throttle_ms(100, 0) == 10_000
    # After the pause the same amount, taken over the longer time, is within the quota.
    assert rate.throttle_ms(100, 10_000) == 10_000
    assert rate.throttle_ms(100, 11_000) == 0


def test_what_is_older_than_the_windows_is_forgotten() -> None:
    rate = WindowedRate(windows=3, window_ms=100)
    rate.record(50, 0)
    assert not rate.is_idle
    assert rate.throttle_ms(1, 299) > 0
    assert rate.throttle_ms(1, 300) == 0
    assert rate.is_idle


def test_one_window_measures_by_itself() -> None:
    rate = WindowedRate(windows=1, window_ms=1_000)
    rate.record(150, 0)
    assert rate.throttle_ms(100, 0) == 500
