from __future__ import annotations

from itertools import islice

from tests.chaos.faults import KINDS
from tests.chaos.schedule import KindPlan, Step, rounds

PLANS = [kind.plan(name) for name, kind in KINDS.items()]


def take(seed: int, count: int, plans: list[KindPlan] = PLANS) -> list[tuple[Step, ...]]:
    return list(islice(rounds(seed, plans), count))


def test_a_seed_is_a_composition() -> None:
    assert take(3, 50) == take(3, 50)
    assert take(3, 50) != take(4, 50)


def test_every_kind_comes_before_any_comes_again() -> None:
    dealt = [step.kind for steps in take(5, 60) for step in steps]
    for start in range(0, len(dealt) - len(KINDS), len(KINDS)):
        assert set(dealt[start : start + len(KINDS)]) == set(KINDS)


def test_faults_overlap_except_those_that_are_alone() -> None:
    composed = take(6, 200)
    assert {len(steps) for steps in composed} == {1, 2, 3}
    alone = {name for name, kind in KINDS.items() if kind.alone}
    assert alone
    assert all(len(steps) == 1 for steps in composed if alone & {step.kind for step in steps})


def test_faults_hold_as_long_as_their_kind_says_and_have_dice_of_their_own() -> None:
    steps = [step for steps in take(7, 100) for step in steps]
    for step in steps:
        shortest, longest = KINDS[step.kind].hold_seconds
        assert shortest <= step.hold_seconds <= longest
    assert len({step.dice for step in steps}) == len(steps)


def test_the_first_fault_of_a_round_begins_it() -> None:
    assert all(steps[0].after_seconds == 0.0 for steps in take(8, 100))
