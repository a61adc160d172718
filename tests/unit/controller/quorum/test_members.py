"""Which set holds, who may be heard, and what changes with them, in a simulated quorum."""

from __future__ import annotations

from controller.quorum.commands import encode_voters
from controller.quorum.description import describe_quorum
from controller.quorum.library import REGULAR
from controller.quorum.outcomes import Applied, Outcome
from controller.quorum.timings import Timings
from controller.quorum.voter_set import VoterNode
from tests.support.raft_simulation import Clock, Simulation, Voter


def _others(simulation: Simulation, voter: Voter) -> list[Voter]:
    return [one for one in simulation.voters.values() if one is not voter]


def _known(clock: Clock, voters: int = 3, timings: Timings | None = None) -> Simulation:
    """A quorum that knows the directories of its voters."""
    simulation = Simulation(clock, voters=voters, timings=timings)
    simulation.commit("one")
    simulation.run(1.0)
    simulation.converge()
    for voter in simulation.voters.values():
        found = voter.running.voter_set().voters
        assert all(node.directory_id for node in found.values())
    return simulation


def test_a_fourth_voter_counts(clock: Clock) -> None:
    simulation = _known(clock)
    simulation.add_node(4)
    assert isinstance(simulation.add_voter(4), Applied)
    simulation.converge()
    assert simulation.voters[4].machine.commands == ["one"]
    # Two of four are no majority any more.
    leader = simulation.leader()
    for other in _others(simulation, leader)[:2]:
        simulation.crash(other.voter_id)
    simulation.run_until(lambda: not leader.running.is_leading())
    simulation.run(3.0)
    assert simulation.ready_leader() is None


def test_a_set_holds_from_its_append_and_goes_with_it(clock: Clock) -> None:
    simulation = _known(clock)
    leader = simulation.leader()
    simulation.isolate(leader.voter_id)
    told: list[Outcome] = []
    victim = _others(simulation, leader)[0].voter_id
    leader.running.changes.remove(
        victim, None, now=clock.seconds, deadline=clock.seconds + 5, done=told.append
    )
    leader.running.turn()
    assert victim not in leader.running.voter_set()
    assert leader.running.has_uncommitted_voters()
    simulation.run(3.0)
    simulation.commit("two")
    simulation.heal()
    simulation.converge()
    assert leader.running.voter_set().ids == (1, 2, 3)
    assert victim in leader.running.voter_set()
    assert not isinstance(told[0], Applied)


def test_the_set_is_in_snapshots_and_survives_stale_settings(clock: Clock) -> None:
    simulation = _known(clock, timings=Timings(snapshot_entries=10))
    simulation.add_node(4)
    assert isinstance(simulation.add_voter(4), Applied)
    gone = next(one for one in (1, 2, 3) if one != simulation.leader().voter_id)
    assert isinstance(simulation.remove_voter(gone), Applied)
    for number in range(30):
        simulation.commit(f"command {number}")
    left = sorted({1, 2, 3, 4} - {gone})
    for voter_id in simulation.voters:
        simulation.crash(voter_id)
    for voter_id in left:
        simulation.start(voter_id)  # with the settings of the beginning
        assert simulation.voters[voter_id].running.voter_set().ids == tuple(left)
    simulation.commit("after")


def test_a_removed_voter_holds_no_election_and_is_not_heard(clock: Clock) -> None:
    simulation = _known(clock)
    leader = simulation.leader()
    gone = _others(simulation, leader)[0]
    assert isinstance(simulation.remove_voter(gone.voter_id), Applied)
    simulation.run(3.0)
    fault = leader.running.fault_of(gone.voter_id, gone.directory_id)
    assert fault == f"node {gone.voter_id} is not a voter of this quorum"
    term = leader.running.raftCurrentTerm
    simulation.run(5.0)
    assert simulation.ready_leader() is leader
    assert leader.running.raftCurrentTerm == term


