from __future__ import annotations

from dataclasses import replace

from broker.groups.requests import LeavingMember
from broker.groups.states import GroupState
from tests.support.group_driver import SETTINGS, GroupDriver, offset
from tests.unit.broker.groups.test_join import subscription

HOUR = 3_600_000
HOURLY = replace(SETTINGS, offsets_retention_ms=HOUR, offsets_retention_check_interval_ms=1_000)


def test_offsets_outlive_their_empty_group_by_the_retention() -> None:
    driver = GroupDriver(HOURLY)
    generation = driver.stable_group("a")
    driver.commit(offset(1), member_id="a", generation=generation)
    driver.advance(5_000)
    driver.leave(LeavingMember("a"))
    driver.advance(HOUR - 1_000)
    assert driver.committed() == 1
    driver.advance(2_000)
    assert driver.committed() is None
    assert "group" not in driver.machine.groups
    assert driver.replayed().groups == {}
    assert driver.replayed().offsets.count == 0


def test_a_group_without_offsets_goes_as_soon_as_it_is_empty() -> None:
    driver = GroupDriver(HOURLY)
    driver.stable_group("a")
    driver.leave(LeavingMember("a"))
    assert driver.group.state is GroupState.EMPTY
    driver.advance(1_000)
    assert "group" not in driver.machine.groups


def test_offsets_without_a_group_expire_after_the_commit() -> None:
    driver = GroupDriver(HOURLY)
    driver.commit(offset(1))
    driver.advance(HOUR // 2)
    driver.commit(offset(2, partition=1))
    driver.advance(HOUR // 2 + 1_000)
    assert driver.committed() is None
    assert driver.committed(partition=1) == 2


def test_a_live_group_keeps_what_it_subscribes_to() -> None:
    driver = GroupDriver(HOURLY)
    generation = driver.stable_group(
        "a", session_timeout_ms=3 * HOUR, protocols=(("range", subscription("t")),)
    )
    driver.commit(offset(1), offset(2, "former"), member_id="a", generation=generation)
    driver.advance(2 * HOUR)
    assert driver.committed() == 1
    assert driver.committed("former") is None


def test_unreadable_subscriptions_and_other_protocols_keep_everything() -> None:
    for fields in ({"protocols": (("range", b"?"),)}, {"protocol_type": "connect"}):
        driver = GroupDriver(HOURLY)
        generation = driver.stable_group("a", session_timeout_ms=3 * HOUR, **fields)
        driver.commit(offset(1), member_id="a", generation=generation)
        driver.advance(2 * HOUR)
        assert driver.committed() == 1


def test_nothing_expires_in_a_rebalance() -> None:
    driver = GroupDriver(HOURLY)
    fields = {"session_timeout_ms": 3 * HOUR, "rebalance_timeout_ms": 3 * HOUR}
    generation = driver.stable_group("a", "b", **fields)
    driver.commit(offset(1), member_id="a", generation=generation)
    driver.join("a", **fields)
    driver.advance(2 * HOUR)
    assert driver.group.state is GroupState.PREPARING_REBALANCE
    assert driver.committed() == 1


def test_an_expiry_time_of_its_own_comes_first() -> None:
    driver = GroupDriver(HOURLY)
    driver.commit(offset(1), retention_ms=5_000)
    driver.commit(offset(2, partition=1), retention_ms=2 * HOUR)
    driver.advance(6_000)
    assert driver.committed() is None
    driver.advance(HOUR)
    assert driver.committed(partition=1) == 2
    driver.advance(HOUR)
    assert driver.committed(partition=1) is None


def test_a_given_out_id_keeps_an_empty_group() -> None:
    driver = GroupDriver(HOURLY)
    driver.stable_group("a")
    driver.leave(LeavingMember("a"))
    driver.join(fresh_member_id="b", requires_known_member_id=True)
    driver.advance(2_000)
    assert driver.answer(driver.join("b")).generation == 3
