from __future__ import annotations

from tests.benchmark.compare.produce import AIMS, MATRIX, OTHERS, Pace


def test_a_point_takes_as_long_as_was_said_at_the_rate_that_is_known() -> None:
    pace = Pace(seconds=2.0)
    pace.learn("java", 1_000, 30.0)
    assert pace.count("java", 1_000) == 60_000
    assert pace.count("java", 1_000, times=1.5) == 90_000


def test_another_size_is_guessed_until_it_was_measured() -> None:
    pace = Pace(seconds=1.0)
    pace.learn("java", 1_000, 30.0)
    assert pace.count("java", 100) == 150_000
    pace.learn("java", 100, 6.0)
    assert pace.count("java", 100) == 60_000


def test_no_point_is_nothing_and_none_is_endless() -> None:
    pace = Pace(seconds=1.0)
    pace.learn("java", 1_000, 0.001)
    pace.learn("librdkafka", 1_000, 1e6)
    assert pace.count("java", 1_000) == 20_000
    assert pace.count("librdkafka", 1_000) == 3_000_000


def test_points_have_keys_of_their_own() -> None:
    points = dict.fromkeys([*AIMS, *MATRIX, *OTHERS])
    assert len({point.key for point in points}) == len(points)
    assert len({point.title for point in points}) == len(points)


def test_the_points_with_an_aim_are_those_that_are_measured_twice() -> None:
    assert {p for p in [*AIMS, *MATRIX, *OTHERS] if p.measure().aim is not None} == set(AIMS)
