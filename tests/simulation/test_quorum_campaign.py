"""The quorum under random faults; every kind of fault and of change must have happened."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.quorum_campaign import KINDS, run_seed, run_seeds
from tests.simulation.quorum_planted import PLANTED, PlantedFault, found_in

SEEDS = 30


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_nothing_is_violated_and_every_kind_happens() -> None:
    counts, violated = run_seeds(range(SEEDS))
    assert [(run.seed, run.violation) for run in violated] == []
    assert [kind for kind in KINDS if not counts[kind]] == []


def test_a_seed_is_the_same_run_each_time() -> None:
    one, other = run_seed(3), run_seed(3)
    assert one.events == other.events
    assert one.counts == other.counts


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: PlantedFault) -> None:
    assert found_in(fault) is not None
