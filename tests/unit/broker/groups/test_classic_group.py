from __future__ import annotations

import pytest

from broker.groups.classic_group import ClassicGroup, JoinRound
from broker.groups.member import Member
from broker.groups.states import VALID_PREVIOUS, GroupState
from broker.groups.stored import GENERATION_MAX, StoredGroup, StoredMember
from ottla.core.errors import ErrorCode, InvariantError, ProtocolError
from tests.support.group_driver import join_request


def member(member_id: str, *protocols: str, instance_id: str | None = None) -> Member:
    named = tuple((name, name.encode()) for name in protocols or ("range",))
    return Member.of_request(member_id, join_request(protocols=named, instance_id=instance_id))


def group_of(*members: Member) -> ClassicGroup:
    group = ClassicGroup("g")
    group.protocol_type = "consumer"
    for each in members:
        group.add(each)
    return group


def stored(*assignments: bytes, generation: int = 1) -> StoredGroup:
    members = tuple(
        StoredMember(f"m{n}", None, "c", "/h", 60_000, 10_000, b"s", assignment)
        for n, assignment in enumerate(assignments)
    )
    return StoredGroup("consumer", generation, "range", "m0", 0, members)


def test_only_valid_transitions() -> None:
    for target, previous in VALID_PREVIOUS.items():
        for state in GroupState:
            group = ClassicGroup("g")
            group.state = state
            if state in previous:
                group.move(target)
                assert group.state is target
            else:
                with pytest.raises(InvariantError):
                    group.move(target)


def test_replay_says_which_state() -> None:
    group = ClassicGroup("g")
    states = []
    for record in (stored(b"", b""), stored(b"x", b""), stored(generation=2)):
        group.replay(record, is_live=False)
        states.append(group.state)
    assert states == [GroupState.COMPLETING_REBALANCE, GroupState.STABLE, GroupState.EMPTY]
    assert group.generation == 2
    group.replay(stored(b"x", b""), is_live=False)
    assert group.assignments == {"m0": b"x", "m1": b""}


def test_a_leader_that_gives_nobody_anything_has_still_assigned() -> None:
    group = ClassicGroup("g")
    group.assigned_generation = 1
    group.replay(stored(b"", b""), is_live=False)
    assert group.state is GroupState.STABLE


def test_loaded_members_get_a_session_and_the_time_to_sync() -> None:
    group = ClassicGroup("g")
    group.replay(stored(b"", b""), is_live=False)
    group.restore_members(now_ms=1_000)
    assert {m.deadline_ms for m in group.members.values()} == {11_000}
    assert group.sync_pending == {"m0", "m1"}
    assert group.sync_deadline_ms == 61_000
    assert group.next_deadline() == 11_000


def test_the_vote() -> None:
    group = group_of(member("a", "x", "y"), member("b", "y", "x"), member("c", "z", "y", "x"))
    assert group.select_protocol() == "y"
    tie = group_of(member("a", "x", "y"), member("b", "y", "x"))
    assert tie.select_protocol() == "x"


def test_common_protocols() -> None:
    group = group_of(member("a", "x", "y"), member("b", "y"))
    assert group.supports("consumer", (("y", b""),), None)
    assert not group.supports("consumer", (("x", b""),), None)
    assert not group.supports("connect", (("y", b""),), None)
    # Who is in the group already does not have to agree with itself.
    assert group.supports("consumer", (("x", b""),), group.members["b"])
    alone = group_of(member("a", "x"))
    assert alone.supports("connect", (("z", b""),), alone.members["a"])
    assert not group_of().supports("", (("x", b""),), None)
    assert not group_of().supports("consumer", (), None)


def test_members_are_found_and_fenced() -> None:
    group = group_of(member("a"), member("b", instance_id="i"))
    assert group.member("a", None).member_id == "a"
    assert group.member("b", "i").member_id == "b"
    for member_id, instance_id, code in [
        ("c", None, ErrorCode.UNKNOWN_MEMBER_ID),
        ("b", "j", ErrorCode.UNKNOWN_MEMBER_ID),
        ("a", "i", ErrorCode.FENCED_INSTANCE_ID),
    ]:
        with pytest.raises(ProtocolError) as raised:
            group.member(member_id, instance_id)
        assert raised.value.code is code


def test_a_replaced_member_keeps_its_place() -> None:
    first = member("a", instance_id="i")
    group = group_of(first, member("b"))
    group.leader_id = "a"
    group.sync_pending = {"a", "b"}
    group.replace_id(first, "a2")
    assert set(group.members) == {"a2", "b"}
    assert group.static_ids == {"i": "a2"}
    assert group.leader_id == "a2"
    assert group.sync_pending == {"a2", "b"}
    assert group.select_protocol() == "range"


def test_a_removed_member_leaves_nothing() -> None:
    first = member("a", instance_id="i")
    group = group_of(first)
    group.leader_id = "a"
    group.remove(first)
    assert group.is_forgettable
    assert group.static_ids == {}
    assert group.leader_id is None
    assert not group.supports("consumer", (), None)


def test_the_earliest_deadline_counts() -> None:
    group = group_of(member("a"))
    assert group.next_deadline() is None
    group.sync_deadline_ms = 50
    group.pending["p"] = 40
    assert group.next_deadline() == 40
    group.join_round = JoinRound(30, 60)
    assert group.next_deadline() == 30
    group.members["a"].deadline_ms = 20
    assert group.next_deadline() == 20


def test_generations_do_not_leave_32_bits() -> None:
    group = ClassicGroup("g")
    assert group.next_generation == 1
    group.replay(stored(generation=GENERATION_MAX), is_live=False)
    assert group.next_generation == 1
