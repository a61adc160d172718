"""Random faults over many seeds: safety holds at every step, and the quorum comes back."""

from __future__ import annotations

import pytest

from controller.quorum.timings import Timings
from tests.support.raft_simulation import Clock, Simulation

TIMINGS = Timings(snapshot_entries=20, snapshot_bytes=6000)


@pytest.mark.parametrize("seed", range(40))
def test_acknowledged_commands_survive_everything(clock: Clock, seed: int) -> None:
    simulation = Simulation(clock, voters=3 if seed % 4 else 5, seed=seed, timings=TIMINGS)
    chance = simulation.random
    simulation.delay_seconds_max = chance.choice((0.0, 0.02, 0.1))
    simulation.drop_share = chance.choice((0.0, 0.05))
    simulation.duplicate_share = chance.choice((0.0, 0.2))
    number = 0
    for _ in range(40):
        _disturb(simulation)
        for _ in range(chance.randrange(12)):
            leaders = [
                voter
                for voter in simulation.voters.values()
                if voter.engine is not None and voter.engine._isLeader()
            ]
            if leaders:
                number += 1
                padding = "x" * chance.choice((10, 10, 700))
                simulation.submit(chance.choice(leaders), f"{number} {padding}")
            simulation.step()
        simulation.run(chance.choice((0.05, 0.3, 1.0)))
    simulation.drop_share = simulation.duplicate_share = simulation.delay_seconds_max = 0.0
    simulation.heal()
    for voter in simulation.voters.values():
        voter.vfs.heal()
        if voter.engine is None:
            simulation.start(voter.voter_id)
    simulation.commit("the end")
    simulation.converge()
    simulation.check_nothing_lost()
    histories = {tuple(voter.machine.applied) for voter in simulation.voters.values()}
    assert len(histories) == 1
    assert simulation.acknowledged()


def _disturb(simulation: Simulation) -> None:
    chance = simulation.random
    voter_id = chance.choice(sorted(simulation.voters))
    voter = simulation.voters[voter_id]
    down = [one for one in simulation.voters.values() if one.engine is None]
    match chance.randrange(7):
        case 0 if voter.engine is not None and len(down) < len(simulation.voters) - 1:
            simulation.crash(voter_id, power_cut=chance.random() < 0.7)
        case 1 | 2 if voter.engine is None:
            simulation.start(voter_id)
        case 6 if len(down) < len(simulation.voters) - 1:
            simulation.crash_soon(voter_id, chance.randrange(30))
        case 3:
            simulation.isolate(voter_id)
        case 4:
            peer_id = chance.choice([one for one in simulation.voters if one != voter_id])
            simulation.disconnect(voter_id, peer_id)
        case 5:
            simulation.heal()
        case _:
            pass
