from __future__ import annotations

from broker.quotas.bucket import TokenBucket


def test_a_burst_then_the_rate() -> None:
    bucket = TokenBucket(rate=2, burst_seconds=5, now_ms=0)
    bucket.take(10, 0)
    assert bucket.throttle_ms(0) == 0
    bucket.take(4, 0)
    assert bucket.throttle_ms(0) == 2_000
    assert bucket.throttle_ms(1_999) == 1
    assert bucket.throttle_ms(2_000) == 0


def test_no_more_than_the_burst_is_saved_up() -> None:
    bucket = TokenBucket(rate=2, burst_seconds=5, now_ms=0)
    bucket.take(-100, 0)
    bucket.take(11, 1_000_000)
    assert bucket.throttle_ms(1_000_000) == 500


def test_what_is_given_back_is_there_again() -> None:
    bucket = TokenBucket(rate=1, burst_seconds=1, now_ms=0)
    bucket.take(5, 0)
    bucket.take(-5, 0)
    assert bucket.throttle_ms(0) == 0


def test_another_rate_holds_for_what_is_owed() -> None:
    bucket = TokenBucket(rate=1, burst_seconds=1, now_ms=0)
    bucket.take(11, 0)
    assert bucket.throttle_ms(0) == 10_000
    bucket.set_rate(10, 0)
    assert bucket.throttle_ms(0) == 1_000
