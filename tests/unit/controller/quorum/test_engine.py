"""The guarded engine in a simulated quorum; each test fails when its guard is taken out."""

from __future__ import annotations

import pytest

from tests.support.raft_simulation import Clock, Simulation


@pytest.mark.parametrize("voters", [1, 3, 5])
def test_commits_on_every_voter(clock: Clock, voters: int) -> None:
    simulation = Simulation(clock, voters=voters)
    for number in range(20):
        simulation.commit(f"command {number}")
    simulation.converge()
    for voter in simulation.voters.values():
        assert voter.machine.commands == [f"command {number}" for number in range(20)]
