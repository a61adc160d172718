from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.groups import join as module
from broker.groups.requests import JoinResult, LeavingMember
from broker.groups.states import GroupState
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.consumer_protocol_subscription import ConsumerProtocolSubscription
from tests.support.group_driver import SETTINGS, GroupDriver


def subscription(*topics: str, owned: bytes = b"") -> bytes:
    message = ConsumerProtocolSubscription(topics=list(topics), user_data=owned)
    return b"\0\1" + message.encode(1)


def static(driver: GroupDriver, fresh: str, instance: str = "i", **fields: Any) -> int:
    return driver.join(fresh_member_id=fresh, instance_id=instance, **fields)


# ---- new members


def test_a_new_dynamic_member_first_gets_an_id() -> None:
    driver = GroupDriver()
    first = driver.answer(driver.join(fresh_member_id="a", requires_known_member_id=True))
    assert first == JoinResult("a", error=ErrorCode.MEMBER_ID_REQUIRED)
    assert driver.log == []
    second = driver.answer(driver.join("a", requires_known_member_id=True))
    assert (second.generation, second.leader_id) == (1, "a")


def test_an_id_that_nobody_joins_with_expires_and_leaves_nothing() -> None:
    driver = GroupDriver()
    driver.join(fresh_member_id="a", requires_known_member_id=True, session_timeout_ms=10_000)
    driver.advance(9_999)
    assert "group" in driver.machine.groups
    driver.advance(1)
    assert "group" not in driver.machine.groups
    assert driver.error(driver.join("a")) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_round_waits_for_ids_that_were_given_out() -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    driver.join(fresh_member_id="b", requires_known_member_id=True)
    again = driver.join("a")
    assert driver.is_pending(again)
    driver.join("b", requires_known_member_id=True)
    assert driver.answer(again).generation == 2
    driver.sync("a", 2, {"a": b"x"})
    driver.join(fresh_member_id="c", requires_known_member_id=True, session_timeout_ms=6_000)
    again = driver.join("a")
    driver.join("b")
    assert driver.is_pending(again)
    driver.advance(6_000)
    assert driver.answer(again).generation == 3


def test_static_members_need_no_second_step() -> None:
    driver = GroupDriver()
    result = driver.answer(static(driver, "a", requires_known_member_id=True))
    assert (result.member_id, result.generation) == ("a", 1)


def test_unknown_ids_are_refused() -> None:
    driver = GroupDriver()
    assert driver.error(driver.join("ghost")) is ErrorCode.UNKNOWN_MEMBER_ID
    driver.stable_group("a")
    assert driver.error(driver.join("ghost")) is ErrorCode.UNKNOWN_MEMBER_ID
    assert driver.error(driver.join("a", instance_id="i")) is ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize(
    "fields",
    [
        {"protocol_type": "connect"},
        {"protocols": (("sticky", b""),)},
        {"protocols": ()},
    ],
)
def test_members_need_a_common_protocol(fields: dict[str, Any]) -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    ticket = driver.join(fresh_member_id="b", **fields)
    assert driver.error(ticket) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_an_empty_group_takes_any_protocol_type_but_none() -> None:
    driver = GroupDriver()
    driver.stable_group("a")
    driver.leave(LeavingMember("a"))
    ticket = driver.join(fresh_member_id="b", protocol_type="")
    assert driver.error(ticket) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    ticket = driver.join(fresh_member_id="b", protocol_type="connect")
    assert driver.answer(ticket).protocol_type == "connect"


def test_a_full_group() -> None:
    driver = GroupDriver(replace(SETTINGS, max_size=2))
    driver.stable_group("a", "b")
    full = driver.join(fresh_member_id="c")
    assert driver.error(full) is ErrorCode.GROUP_MAX_SIZE_REACHED
    assert driver.group.state is GroupState.STABLE
    # While a round is open, who comes first gets a place.
    driver.join("a", protocols=(("range", b"new"),))
    late = driver.join(fresh_member_id="c")
    assert driver.is_pending(late)
    full = driver.join(fresh_member_id="d")
    assert driver.error(full) is ErrorCode.GROUP_MAX_SIZE_REACHED


def test_members_must_fit_one_record() -> None:
    driver = GroupDriver(replace(SETTINGS, record_bytes_max=10_000))
    driver.stable_group("a")
    ticket = driver.join(fresh_member_id="b", protocols=(("range", bytes(9_000)),))
    assert driver.error(ticket) is ErrorCode.GROUP_MAX_SIZE_REACHED


def test_ids_given_out_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PENDING_MAX", 2)
    driver = GroupDriver()
    for name in ("a", "b"):
        driver.join(fresh_member_id=name, requires_known_member_id=True)
    ticket = driver.join(fresh_member_id="c", requires_known_member_id=True)
    assert driver.error(ticket) is ErrorCode.GROUP_MAX_SIZE_REACHED
    assert driver.answer(driver.join("a", requires_known_member_id=True)) is not None


