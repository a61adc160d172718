"""Elections: promises first, voters counted once, nobody deposes a leader that is heard."""

from __future__ import annotations

from controller.quorum.timings import Timings
from tests.support.raft_simulation import Clock, Simulation


def test_fault_8_a_vote_delivered_twice_counts_once(clock: Clock) -> None:
    simulation = Simulation(clock, voters=5)
    candidate = simulation.voters[1].running
    simulation.isolate(1)
    candidate._canvass = (1, {1})
    candidate._canvass_won = True
    candidate._SyncObj__connectedNodes.add(next(iter(candidate.otherNodes)))
    candidate._SyncObj__raftElectionDeadline = float("-inf")
    candidate.turn()
    term = candidate.raftCurrentTerm
    assert term == 1
    for _ in range(3):
        candidate.receive(2, {"type": "response_vote", "term": term})
    assert not candidate.is_leading()
    candidate.receive(3, {"type": "response_vote", "term": term})
    assert candidate.is_leading()
    candidate.turn()
    assert not candidate.is_ready_leader()  # nobody has its no-op


def test_a_vote_for_another_term_does_not_count(clock: Clock) -> None:
    simulation = Simulation(clock, voters=3)
    simulation.leader()
    voter = next(one for one in simulation.voters.values() if not one.running.is_leading())
    voter.running.receive(1, {"type": "response_vote", "term": voter.running.raftCurrentTerm})
    assert not voter.running.is_leading()


def test_fault_10_a_voter_that_comes_back_does_not_depose_the_leader(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    term = leader.running.raftCurrentTerm
    away = next(one for one in simulation.voters.values() if one is not leader)
    for peer_id in simulation.voters:  # it hears nothing, but believes that it is connected
        if peer_id != away.voter_id:
            simulation.cut.add((peer_id, away.voter_id))
    simulation.run(10)
    assert away.running.raftCurrentTerm == term
    simulation.heal()
    simulation.run(2)
    assert leader.running.is_leading()
    assert leader.running.raftCurrentTerm == term


def test_no_promise_while_a_leader_is_heard(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    simulation.run(0.5)
    voters = [one for one in simulation.voters.values() if one is not leader]
    asked, asking = voters[0].running, voters[1].running
    request = {
        "type": "pre_vote",
        "term": asking.raftCurrentTerm + 1,
        "last_log_index": 10_000,
        "last_log_term": asking.raftCurrentTerm,
        "directory_id": voters[0].directory_id,
        "voters_index": 0,
    }
    asked.receive(voters[1].voter_id, request)
    assert asked._outbox.messages[-1][1]["granted"] is False
    simulation.isolate(voters[0].voter_id)
    clock.seconds += 0.4
    asked.receive(voters[1].voter_id, request)
    assert asked._outbox.messages[-1][1]["granted"] is True


def test_no_promise_for_a_shorter_log(clock: Clock) -> None:
    simulation = Simulation(clock)
    simulation.commit("one")
    simulation.converge()
    leader = simulation.leader()
    asked = next(one for one in simulation.voters.values() if one is not leader)
    clock.seconds += 1
    asked.running.receive(
        leader.voter_id,
        {
            "type": "pre_vote",
            "term": asked.running.raftCurrentTerm + 1,
            "last_log_index": asked.running._last_index() - 1,
            "last_log_term": asked.running.raftCurrentTerm,
            "directory_id": asked.directory_id,
            "voters_index": 0,
        },
    )
    assert asked.running._outbox.messages[-1][1]["granted"] is False


def test_a_higher_term_in_an_answer_is_adopted(clock: Clock) -> None:
    """Else a voter with the longer log and one with the higher term could never agree."""
    simulation = Simulation(clock)
    voter = simulation.voters[1].running
    answer = {"type": "pre_vote_response", "term": 7, "requested_term": 1, "granted": False}
    voter.receive(2, answer | {"voters_index": 0, "voters": b""})
    assert voter.raftCurrentTerm == 7
    simulation.crash(1)
    simulation.start(1)
    assert simulation.voters[1].running.raftCurrentTerm == 7


def test_the_longest_log_wins_after_the_leader_is_lost(clock: Clock) -> None:
    for seed in range(5):
        simulation = Simulation(clock, seed=seed)
        leader = simulation.leader()
        behind, ahead = (one for one in simulation.voters.values() if one is not leader)
        simulation.isolate(behind.voter_id)
        simulation.commit("kept")
        simulation.run(0.2)
        simulation.crash(leader.voter_id)
        simulation.heal()
        successor = simulation.leader()
        assert successor is ahead
        simulation.converge()
        assert behind.machine.commands == ["kept"]


def test_a_wish_to_take_over_expires_without_connections(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    voter = next(one for one in simulation.voters.values() if one is not leader)
    voter.running.receive(
        leader.voter_id, {"type": "timeout_now", "term": voter.running.raftCurrentTerm}
    )
    simulation.isolate(voter.voter_id)
    assert voter.running.turn() > 0.1  # instead of spinning


def test_a_leader_that_is_seen_to_be_gone_is_followed_at_once(clock: Clock) -> None:
    slow: list[float] = []
    quick: list[float] = []
    for seed in range(10):
        for share, times in ((0.0, slow), (1.0, quick)):
            simulation = Simulation(clock, seed=seed)
            simulation.word_share = share
            leader = simulation.leader()
            simulation.run(0.5)
            began = clock.seconds
            simulation.crash(leader.voter_id, power_cut=False)
            simulation.leader()
            times.append(clock.seconds - began)
    timings = Timings()
    assert min(slow) >= timings.election_min_ms / 1000
    # The two may be equally quick, and vote for themselves.
    assert sorted(quick)[7] < timings.election_min_ms / 1000


def test_word_of_a_death_that_is_none_deposes_nobody(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    term = leader.running.raftCurrentTerm
    deceived = next(one for one in simulation.voters.values() if one is not leader)
    for _ in range(20):
        simulation.run(0.2)
        simulation.tell_gone(deceived.voter_id, leader.voter_id)
    simulation.run(1)
    assert leader.running.is_leading()
    assert leader.running.raftCurrentTerm == term


def test_the_death_of_a_follower_begins_no_election(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    simulation.run(0.5)
    one, other = (voter for voter in simulation.voters.values() if voter is not leader)
    deadline = one.running._SyncObj__raftElectionDeadline
    one.running.peer_gone(other.voter_id)
    leader.running.peer_gone(other.voter_id)
    assert one.running._SyncObj__raftElectionDeadline == deadline
    assert leader.running.is_leading()
