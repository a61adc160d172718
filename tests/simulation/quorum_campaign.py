# ruff: noqa: T201 - a command that prints its report
"""The quorum under random faults, one seed a run: real engines and journals, virtual time.

    python -m tests.simulation.quorum_campaign --seeds 200        counts of everything
    python -m tests.simulation.quorum_campaign --seed 17          one run and its log of events

A run disturbs voters, disks and network, proposes commands, and lets an operator add and remove
voters, among them ones with a replaced disk. `Invariants` hold after every step; when the faults
end, everybody agrees within a bounded time, and nothing that was acknowledged is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from unittest import mock

from controller.quorum import snapshot
from controller.quorum.outcomes import Applied, Declined, Outcome
from controller.quorum.timings import Timings
from controller.quorum.voter_set import VoterNode
from tests.support.raft_simulation import Clock, Simulation, Voter, address_of, virtual_time

ROUNDS = 50
NODES_MAX = 7
KINDS = (
    "message",
    "election",
    "command",
    "drop",
    "delay",
    "reorder",
    "duplicate",
    "partition",
    "one-way partition",
    "power cut",
    "power cut of all",
    "process crash",
    "crash within a disk operation",
    "slow disk",
    "word of a death",
    "false word of a death",
    "snapshot piece",
    "compaction",
    "replaced disk",
    "voter added",
    "voter removed",
    "change declined",
)
"""Each must have happened in a campaign of some length, else it proves nothing."""


@dataclass(slots=True)
class Run:
    """One run: what happened, and `violation`, empty when everything held."""

    seed: int
    lean: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    events: list[str] = field(default_factory=list)
    violation: str = ""


def run_seed(seed: int, lean: str = "") -> Run:
    """The run of one seed; the same one each time. `lean`: towards which faults, to find a planted
    one sooner: "restarts", "duplicates", "snapshots" or "changes"."""
    run = Run(seed, lean)
    with virtual_time() as clock, mock.patch.object(snapshot, "PIECE_BYTES_MAX", 2000):
        try:
            _Disturbed(clock, run).play()
        except Exception as error:  # what a voter or an invariant raises, whatever it is
            run.violation = str(error) or type(error).__name__
            run.events.append(f"VIOLATION {run.violation}")
    return run


def run_seeds(seeds: Iterable[int]) -> tuple[Counter[str], list[Run]]:
    """Counts over all runs, and the runs that found a violation."""
    counts: Counter[str] = Counter()
    violated = []
    for seed in seeds:
        run = run_seed(seed)
        counts += run.counts
        if run.violation:
            violated.append(run)
    return counts, violated


class _Disturbed:
    def __init__(self, clock: Clock, run: Run) -> None:
        self.run = run
        self.simulation = simulation = Simulation(
            clock,
            voters=5 if run.lean == "duplicates" else (3, 3, 1, 5, 3, 4)[run.seed % 6],
            seed=run.seed,
            timings=Timings(snapshot_entries=20, snapshot_bytes=6000),
        )
        self.chance = simulation.random
        self.clock = clock
        self.lost_disks: set[int] = set()
        self.commands = 0
        simulation.delay_seconds_max = self.chance.choice((0.0, 0.02, 0.1))
        simulation.drop_share = self.chance.choice((0.0, 0.05))
        simulation.duplicate_share = self.chance.choice((0.0, 0.2))
        simulation.slow_disk_seconds_max = self.chance.choice((0.0, 0.0, 0.5))
        if run.lean == "duplicates":
            simulation.duplicate_share, simulation.delay_seconds_max = 0.5, 0.1

    def note(self, text: str) -> None:
        self.run.events.append(f"{self.clock.seconds - 1000:8.2f}  {text}")

    def play(self) -> None:
        simulation, chance = self.simulation, self.chance
        try:
            for _ in range(ROUNDS):
                self.disturb()
                if chance.random() < (0.9 if self.run.lean == "changes" else 0.3):
                    self.operate()
                for _ in range(chance.randrange(12)):
                    self.propose()
                    simulation.step()
                if self.run.lean == "restarts":
                    self.restart_often()
                if self.run.lean == "snapshots":
                    self.leave_behind()
                simulation.run(chance.choice((0.05, 0.3, 1.0)))
            simulation.check_logs()
            self.recover()
        finally:
            counts = self.run.counts
            counts.update(simulation.counts)
            counts["election"] = len(simulation.invariants.leader_of_term)
            counts["command"] = len(simulation.acknowledged())

    # Faults

    def disturb(self) -> None:
        simulation, chance = self.simulation, self.chance
        voter_id = chance.choice(sorted(simulation.voters))
        voter = simulation.voters[voter_id]
        is_last = sum(one.engine is not None for one in simulation.voters.values()) <= 1
        match chance.randrange(10):
            case 0 if voter.engine is not None and not is_last:
                power_cut = chance.random() < 0.7
                self.happened("power cut" if power_cut else "process crash", voter_id)
                simulation.crash(voter_id, power_cut=power_cut)
            case 1 | 2 if voter.engine is None:
                self.note(f"start {voter_id}")
                simulation.start(voter_id)
            case 3 if not is_last and voter.engine is not None:
                simulation.crash_soon(voter_id, chance.randrange(30))
            case 4:
                self.happened("partition", voter_id)
                simulation.isolate(voter_id)
            case 5 if len(simulation.voters) > 1:
                peer_id = chance.choice([one for one in simulation.voters if one != voter_id])
                self.happened("one-way partition", f"{voter_id} to {peer_id}")
                simulation.disconnect(voter_id, peer_id)
            case 6 | 7:
                self.note("heal")
                simulation.heal()
            case 9:
                self.happened("power cut of all", "")
                self.restart(sorted(simulation.voters))
            case 8 if self.may_lose_disk(voter):
                self.happened("replaced disk", voter_id)
                if voter.engine is not None:
                    simulation.crash(voter_id)
                simulation.replace_disk(voter_id)
                simulation.start(voter_id)
                self.lost_disks.add(voter_id)
            case _ if voter.engine is not None:
                peer_id = chance.choice(sorted(simulation.voters))
                self.happened("false word of a death", f"{voter_id} of {peer_id}")
                simulation.tell_gone(voter_id, peer_id)
            case _:
                pass

    def restart(self, voter_ids: list[int]) -> None:
        for voter_id in voter_ids:
            if self.simulation.voters[voter_id].engine is not None:
                self.simulation.crash(voter_id)
        for voter_id in voter_ids:
            if self.simulation.voters[voter_id].engine is None:
                self.simulation.start(voter_id)

    def restart_often(self) -> None:
        """Cut the power of one or all for a moment, time and again, elections not spared."""
        for _ in range(6):
            self.propose()
            self.simulation.run(self.chance.choice((0.01, 0.02, 0.05, 0.3)))
            one = self.chance.choice(sorted(self.simulation.voters))
            self.restart(self.chance.choice(([one], [one], sorted(self.simulation.voters))))

    def leave_behind(self) -> None:
        """Cut a leader off with entries of its own, until the others have compacted theirs."""
        if not (leaders := self.leaders()):
            return
        leader = self.chance.choice(leaders)
        self.simulation.isolate(leader.voter_id)
        for _ in range(3):
            self.commands += 1
            self.simulation.submit(leader, f"{self.commands} in vain")
        self.simulation.run(2.0)
        for _ in range(40):
            self.propose()
            self.simulation.step()
        self.simulation.heal()

    def may_lose_disk(self, voter: Voter) -> bool:
        """A quorum survives the loss of a minority: here of one voter at a time, of three or more,
        by any set that still counts anywhere."""
        sets = [
            one.voter_set()
            for voter in self.simulation.voters.values()
            if (one := voter.engine) is not None
        ]
        if any(one.engine is None for one in self.simulation.voters.values()):
            return False
        return not self.lost_disks and all(
            len(found) >= 3 or voter.voter_id not in found for found in sets
        )

    def happened(self, kind: str, where: object) -> None:
        self.run.counts[kind] += 1
        self.note(f"{kind}: {where}")

    # Clients and the operator

    def leaders(self) -> list[Voter]:
        """All that believe to lead."""
        return [
            voter
            for voter in self.simulation.voters.values()
            if voter.engine is not None and voter.engine.is_leading()
        ]

    def propose(self) -> None:
        if leaders := self.leaders():
            self.commands += 1
            padding = "x" * self.chance.choice((10, 10, 700))
            self.simulation.submit(self.chance.choice(leaders), f"{self.commands} {padding}")

    def operate(self) -> None:
        """Have some leader change the voters; twice at once, now and then."""
        for _ in range(self.chance.choice((1, 1, 2))):
            if leaders := self.leaders():
                leader = self.chance.choice(leaders)
                if self.run.lean == "changes" and self.chance.random() < 0.5:
                    self.simulation.isolate(leader.voter_id)
                self.change(leader)

    def change(self, leader: Voter) -> None:
        simulation, chance = self.simulation, self.chance
        voters = leader.running.voter_set()
        lost = [one for one in sorted(self.lost_disks) if self.is_stale(leader, one)]
        if lost:
            self.remove(leader, lost[0])
        elif chance.random() < 0.5 and len(voters) > 1:
            self.remove(leader, chance.choice(voters.ids))
        elif outside := [one for one in sorted(simulation.voters) if one not in voters]:
            self.add(leader, chance.choice(outside))
        elif len(simulation.voters) < NODES_MAX:
            node_id = max(simulation.voters) + 1
            self.note(f"new node {node_id}")
            simulation.add_node(node_id)
            self.add(leader, node_id)

    def is_stale(self, leader: Voter, node_id: int) -> bool:
        known = leader.running.voter_set().get(node_id)
        return known is not None and (
            known.directory_id != self.simulation.voters[node_id].directory_id
        )

    def add(self, leader: Voter, node_id: int) -> None:
        directory_id = self.simulation.voters[node_id].directory_id
        now = self.clock.seconds

        def done(outcome: Outcome) -> None:
            self.settle("voter added", node_id, outcome)
            present = self.simulation.voters[node_id].directory_id
            if isinstance(outcome, Applied) and directory_id == present:
                self.lost_disks.discard(node_id)  # else it was the disk before that was added

        self.note(f"add {node_id}, asking {leader.voter_id}")
        leader.running.changes.add(
            node_id,
            VoterNode(directory_id, address_of(node_id)),
            now=now,
            deadline=now + self.chance.choice((0.5, 5.0)),
            done=done,
        )

    def remove(self, leader: Voter, node_id: int) -> None:
        now = self.clock.seconds
        self.note(f"remove {node_id}, asking {leader.voter_id}")
        leader.running.changes.remove(
            node_id,
            None,
            now=now,
            deadline=now + self.chance.choice((0.0, 2.0)),
            done=lambda outcome: self.settle("voter removed", node_id, outcome),
        )

    def settle(self, kind: str, node_id: int, outcome: Outcome) -> None:
        if isinstance(outcome, Applied):
            self.happened(kind, node_id)
        elif isinstance(outcome, Declined):
            self.happened("change declined", f"{node_id}, {outcome.code.name}")

    # The end

    def recover(self) -> None:
        """Without faults, everybody agrees within a bounded time, and nothing is missing."""
        simulation = self.simulation
        self.note("the faults end")
        simulation.drop_share = simulation.duplicate_share = 0.0
        simulation.delay_seconds_max = simulation.slow_disk_seconds_max = 0.0
        simulation.heal()
        for voter in simulation.voters.values():
            voter.vfs.heal()
            if voter.engine is None:
                simulation.start(voter.voter_id)
        simulation.commit("the end")
        simulation.run(6.0)  # what the operator asked for before is done by then, or given up
        for node_id in sorted(self.lost_disks):
            if self.is_stale(simulation.leader(), node_id):
                outcome = simulation.remove_voter(node_id)
                assert isinstance(outcome, Applied), f"{node_id} stays: {outcome}"
        for node_id in sorted(simulation.voters):
            if node_id not in simulation.leader().running.voter_set():
                outcome = simulation.add_voter(node_id)
                assert isinstance(outcome, Applied), f"{node_id} stays out: {outcome}"
        simulation.commit("all together")
        simulation.converge()
        simulation.check_nothing_lost()
        simulation.check_logs()
        histories = {tuple(voter.machine.applied) for voter in simulation.voters.values()}
        assert len(histories) == 1, "the voters applied different commands"


def main() -> None:
    parser = argparse.ArgumentParser(description="Random faults against the controller quorum.")
    parser.add_argument("--seeds", type=int, default=100, help="how many runs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one run, with its log of events")
    options = parser.parse_args()
    if options.seed is not None:
        run = run_seed(options.seed)
        counts, violated = run.counts, [run] if run.violation else []
        print("\n".join(run.events))
    else:
        seeds = range(options.first, options.first + options.seeds)
        counts, violated = run_seeds(seeds)
    for kind in KINDS:
        print(f"{counts[kind]:>10}  {kind}")
    for run in violated:
        print(f"seed {run.seed}: {run.violation}")
    silent = [kind for kind in KINDS if not counts[kind]]
    if silent and options.seed is None:
        print(f"never happened: {', '.join(silent)}")
    sys.exit(bool(violated or (silent and options.seed is None)))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
