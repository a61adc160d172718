from __future__ import annotations

from broker.replication.throttle import BURST_MS, UNLIMITED, Throttle, throttle_of


def test_a_burst_goes_at_once_and_what_is_more_is_waited_for() -> None:
    throttle = Throttle(1_000)
    assert throttle.wait_ms(5_000) == 0
    throttle.take(BURST_MS, 5_000)
    assert throttle.wait_ms(5_000) == 0
    throttle.take(500, 5_000)
    assert throttle.wait_ms(5_000) == 500
    assert throttle.wait_ms(5_400) == 100
    assert throttle.wait_ms(5_500) == 0


def test_over_time_the_rate_is_kept() -> None:
    throttle, sent = Throttle(1_000_000), 0
    for now_ms in range(0, 60_000, 100):
        while throttle.wait_ms(now_ms) == 0:
            throttle.take(70_001, now_ms)
            sent += 70_001
    assert 60_000_000 <= sent <= 61_000_000 + 70_001


def test_what_was_not_used_is_saved_for_one_burst() -> None:
    throttle = Throttle(1_000)
    throttle.take(1_000, 0)
    throttle.take(1_000, 3_600_000)
    assert throttle.wait_ms(3_600_000) == 0
    throttle.take(1, 3_600_000)
    assert throttle.wait_ms(3_600_000) > 0


def test_kafkas_default_is_no_limit() -> None:
    assert throttle_of(UNLIMITED) is None
    assert throttle_of(UNLIMITED - 1) is not None
