from __future__ import annotations

import random
from typing import Any, cast

import pytest

from tests.chaos import driver as driver_module
from tests.chaos.driver import TRIES_MAX, Driver
from tests.chaos.faults import KINDS, Harm, Kind, Steps
from tests.chaos.scene import NotNow, Scene
from tests.chaos.schedule import Step


class FakeTime:
    """A clock that goes on by being slept on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Play:
    """Faults that write down what they do, and when."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[float, str]] = []
        self.refuse = 0
        self._time = FakeTime()
        monkeypatch.setattr(driver_module, "time", self._time)
        monkeypatch.setitem(KINDS, "one", Kind(self._one, (0.0, 0.0), 7.0, stops=True))
        self.driver = Driver(cast(Scene, None), lambda _: None)

    def _note(self, what: str) -> None:
        self.done.append((round(self._time.now - 1000.0, 3), what))

    def _one(self, scene: Any, rng: random.Random, seconds: float) -> Steps:
        if self.refuse:
            self.refuse -= 1
            raise NotNow("not yet")
        name = f"{rng.random():.3f}"
        self._note(f"harm {name}")
        yield Harm(name, seconds, frozenset({1}))
        self._note(f"worse {name}")
        yield Harm("", seconds, frozenset({2}))
        self._note(f"heal {name}")


def step(dice: str, after: float, hold: float) -> Step:
    return Step("one", after, hold, dice)


def name_of(dice: str) -> str:
    return f"{random.Random(dice).random():.3f}"


def test_faults_overlap_and_each_part_comes_at_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(monkeypatch)
    a, b = name_of("a"), name_of("b")
    injuries = play.driver.play([step("a", 0.0, 5.0), step("b", 1.0, 1.5)])
    assert play.done == [
        (0.0, f"harm {a}"),
        (1.0, f"harm {b}"),
        (2.5, f"worse {b}"),
        (4.0, f"heal {b}"),
        (5.0, f"worse {a}"),
        (10.0, f"heal {a}"),
    ]
    first, second = injuries
    assert (first.began_at, first.healed_at) == (1000.0, 1010.0)
    assert (second.began_at, second.healed_at) == (1001.0, 1004.0)
    assert (first.about, first.bound_seconds, first.stops) == (a, 7.0, True)
    assert first.nodes == {1, 2}


def test_what_cannot_be_done_now_is_tried_again_with_the_same_dice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play = Play(monkeypatch)
    play.refuse = 3
    (injury,) = play.driver.play([step("a", 0.0, 1.0)])
    assert (injury.about, injury.began_at) == (name_of("a"), 1003.0)
    assert play.driver.skipped == 0


def test_and_left_out_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(monkeypatch)
    play.refuse = TRIES_MAX
    assert play.driver.play([step("a", 0.0, 1.0)]) == []
    assert play.driver.skipped == 1
    assert play.done == []


def test_a_round_gives_its_own_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(monkeypatch)
    play.driver.play([step("a", 0.0, 1.0)])
    (second,) = play.driver.play([step("b", 0.0, 1.0)])
    assert second.about == name_of("b")
    assert len(play.driver.injuries) == 2
