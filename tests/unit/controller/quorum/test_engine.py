"""The guarded engine in a simulated quorum. README.md of the package numbers the library's faults;
each test here fails when the guard that it names is taken out."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from controller.quorum import library
from controller.quorum.library import Node
from controller.quorum.metadata_log import StateMachine
from controller.quorum.outcomes import Applied, Lost, Outcome, Refused
from controller.quorum.timings import Timings
from ottla.core.errors import DecodeError, InvariantError
from storage.vfs import SimulatedCrash
from tests.support.raft_simulation import Clock, Simulation, Voter

SMALL_LOG = Timings(snapshot_entries=10)


def _others(simulation: Simulation, voter: Voter) -> list[Voter]:
    return [one for one in simulation.voters.values() if one is not voter]


@pytest.mark.parametrize("voters", [1, 3, 5])
def test_commits_on_every_voter(clock: Clock, voters: int) -> None:
    simulation = Simulation(clock, voters=voters)
    for number in range(20):
        simulation.commit(f"command {number}")
    simulation.converge()
    for voter in simulation.voters.values():
        assert voter.machine.commands == [f"command {number}" for number in range(20)]


def test_fault_2_a_quorum_of_one_acknowledges_only_what_is_on_disk(clock: Clock) -> None:
    simulation = Simulation(clock, voters=1)
    leader = simulation.leader()

    def crash(_: Outcome) -> None:
        raise SimulatedCrash

    leader.running.submit([b"\x01told"], crash)
    simulation.run_until(lambda: leader.engine is None)
    simulation.start(1)
    simulation.leader()
    assert leader.machine.commands == ["told"]


def test_fault_2_promises_leave_after_the_sync(clock: Clock) -> None:
    """The simulation checks each message that leaves; here all kinds of promise do."""
    simulation = Simulation(clock)
    simulation.commit("one")
    kinds = {message["type"] for _, _, message in simulation.sent}
    assert kinds >= {"request_vote", "response_vote", "next_node_idx", "append_entries"}


def test_entries_leave_before_the_leader_syncs(clock: Clock) -> None:
    """So that its disk and the followers work at the same time."""
    simulation = Simulation(clock)
    leader = simulation.leader()
    simulation.run(0.5)
    durable: list[bool] = []
    send = leader.running._send

    def spy(peer: int, message: dict[str, Any]) -> None:
        if message.get("entries"):
            durable.append(leader.running._journal.is_durable)
        send(peer, message)

    leader.running._send = spy
    simulation.submit(leader, "one")
    simulation.run_until(lambda: "one" in leader.outcomes)
    assert durable[0] is False


def test_fault_4_nothing_is_ever_unpickled() -> None:
    with pytest.raises(InvariantError, match="nothing here is pickled"):
        library.syncobj.pickle.loads(b"cos\nsystem\n(S'true'\ntR.")


def test_fault_4_entries_that_the_library_would_unpickle_are_skipped(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    for hostile in (b"\x02\x01add", b"\x03\x01version", b"\x00", b"\x00\xff"):
        journal = leader.running._journal
        journal.add(hostile, journal[-1][1] + 1, leader.running.raftCurrentTerm)
    simulation.commit("after")
    simulation.converge()
    for voter in simulation.voters.values():
        assert voter.machine.commands == ["after"]


def test_fault_5_a_snapshot_does_not_commit_a_conflicting_tail(clock: Clock) -> None:
    simulation = Simulation(clock, timings=SMALL_LOG)
    deposed = simulation.leader()
    simulation.isolate(deposed.voter_id)
    for number in range(3):
        simulation.submit(deposed, f"lost {number}")
    simulation.run_until(lambda: not deposed.running.is_leading())
    for number in range(60):
        simulation.commit(f"kept {number} {'x' * 20_000}")
    simulation.heal()
    simulation.converge()
    assert len(deposed.machine.commands) == 60
    assert not any(isinstance(found, Applied) for found in deposed.outcomes.values())


def test_fault_5_no_piece_of_a_snapshot_moves_the_commit_index(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    follower = _others(simulation, leader)[0]
    simulation.isolate(follower.voter_id)
    journal = follower.running._journal
    committed = follower.running.raftCommitIndex
    journal.add(b"\x00\x01lost", journal[-1][1] + 1, journal[-1][2])
    follower.running.receive(
        leader.voter_id,
        {
            "type": "append_entries",
            "term": leader.running.raftCurrentTerm,
            "commit_index": committed + 50,
            "serialized": b"",
        },
    )
    assert follower.running.raftCommitIndex == committed


def test_fault_6_a_late_message_takes_nothing_back(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    simulation.commit("first")
    follower = _others(simulation, leader)[0]
    early = next(
        message
        for _, target, message in reversed(simulation.sent)
        if target == follower.voter_id and message.get("entries")
    )
    for number in range(10):
        simulation.commit(f"later {number}")
    length = len(follower.running._journal)
    simulation.sent.clear()
    follower.running.receive(leader.voter_id, early)
    assert len(follower.running._journal) == length
    follower.running.turn()
    answer = simulation.sent[0][2]
    assert (answer["success"], answer["next_node_idx"]) == (True, early["entries"][-1][1] + 1)


def test_fault_6_what_the_message_does_not_prove_is_not_committed(clock: Clock) -> None:
    """The leader's commit index counts entries of its log, not of a tail that only we have."""
    simulation = Simulation(clock)
    leader = simulation.leader()
    follower = _others(simulation, leader)[0]
    simulation.run(0.2)
    simulation.isolate(follower.voter_id)
    end, term = follower.running._last_index(), leader.running.raftCurrentTerm
    follower.running._journal.add(b"\x00\x01own", end + 1, term)
    follower.running.receive(
        leader.voter_id,
        {
            "type": "append_entries",
            "term": term + 1,
            "commit_index": end + 1,
            "prevLogIdx": end,
            "prevLogTerm": term,
            "entries": [],
        },
    )
    assert follower.running.raftCommitIndex == end


