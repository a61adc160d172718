"""What the log is applied to is total, and complete in a snapshot."""

from __future__ import annotations

from controller.quorum.applied import AppliedState
from controller.quorum.commands import encode_command, encode_voters
from controller.quorum.snapshot import Snapshot
from controller.quorum.voter_set import VoterNode, VoterSet
from ottla.core.errors import DecodeError
from tests.support.raft_simulation import History

VOTERS = VoterSet({2: VoterNode(b"a" * 16, ("host", 9))})
PREVIOUS, LAST = (b"\x01", 9, 1), (b"\x01", 10, 1)


def test_commands_reach_the_machine_with_index_and_term() -> None:
    machine = History()
    state = AppliedState(machine)
    assert state.apply(7, 3, encode_command(b"hello")[0]) == b"done hello"
    assert machine.applied == [(7, 3, "hello")]


def test_what_cannot_be_read_or_raises_is_a_result() -> None:
    machine = History()
    machine.fail_on = "boom"
    state = AppliedState(machine)
    assert isinstance(state.apply(7, 3, b"\xff"), DecodeError)
    assert isinstance(state.apply(8, 3, encode_command(b"boom")[0]), RuntimeError)
    assert machine.apply_calls == 1


def test_the_last_set_of_voters_counts() -> None:
    state = AppliedState(History())
    assert state.voters is None
    state.apply(3, 1, encode_voters(VOTERS))
    more = VOTERS.with_voter(5, VoterNode(b"b" * 16))
    assert state.apply(4, 1, encode_voters(more)) == b""
    assert state.voters == (4, more)


def test_a_snapshot_holds_half_a_command_and_the_voters() -> None:
    parts = encode_command(b"y" * 100_000)
    one = AppliedState(History())
    one.apply(8, 1, encode_voters(VOTERS))
    one.apply(9, 1, encode_command(b"before")[0])
    one.apply(10, 1, parts[0])
    snapshot = one.snapshot(PREVIOUS, LAST)
    one.apply(11, 1, parts[1])  # goes on; the snapshot does not change with it
    machine = History()
    other = AppliedState(machine)
    other.restore(Snapshot.decode(snapshot.encode()))
    for number, part in enumerate(parts[1:]):
        other.apply(11 + number, 1, part)
    assert machine.commands == ["before", "y" * 100_000]
    assert other.voters == (8, VOTERS)
