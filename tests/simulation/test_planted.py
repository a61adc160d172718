"""A checker that finds nothing proves nothing: each rule that is taken out must be missed.

Here are those that show within a few seeds; `make simulate-planted` looks for all.
"""

from __future__ import annotations

from tests.simulation.campaign import run_planted
from tests.simulation.planted import PLANTED
from tests.simulation.test_simulation import JOBS

SEEDS_MAX = 10


def test_planted_faults_are_found_within_their_seeds() -> None:
    chosen = [planted for planted in PLANTED if planted.seeds <= SEEDS_MAX]
    assert len(chosen) >= 15
    missed = [planted.name for planted, found, _ in run_planted(chosen, JOBS) if found is None]
    assert not missed


def test_each_has_a_name_of_its_own() -> None:
    assert len({planted.name for planted in PLANTED}) == len(PLANTED)
