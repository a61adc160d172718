from __future__ import annotations

from broker.replication.throttle import BURST_MS, UNLIMITED, Throttle


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
    throttle = Throttle(UNLIMITED)
    for _ in range(1_000):
        throttle.take(1 << 40, 0)
    assert throttle.wait_ms(0) == 0


def test_another_rate_holds_at_once_and_the_same_one_changes_nothing() -> None:
    throttle = Throttle(1)
    throttle.take(1_000_000, 0)
    throttle.set_rate(1)
    assert throttle.wait_ms(0) > 900_000_000
    throttle.set_rate(1_000)
    assert throttle.wait_ms(0) == 0
    throttle.take(3_000, 0)
    assert throttle.wait_ms(0) == 2_000
