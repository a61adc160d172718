from ottla.core.clock import ManualClock, SystemClock


def test_the_wall_clock_may_jump_without_moving_the_monotonic_one() -> None:
    clock = ManualClock(now_ms=5)
    clock.advance(10)
    clock.set_wall(42)
    assert (clock.now_ms(), clock.timestamp_ms()) == (15, 42)


def test_the_system_clock_does_not_go_back() -> None:
    clock = SystemClock()
    first = clock.now_ms()
    assert clock.now_ms() >= first
    assert clock.timestamp_ms() > 1_600_000_000_000
