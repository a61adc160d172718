from __future__ import annotations

from ottla.reassignment.progress import WINDOW_MS, Copying, Measure, Pace, copied

ONE = Copying("t", 0, (3, 4), (1, 2))
KEY = ("t", 0)


def test_what_is_copied_is_measured_by_the_largest_log_there_is() -> None:
    sizes = {1: {KEY: 100}, 2: {KEY: 90}, 3: {KEY: 40}, 4: {KEY: 120}}
    assert copied(sizes, ONE) == (40 + 100, 200)
    assert copied({}, ONE) == (0, 0)


def test_it_is_measured_once_it_has_ended_and_all_have_told() -> None:
    measure = Measure(ONE)
    sizes = {1: {KEY: 100}, 3: {KEY: 40}, 4: {KEY: 60}}
    measure.note(sizes, {1, 3, 4}, is_open=True)
    assert (measure.there, measure.whole, measure.is_measured) == (100, 200, False)
    measure.note({3: {KEY: 100}, 4: {KEY: 60}}, {3}, is_open=False)
    assert (measure.there, measure.is_measured) == (160, False)
    measure.note({3: {KEY: 100}, 4: {KEY: 100}}, {3, 4}, is_open=False)
    measure.note({3: {KEY: 500}, 4: {KEY: 500}}, {3, 4}, is_open=False)
    assert (measure.there, measure.whole, measure.is_measured) == (200, 200, True)


def test_the_pace_is_that_of_the_last_half_minute() -> None:
    pace = Pace()
    assert pace.bytes_per_second is None
    pace.note(0, 0)
    pace.note(10_000, 1_000)
    assert pace.bytes_per_second == 10_000
    assert pace.seconds_left(5_000) == 0.5
    pace.note(10_000, WINDOW_MS + 1_000)
    assert pace.bytes_per_second == 0
    assert pace.seconds_left(5_000) is None
