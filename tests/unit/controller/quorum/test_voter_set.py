"""Sets of voters: their bytes, majorities and history."""

from __future__ import annotations

import pytest

from controller.quorum.voter_set import VoterHistory, VoterNode, VoterSet, founders
from ottla.core.errors import DecodeError, InvariantError

A, B = b"a" * 16, b"b" * 16
THREE = founders({1: ("one", 1), 2: ("two", 2), 3: ("three", 3)})


def test_the_layout_is_the_documented_one() -> None:
    voters = VoterSet({7: VoterNode(A, ("h", 258), None)})
    assert voters.encode() == (
        b"\x01" + b"\x07\x00\x00\x00" + A + b"\x01h\x02\x01" + b"\x00\x00\x00"
    )


@pytest.mark.parametrize(
    "voters",
    [VoterSet({}), THREE, VoterSet({2: VoterNode(A), 9: VoterNode(B, ("::1", 65535), ("i", 1))})],
)
def test_it_comes_back(voters: VoterSet) -> None:
    data = voters.encode()
    assert VoterSet.decode(data) == voters
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            VoterSet.decode(data[:end])
    with pytest.raises(DecodeError):
        VoterSet.decode(data + b"\x00")


def test_one_voter_twice_is_no_set() -> None:
    one = VoterSet({1: VoterNode(A)}).encode()
    with pytest.raises(DecodeError):
        VoterSet.decode(b"\x02" + one[1:] * 2)


def test_majorities_count_members_alone() -> None:
    assert THREE.is_majority([1, 2])
    assert not THREE.is_majority([1, 4, 5])
    four = THREE.with_voter(4, VoterNode(A))
    assert not four.is_majority([1, 2])
    assert not VoterSet({}).is_majority([1])


def test_the_first_directory_stays() -> None:
    known = THREE.with_directories({2: A, 9: B})
    assert known.ids == (1, 2, 3)
    assert known.voters[2] == VoterNode(A, ("two", 2))
    assert known.with_directories({2: B}).voters[2].directory_id == A
    assert known.without(2).ids == (1, 3)


def test_the_latest_set_holds_until_it_is_truncated() -> None:
    two, one = THREE.without(3), THREE.without(3).without(2)
    history = VoterHistory(0, THREE)
    history.append(5, two)
    history.append(9, one)
    assert (history.index, history.current) == (9, one)
    assert history.at(8) == (5, two)
    assert history.at(4) == (0, THREE)
    history.truncate(9)
    assert (history.index, history.current) == (5, two)
    history.truncate(1)
    history.truncate(0)  # the founders cannot be truncated
    assert (history.index, history.current) == (0, THREE)
    with pytest.raises(InvariantError):
        history.append(0, two)


def test_what_was_replaced_before_the_commit_is_forgotten() -> None:
    history = VoterHistory(0, THREE)
    history.append(5, THREE.without(3))
    history.append(9, THREE)
    history.forget_before(7)
    assert history.at(0) == (5, THREE.without(3))
    assert history.current == THREE
