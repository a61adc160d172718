from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.groups.requests import LeavingMember, SyncResult
from broker.groups.states import GroupState
from ottla.core.errors import ErrorCode
from tests.support.group_driver import SETTINGS, GroupDriver


def joined_pair() -> tuple[GroupDriver, int]:
    """Members a (leads) and b of a generation that nobody has assigned yet."""
    driver = GroupDriver()
    driver.join(fresh_member_id="a")
    driver.join(fresh_member_id="b")
    return driver, driver.answer(driver.join("a")).generation


# ---- SyncGroup


def test_followers_wait_for_the_leaders_assignment() -> None:
    driver, generation = joined_pair()
    waiting = driver.sync("b", generation)
    assert driver.is_pending(waiting)
    leader = driver.sync("a", generation, {"a": b"A", "b": b"B"})
    assert driver.answer(waiting) == SyncResult("consumer", "range", b"B")
    assert driver.answer(leader) == SyncResult("consumer", "range", b"A")
    assert driver.group.state is GroupState.STABLE
    assert driver.answer(driver.sync("b", generation)).assignment == b"B"


def test_members_that_the_leader_forgot_get_nothing() -> None:
    driver, generation = joined_pair()
    driver.sync("a", generation, {"a": b"A", "stranger": b"X"})
    assert driver.answer(driver.sync("b", generation)).assignment == b""


def test_an_assignment_of_nothing_makes_a_stable_group() -> None:
    driver, generation = joined_pair()
    driver.sync("a", generation)
    assert driver.group.state is GroupState.STABLE
    assert driver.answer(driver.sync("b", generation)).assignment == b""


def test_asking_twice_ends_the_first_sync() -> None:
    driver, generation = joined_pair()
    first, second = driver.sync("b", generation), driver.sync("b", generation)
    assert driver.error(first) is ErrorCode.REBALANCE_IN_PROGRESS
    driver.sync("a", generation, {"b": b"B"})
    assert driver.answer(second).assignment == b"B"


def test_syncs_that_are_refused() -> None:
    driver, generation = joined_pair()
    assert driver.error(driver.sync("c", generation)) is ErrorCode.UNKNOWN_MEMBER_ID
    assert driver.error(driver.sync("b", generation - 1)) is ErrorCode.ILLEGAL_GENERATION
    wrong: tuple[dict[str, Any], ...] = ({"protocol": "sticky"}, {"protocol_type": "connect"})
    for fields in wrong:
        ticket = driver.sync("b", generation, **fields)
        assert driver.error(ticket) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    driver.join(fresh_member_id="c")
    assert driver.error(driver.sync("b", generation)) is ErrorCode.REBALANCE_IN_PROGRESS
    empty = GroupDriver()
    assert empty.error(empty.sync("a", 1)) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_new_member_of_a_group_without_generation_cannot_sync() -> None:
    driver = GroupDriver(replace(SETTINGS, initial_rebalance_delay_ms=1_000))
    driver.join(fresh_member_id="a")
    assert driver.error(driver.sync("a", 0)) is ErrorCode.UNKNOWN_MEMBER_ID


def test_assignments_must_fit_one_record() -> None:
    driver = GroupDriver(replace(SETTINGS, record_bytes_max=10_000))
    driver.join(fresh_member_id="a")
    ticket = driver.sync("a", 1, {"a": bytes(9_990)})
    assert driver.error(ticket) is ErrorCode.UNKNOWN_SERVER_ERROR
    assert driver.group.state is GroupState.COMPLETING_REBALANCE
    assert driver.answer(driver.sync("a", 1, {"a": b"less"})).assignment == b"less"


# ---- Heartbeat


def test_heartbeats_keep_a_member_alive() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a")
    for _ in range(10):
        driver.advance(9_999)
        assert driver.answer(driver.heartbeat("a", generation)) is None
    assert driver.log == driver.log[:2]
    driver.advance(10_000)
    assert driver.group.state is GroupState.EMPTY


def test_heartbeats_before_the_sync_are_good() -> None:
    driver, generation = joined_pair()
    assert driver.answer(driver.heartbeat("b", generation)) is None


def test_heartbeats_that_are_refused() -> None:
    driver = GroupDriver()
    assert driver.error(driver.heartbeat("a", 1)) is ErrorCode.UNKNOWN_MEMBER_ID
    generation = driver.stable_group("a", "b")
    assert driver.error(driver.heartbeat("c", generation)) is ErrorCode.UNKNOWN_MEMBER_ID
    assert driver.error(driver.heartbeat("a", generation - 1)) is ErrorCode.ILLEGAL_GENERATION
    driver.join(fresh_member_id="c")
    assert driver.error(driver.heartbeat("a", generation)) is ErrorCode.REBALANCE_IN_PROGRESS


# ---- LeaveGroup


def test_several_leave_at_once_and_the_others_rebalance() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b", "c")
    ticket = driver.leave(
        LeavingMember("b", reason="closing"), LeavingMember("ghost"), LeavingMember("a")
    )
    assert driver.answer(ticket) == [
        ErrorCode.NONE,
        ErrorCode.UNKNOWN_MEMBER_ID,
        ErrorCode.NONE,
    ]
    assert set(driver.group.members) == {"c"}
    assert "closing" in driver.group.rebalance_reason
    result = driver.answer(driver.join("c"))
    assert (result.generation, result.leader_id) == (generation + 1, "c")


def test_nobody_left_so_nothing_happens() -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    ticket = driver.leave(LeavingMember("ghost"), LeavingMember("", "no-instance"))
    assert driver.answer(ticket) == 2 * [ErrorCode.UNKNOWN_MEMBER_ID]
    assert driver.group.state is GroupState.STABLE


def test_admin_tools_remove_static_members_by_instance() -> None:
    driver = GroupDriver()
    driver.join(fresh_member_id="a", instance_id="i")
    assert driver.answer(driver.leave(LeavingMember("other", "i"))) == [
        ErrorCode.FENCED_INSTANCE_ID
    ]
    assert driver.answer(driver.leave(LeavingMember("", "i"))) == [ErrorCode.NONE]
    assert driver.group.state is GroupState.EMPTY


def test_leaving_twice_is_leaving_once() -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    ticket = driver.leave(LeavingMember("a"), LeavingMember("a"))
    assert driver.answer(ticket) == 2 * [ErrorCode.NONE]


def test_a_given_id_can_be_given_back() -> None:
    driver = GroupDriver()
    driver.join(fresh_member_id="a", requires_known_member_id=True)
    assert driver.answer(driver.leave(LeavingMember("a"))) == [ErrorCode.NONE]
    assert "group" not in driver.machine.groups


def test_whoever_waits_and_leaves_is_told() -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    joining = driver.join(fresh_member_id="b")
    driver.leave(LeavingMember("b"))
    assert driver.error(joining) is ErrorCode.UNKNOWN_MEMBER_ID
    driver, generation = joined_pair()
    syncing = driver.sync("b", generation)
    driver.leave(LeavingMember("b"))
    assert driver.error(syncing) is ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("who", ["a", "b"])
def test_the_last_one_missing_in_a_round_leaves(who: str) -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b")
    other = {"a": "b", "b": "a"}[who]
    waiting = driver.join(other, protocols=(("range", b"new"),))
    driver.leave(LeavingMember(who))
    assert driver.answer(waiting).generation == generation + 1
