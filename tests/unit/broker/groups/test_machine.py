from __future__ import annotations

from typing import Any

import pytest

from broker.groups import machine as module
from broker.groups.requests import GroupDescription, GroupListing, LeavingMember
from broker.groups.states import GroupState
from broker.groups.stored import GroupRecord, OffsetRecord
from ottla.core.errors import ErrorCode
from tests.support.group_driver import PENDING, GroupDriver, offset


def describe(driver: GroupDriver, group_id: str = "group") -> Any:
    return driver.answer(driver.decide(lambda m, t, turn: m.describe(group_id, t, turn)))


def delete(driver: GroupDriver, group_id: str = "group") -> int:
    return driver.decide(lambda m, ticket, turn: m.delete(group_id, ticket, turn))


def test_a_reload_gives_the_same_state() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b")
    driver.commit(offset(5), member_id="a", generation=generation)
    machine = driver.replayed()
    assert machine.groups["group"].stored == driver.group.stored
    assert machine.offsets.of_group("group") == driver.machine.offsets.of_group("group")
    driver.reload()
    assert driver.group.state is GroupState.STABLE
    assert driver.answer(driver.heartbeat("b", generation)) is None
    assert driver.answer(driver.sync("b", generation)).assignment == b"to b"


def test_after_a_reload_sessions_start_anew_and_end() -> None:
    driver = GroupDriver()
    driver.stable_group("a", "b")
    driver.advance(9_000)
    driver.reload()
    driver.advance(9_999)
    assert set(driver.group.members) == {"a", "b"}
    driver.advance(1)
    assert driver.group.state is GroupState.EMPTY


def test_whoever_was_joining_joins_the_next_coordinator() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a")
    driver.join(fresh_member_id="b")
    driver.reload()
    assert driver.error(driver.join("b")) is ErrorCode.UNKNOWN_MEMBER_ID
    again = driver.join(fresh_member_id="b2")
    driver.join("a")
    assert driver.answer(again).generation == generation + 1


# ---- lost connections


def test_a_new_member_whose_connection_is_lost_holds_up_nobody() -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    joining = driver.join(fresh_member_id="b")
    driver.abandon(joining)
    assert set(driver.group.members) == {"a"}
    again = driver.join("a")
    assert driver.answer(again).generation == 2


def test_a_known_member_whose_connection_is_lost_counts_as_joined_and_can_come_back() -> None:
    driver = GroupDriver()
    driver.stable_group("a", "b")
    driver.abandon(driver.join("b", protocols=(("range", b"new"),)))
    result = driver.answer(driver.join("a"))
    assert (result.generation, result.leader_id, len(result.members)) == (3, "a", 2)
    assert driver.answer(driver.join("b", protocols=(("range", b"new"),))).generation == 3
    driver.advance(20_000)
    assert driver.group.state is GroupState.EMPTY


def test_who_listens_leads() -> None:
    driver = GroupDriver()
    driver.stable_group("a", "b")
    driver.abandon(driver.join("a"))
    assert driver.answer(driver.join("b")).leader_id == "b"


def test_a_lost_sync_starts_the_session() -> None:
    driver = GroupDriver()
    driver.join(fresh_member_id="a")
    driver.join(fresh_member_id="b")
    generation = driver.answer(driver.join("a")).generation
    parked = driver.sync("b", generation)
    driver.abandon(parked)
    for _ in range(3):
        driver.heartbeat("a", generation)
        driver.advance(5_000)
    assert set(driver.group.members) == {"a"}
    assert driver.answer(parked) is PENDING
    driver.abandon(parked)  # answered, lost, or never seen: nothing happens
    driver.abandon(999)


# ---- tools


def test_groups_are_listed() -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    driver.commit(offset(1), group_id="simple")
    listed = driver.answer(driver.decide(lambda m, t, turn: m.list_groups(t, turn)))
    assert listed == [
        GroupListing("group", "consumer", GroupState.STABLE),
        GroupListing("simple", "", GroupState.EMPTY),
    ]


def test_groups_are_described() -> None:
    driver = GroupDriver()
    assert describe(driver).code is ErrorCode.GROUP_ID_NOT_FOUND
    driver.stable_group("a")
    group = describe(driver)
    assert (group.state, group.protocol_type, group.protocol) == (
        GroupState.STABLE,
        "consumer",
        "range",
    )
    member = group.members[0]
    assert (member.member_id, member.client_id, member.client_host) == ("a", "client", "/127.0.0.1")
    assert (member.metadata, member.assignment) == (b"meta", b"to a")
    driver.join(fresh_member_id="b")
    group = describe(driver)
    assert (group.state, group.protocol) == (GroupState.PREPARING_REBALANCE, "")
    assert [member.assignment for member in group.members] == [b"", b""]
    driver.commit(offset(1), group_id="simple")
    assert describe(driver, "simple") == GroupDescription("simple", GroupState.EMPTY)


def test_only_empty_groups_are_deleted_with_their_offsets() -> None:
    driver = GroupDriver()
    assert driver.error(delete(driver)) is ErrorCode.GROUP_ID_NOT_FOUND
    generation = driver.stable_group("a")
    driver.commit(offset(1), member_id="a", generation=generation)
    assert driver.error(delete(driver)) is ErrorCode.NON_EMPTY_GROUP
    driver.leave(LeavingMember("a"))
    assert driver.answer(delete(driver)) is None
    assert driver.machine.groups == {}
    assert driver.committed() is None
    machine = driver.replayed()
    assert (machine.groups, machine.offsets.count) == ({}, 0)
    # The group tombstone is last: a torn deletion can be repeated.
    last = machine.decode(*driver.log[-1])
    assert last == GroupRecord("group", None)


def test_a_group_of_offsets_alone_is_deleted() -> None:
    driver = GroupDriver()
    driver.commit(offset(1))
    assert driver.answer(delete(driver)) is None
    assert driver.machine.decode(*driver.log[-1]) == OffsetRecord("group", "t", 0, None)
    assert driver.error(delete(driver)) is ErrorCode.GROUP_ID_NOT_FOUND


def test_a_deleted_group_may_be_used_again() -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    driver.leave(LeavingMember("a"))
    delete(driver)
    assert driver.answer(driver.join(fresh_member_id="b")).generation == 1


# ---- time


def test_what_is_due_is_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUPS_PER_TURN", 2)
    driver = GroupDriver()
    for number in range(5):
        driver.join(group_id=f"g{number}", fresh_member_id=f"m{number}")
    driver.advance(10_000)
    assert {group.state for group in driver.machine.groups.values()} == {GroupState.EMPTY}
    driver.advance(SWEEP_MS)
    assert driver.machine.groups == {}


def test_without_deadlines_only_retention_is_due() -> None:
    driver = GroupDriver()
    assert driver.machine.next_deadline() == 1_000 + SWEEP_MS
    driver.stable_group("a")
    assert driver.machine.next_deadline() == 11_000


SWEEP_MS = 600_000