def test_fault_6_an_answer_from_another_term_counts_for_nothing(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    follower = _others(simulation, leader)[0]
    simulation.isolate(leader.voter_id)
    simulation.submit(leader, "alone")
    simulation.step()
    for peer in _others(simulation, leader):
        leader.running.receive(
            peer.voter_id,
            {
                "type": "next_node_idx",
                "term": leader.running.raftCurrentTerm - 1,
                "next_node_idx": leader.running._last_index() + 1,
                "reset": False,
                "success": True,
            },
        )
    leader.due = clock.seconds
    simulation.step()
    assert "alone" not in leader.outcomes
    assert follower.running.raftCommitIndex == leader.running.raftCommitIndex


def test_fault_7_an_exception_in_the_state_machine_counts_as_applied(clock: Clock) -> None:
    simulation = Simulation(clock)
    for voter in simulation.voters.values():
        voter.machine.fail_on = "boom"
    leader = simulation.leader()
    simulation.submit(leader, "boom")
    simulation.commit("after")
    simulation.converge()
    outcome = leader.outcomes["boom"]
    assert isinstance(outcome, Applied)
    assert isinstance(outcome.result, RuntimeError)
    for voter in simulation.voters.values():
        assert voter.machine.commands == ["boom", "after"]


def test_fault_7_an_exception_in_a_callback_does_not_apply_the_entry_again(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()

    def fail(_: Outcome) -> None:
        raise RuntimeError("Event loop is closed")

    leader.running.submit([b"\x01once"], fail)
    simulation.commit("after")
    assert leader.machine.commands == ["once", "after"]


def test_fault_8_the_librarys_own_changes_of_members_are_off(clock: Clock) -> None:
    simulation = Simulation(clock)
    with pytest.raises(Exception, match="dynamicMembershipChange is disabled"):
        simulation.leader().running.addNodeToCluster(Node(9))


@pytest.mark.parametrize("size", [65536 - 12, 65536, 131072 - 25, 131072, 262144 - 30, 1_000_000])
def test_fault_9_a_command_of_any_size_commits(clock: Clock, size: int) -> None:
    simulation = Simulation(clock)
    simulation.commit("x" * size)
    simulation.converge()
    for voter in simulation.voters.values():
        assert voter.machine.commands == ["x" * size]


def test_fault_10_a_leader_that_is_cut_off_gives_up(clock: Clock) -> None:
    simulation = Simulation(clock)
    deposed = simulation.leader()
    simulation.isolate(deposed.voter_id)
    simulation.run(0.8)
    assert not deposed.running.is_leading()
    simulation.submit(deposed, "late")
    simulation.step()
    assert deposed.outcomes["late"] == Refused(None)


def test_fault_10_whoever_waits_over_a_snapshot_is_told(clock: Clock) -> None:
    simulation = Simulation(clock, timings=SMALL_LOG)
    deposed = simulation.leader()
    simulation.isolate(deposed.voter_id)
    simulation.submit(deposed, "unknown")
    simulation.run_until(lambda: not deposed.running.is_leading())
    for number in range(40):
        simulation.commit(f"kept {number}")
    simulation.heal()
    simulation.run_until(lambda: "unknown" in deposed.outcomes)
    assert deposed.outcomes["unknown"] == Lost()


def test_fault_10_a_command_that_was_overwritten_is_refused_for_certain(clock: Clock) -> None:
    simulation = Simulation(clock)
    deposed = simulation.leader()
    simulation.isolate(deposed.voter_id)
    simulation.submit(deposed, "overwritten")
    simulation.run_until(lambda: not deposed.running.is_leading())
    simulation.commit("instead")
    simulation.heal()
    simulation.run_until(lambda: "overwritten" in deposed.outcomes)
    assert isinstance(deposed.outcomes["overwritten"], Refused)


def test_fault_11_state_comes_back_from_our_own_snapshot(clock: Clock) -> None:
    simulation = Simulation(clock, timings=SMALL_LOG)
    for number in range(50):
        simulation.commit(f"command {number}")
    simulation.converge()
    before = [list(voter.machine.applied) for voter in simulation.voters.values()]
    for voter in simulation.voters.values():
        assert len(voter.running._journal) < 30
        simulation.crash(voter.voter_id)
    for voter_id in simulation.voters:
        simulation.start(voter_id)
    simulation.leader()
    simulation.converge()
    assert [voter.machine.applied for voter in simulation.voters.values()] == before


def test_fault_12_a_commit_waits_for_no_timer(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    for number in range(10):
        simulation.run(0.3 + number * 0.01)
        start = clock.seconds
        simulation.submit(leader, f"quick {number}")
        simulation.run_until(lambda: len(leader.outcomes) > number)  # noqa: B023 - used at once
        assert clock.seconds - start <= 0.021  # two steps of the simulation


def test_a_long_backlog_is_applied_in_slices(clock: Clock) -> None:
    simulation = Simulation(clock, voters=1)
    leader = simulation.leader()

    class Slow:
        applied = 0

        def apply(self, index: int, term: int, command: bytes) -> bytes:
            clock.seconds += 0.004
            self.applied += 1
            return b""

        def snapshot(self) -> bytes:
            return b""

        def restore(self, data: bytes) -> None: ...

    slow = Slow()
    machine: StateMachine = slow
    leader.running._state._machine = machine
    for _ in range(50):
        leader.running.submit([b"\x01x"], lambda _: None)
    waits = [leader.running.turn()]
    assert 0 < slow.applied < 50
    while slow.applied < 50:
        waits.append(leader.running.turn())
    assert waits[0] == 0.0


def test_a_leader_of_an_older_term_learns_that_it_is_deposed(clock: Clock) -> None:
    """Else a voter with a higher term would never follow it, and nobody would tell it."""
    simulation = Simulation(clock)
    leader = simulation.leader()
    ahead = _others(simulation, leader)[0]
    ahead.running._adopt_term(leader.running.raftCurrentTerm + 5)
    simulation.run(2.0)
    simulation.commit("agreed")
    assert len({voter.running.raftCurrentTerm for voter in simulation.voters.values()}) == 1


def test_a_failing_disk_stops_the_voter(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    leader.vfs.fail("fsync", errno.EIO)
    leader.running.submit([b"\x01x"], lambda _: None)
    with pytest.raises(OSError, match="Input/output"):
        leader.running.turn()
    leader.running.submit([b"\x01x"], lambda _: None)
    with pytest.raises(InvariantError):
        leader.running.turn()


def test_a_voter_whose_disk_is_full_stops_the_rest_go_on_and_it_comes_back(clock: Clock) -> None:
    """First it can no longer compact and goes on in what was preallocated, then it stops; what is
    on its disk stays whole."""
    simulation = Simulation(clock, timings=SMALL_LOG)
    simulation.commit("before")
    leader = simulation.leader()
    full = _others(simulation, leader)[0]
    full.vfs.capacity = full.vfs.used_bytes()
    for number in range(15):
        simulation.commit(f"small {number}")
    simulation.converge()
    assert "small 14" in full.machine.commands  # its compaction failed, and it goes on
    assert full.running._journal[0][1] == 1

    with pytest.raises(OSError, match="No space left"):
        simulation.commit("x" * 400_000)
    simulation.crash(full.voter_id, power_cut=False)
    simulation.commit("without it")

    full.vfs.capacity = None
    simulation.start(full.voter_id)
    simulation.converge()
    assert full.machine.commands == leader.machine.commands
    assert full.machine.commands[-1] == "without it"


def test_a_leader_that_contradicts_what_is_committed_is_not_followed(clock: Clock) -> None:
    simulation = Simulation(clock)
    simulation.commit("kept")
    simulation.converge()
    leader = simulation.leader()
    follower = _others(simulation, leader)[0]
    index = follower.running.raftCommitIndex
    with pytest.raises(InvariantError, match="contradicts"):
        follower.running.receive(
            leader.voter_id,
            {
                "type": "append_entries",
                "term": leader.running.raftCurrentTerm + 1,
                "commit_index": index,
                "prevLogIdx": index - 1,
                "prevLogTerm": follower.running._term_at(index - 1),
                "entries": [(b"\x01", index, leader.running.raftCurrentTerm + 1)],
            },
        )


def test_messages_of_strangers_and_of_unknown_kinds_do_nothing(clock: Clock) -> None:
    simulation = Simulation(clock)
    leader = simulation.leader()
    term = leader.running.raftCurrentTerm
    leader.running.receive(99, {"type": "request_vote", "term": term + 9})
    assert leader.running.raftCurrentTerm == term
    with pytest.raises(DecodeError):
        leader.running.receive(_others(simulation, leader)[0].voter_id, {"type": "apply_command"})


def test_leadership_can_be_handed_over(clock: Clock) -> None:
    simulation = Simulation(clock)
    simulation.commit("one")
    simulation.converge()
    leader = simulation.leader()
    start = clock.seconds
    leader.running.try_transfer()
    leader.due = clock.seconds
    simulation.run_until(lambda: simulation.ready_leader() not in (None, leader))
    assert clock.seconds - start < 0.2  # sooner than any election time
    simulation.commit("two")


def test_a_replaced_disk_is_fed_from_the_beginning(clock: Clock) -> None:
    """What the leader believed of the old disk must not keep the new one waiting."""
    simulation = Simulation(clock)
    for number in range(5):
        simulation.commit(f"command {number}")
    simulation.converge()
    leader = simulation.leader()
    lost = _others(simulation, leader)[0]
    simulation.crash(lost.voter_id)
    simulation.replace_disk(lost.voter_id)
    assert isinstance(simulation.remove_voter(lost.voter_id), Applied)
    simulation.start(lost.voter_id)
    simulation.run(2.0)
    assert lost.machine.commands == []
    assert isinstance(simulation.add_voter(lost.voter_id), Applied)
    simulation.run_until(lambda: len(lost.machine.commands) == 5)
    assert simulation.ready_leader() is leader


def test_a_voter_has_caught_up_when_all_is_applied_that_its_leader_had_committed(
    clock: Clock,
) -> None:
    simulation = Simulation(clock)
    simulation.commit("one")
    leader = simulation.leader()
    follower = _others(simulation, leader)[0]
    simulation.converge()
    assert leader.running.has_caught_up()
    assert follower.running.has_caught_up()
    simulation.isolate(leader.voter_id)
    simulation.run_until(lambda: follower.running.leader_id() != leader.voter_id)
    simulation.isolate(follower.voter_id)
    simulation.run(3.0)
    assert not follower.running.has_caught_up()