def test_a_disk_that_is_not_meant_does_not_vote(clock: Clock) -> None:
    """The candidate may not know yet that the voter has another disk."""
    simulation = _known(clock)
    voter = simulation.voters[2].running
    request = {
        "type": "request_vote",
        "term": 99,
        "last_log_index": 1000,
        "last_log_term": 98,
        "directory_id": b"x" * 16,
    }
    voter.receive(1, request)
    assert voter.raftCurrentTerm < 99
    assert not any(m["type"] == "response_vote" for _, m in voter._outbox.messages)
    voter.receive(1, request | {"directory_id": simulation.voters[2].directory_id})
    assert voter.raftCurrentTerm == 99
    assert any(m["type"] == "response_vote" for _, m in voter._outbox.messages)


def test_only_a_founder_votes_for_who_knows_no_directory(clock: Clock) -> None:
    simulation = _known(clock)
    simulation.add_node(4)
    joiner = simulation.voters[4].running
    request = {"type": "request_vote", "term": 99, "last_log_index": 1000, "last_log_term": 98}
    joiner.receive(1, request | {"directory_id": bytes(16)})
    assert joiner.raftCurrentTerm == 0
    assert not joiner.may_lead()


def test_who_was_away_hears_of_a_leader_it_does_not_know(clock: Clock) -> None:
    simulation = _known(clock)
    away = _others(simulation, simulation.leader())[0].voter_id
    simulation.crash(away)
    simulation.add_node(4)
    assert isinstance(simulation.add_voter(4), Applied)
    simulation.run_until(lambda: simulation.voters[4].running._last_index() > 3)
    # The new voter leads, and only it and one more are there beside the one that was away.
    simulation.leader().running.try_transfer()
    simulation.run(0.5)
    while simulation.leader().voter_id != 4:
        simulation.leader().running.try_transfer()
        simulation.run(0.5)
    simulation.start(away)
    simulation.commit("two")
    simulation.converge()
    assert 4 in simulation.voters[away].running.voter_set()


def test_a_joiner_learns_of_the_voters_from_its_settings_and_from_who_refuses_it(
    clock: Clock,
) -> None:
    simulation = _known(clock)
    simulation.add_node(4)
    joiner = simulation.voters[4].running
    assert set(joiner.peers()) == {1, 2, 3}
    simulation.run(2.0)
    assert joiner.fault_of(1, simulation.voters[1].directory_id) is None
    assert joiner.fault_of(1, b"another disk"[:16]) is not None
    assert joiner.fault_of(7, b"7" * 16) == "node 7 is not a voter of this quorum"
    assert joiner.voter_set() == simulation.voters[4].settings  # what it was told is no set


def test_a_set_that_cannot_be_read_does_not_count(clock: Clock) -> None:
    simulation = _known(clock, voters=1)
    leader = simulation.leader()
    journal = leader.running._journal
    entry = REGULAR + encode_voters(leader.running.voter_set())[:-1]
    leader.running._add_entry(entry, journal[-1][1] + 1, leader.running.raftCurrentTerm)
    assert leader.running.voter_set().ids == (1,)
    simulation.commit("after")


def test_what_an_operator_sees(clock: Clock) -> None:
    simulation = _known(clock)
    leader = simulation.leader()
    dead = _others(simulation, leader)[0].voter_id
    simulation.crash(dead)
    simulation.commit("two")
    simulation.run(1.0)
    leader.running.set_learner(9, VoterNode(b"9" * 16, ("nine", 9)))
    found = describe_quorum(leader.running)
    assert (found.leader_id, found.term) == (leader.voter_id, leader.running.raftCurrentTerm)
    assert found.high_watermark == leader.running._last_index() + 1
    ends = {one.node_id: one.log_end_offset for one in found.voters}
    assert ends[dead] < found.high_watermark == ends[leader.voter_id]
    assert next(one for one in found.voters if one.node_id == dead).silent_ms or 0 >= 900
    assert [(one.node_id, one.log_end_offset, one.silent_ms) for one in found.observers] == [
        (9, -1, None)
    ]
