"""A checker that finds nothing proves nothing: each rule that is taken out must be missed."""

from __future__ import annotations

from tests.simulation.campaign import run_planted
from tests.simulation.planted import PLANTED
from tests.simulation.test_simulation import JOBS


def test_every_planted_fault_is_found_within_its_seeds() -> None:
    missed = [planted.name for planted, found, _ in run_planted(PLANTED, JOBS) if found is None]
    assert not missed
    assert len({planted.name for planted in PLANTED}) == len(PLANTED) >= 15