# ---- members that join again


def test_a_follower_with_nothing_new_gets_the_generation_again() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b")
    result = driver.answer(driver.join("b"))
    assert (result.generation, result.leader_id, result.members) == (generation, "a", ())
    assert driver.group.state is GroupState.STABLE


def test_a_leader_that_joins_again_makes_a_rebalance() -> None:
    driver = GroupDriver()
    driver.stable_group("a", "b")
    driver.join("a", reason="new partitions")
    assert driver.group.state is GroupState.PREPARING_REBALANCE
    assert "new partitions" in driver.group.rebalance_reason


def test_changed_metadata_makes_a_rebalance() -> None:
    driver = GroupDriver()
    driver.stable_group("a", "b")
    driver.join("b", protocols=(("range", b"changed"),))
    assert driver.group.state is GroupState.PREPARING_REBALANCE


def test_a_lost_join_answer_is_repeated_before_the_sync() -> None:
    driver = GroupDriver()
    first = driver.answer(driver.join(fresh_member_id="a"))
    assert driver.answer(driver.join("a")) == first
    assert len(driver.log) == 1


def test_asking_twice_ends_the_first_request() -> None:
    driver = GroupDriver()
    driver.stable_group("a", "b")
    first = driver.join("a")
    second = driver.join("a")
    assert driver.error(first) is ErrorCode.REBALANCE_IN_PROGRESS
    driver.join("b")
    assert driver.answer(second).generation == 3


# ---- static members


def test_a_restarted_static_member_causes_no_rebalance() -> None:
    driver = GroupDriver()
    protocols = (("range", subscription("t", owned=b"partition 0")),)
    static(driver, "a1", "ia", protocols=protocols)
    static(driver, "b1", "ib", protocols=protocols)
    driver.join("a1", instance_id="ia", protocols=protocols)
    driver.sync("a1", 2, {"a1": b"A", "b1": b"B"}, instance_id="ia")
    restarted = (("range", subscription("t")),)
    result = driver.answer(static(driver, "b2", "ib", protocols=restarted))
    assert (result.member_id, result.generation, result.leader_id) == ("b2", 2, "a1")
    assert driver.group.state is GroupState.STABLE
    assert driver.answer(driver.sync("b2", 2, instance_id="ib")).assignment == b"B"
    assert driver.error(driver.heartbeat("b1", 2, "ib")) is ErrorCode.FENCED_INSTANCE_ID
    assert driver.error(driver.heartbeat("b1", 2)) is ErrorCode.UNKNOWN_MEMBER_ID
    # It is in the log: another coordinator knows the new id.
    driver.reload()
    assert driver.answer(driver.heartbeat("b2", 2, "ib")) is None


def test_a_restarted_static_leader_need_not_assign() -> None:
    driver = GroupDriver()
    static(driver, "a1", "ia")
    driver.sync("a1", 1, {"a1": b"A"}, instance_id="ia")
    result = driver.answer(static(driver, "a2", "ia", supports_skipping_assignment=True))
    assert result.skip_assignment
    assert (result.leader_id, len(result.members)) == ("a2", 1)
    # An old client would assign if it heard that it leads.
    result = driver.answer(static(driver, "a3", "ia"))
    assert not result.skip_assignment
    assert (result.leader_id, result.members) == ("a2", ())


def test_a_restarted_static_member_with_other_topics_makes_a_rebalance() -> None:
    driver = GroupDriver()
    static(driver, "a1", protocols=(("range", subscription("t")),))
    driver.sync("a1", 1, {"a1": b"A"}, instance_id="i")
    result = driver.answer(static(driver, "a2", protocols=(("range", subscription("t", "u")),)))
    assert result.generation == 2


def test_a_static_member_that_restarts_before_the_sync_makes_a_rebalance() -> None:
    driver = GroupDriver()
    static(driver, "a1")
    assert driver.answer(static(driver, "a2")).generation == 2


def test_a_replaced_static_member_is_fenced_where_it_waits() -> None:
    driver = GroupDriver()
    driver.stable_group("leader")
    waiting = static(driver, "a1")
    second = static(driver, "a2")
    assert driver.error(waiting) is ErrorCode.FENCED_INSTANCE_ID
    driver.join("leader")
    assert driver.answer(second).generation == 2
    parked = driver.sync("a2", 2, instance_id="i")
    static(driver, "a3")
    assert driver.error(parked) is ErrorCode.FENCED_INSTANCE_ID
    assert driver.error(driver.join("a2", instance_id="i")) is ErrorCode.FENCED_INSTANCE_ID
