"""The cluster keeps its promises under random faults, and a run depends on its seed alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulation.campaign import missing_faults, replay, run_many
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.settings import REASSIGNED_FROM

JOBS = min(os.cpu_count() or 1, 4)
SEEDS = range(10)
"""Few, and in them everything happens; `make simulate` has more."""
EVENTS_MIN = 250_000


def test_nothing_acknowledged_is_lost_whatever_fails() -> None:
    report, failed = run_many(SEEDS, JOBS)
    assert not failed, [(outcome.seed, outcome.violation) for outcome in failed]
    assert report.counts["delivered events"] >= EVENTS_MIN
    assert not missing_faults(report)
    assert report.counts["recoveries"] == len(SEEDS)
    for what in ("truncations", "elections from the ELR", "elections by log ends"):
        assert report.counts[what], what


def test_nothing_is_lost_while_partitions_are_reassigned() -> None:
    report, failed = run_many(range(REASSIGNED_FROM, REASSIGNED_FROM + 3), JOBS)
    assert not failed, [(outcome.seed, outcome.violation) for outcome in failed]
    assert report.counts["reassignments that ended"] >= 3


def test_what_was_found_once_stays_right() -> None:
    _, failed = run_many([seed for seed, _ in REGRESSIONS], JOBS)
    assert not failed, [(outcome.seed, outcome.violation) for outcome in failed]


@pytest.mark.parametrize(("seed", "planted"), [(5, None), (0, "acknowledge before replication")])
def test_a_seed_replays_exactly(tmp_path: Path, seed: int, planted: str | None) -> None:
    first = replay(seed, tmp_path / "first", planted)
    again = replay(seed, tmp_path / "again", planted)
    assert first.violation == again.violation
    assert bool(first.violation) is (planted is not None)
    events = (tmp_path / "first").read_text()
    assert events == (tmp_path / "again").read_text()
    assert len(events.splitlines()) > 100
