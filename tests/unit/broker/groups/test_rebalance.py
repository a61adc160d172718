from __future__ import annotations

from broker.groups.requests import JoinResult, LeavingMember
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from ottla.core.errors import ErrorCode
from tests.support.group_driver import GroupDriver

DELAYED = GroupSettings(initial_rebalance_delay_ms=3_000)


def test_without_delay_the_first_member_is_answered_at_once() -> None:
    driver = GroupDriver()
    result = driver.answer(driver.join(fresh_member_id="a"))
    assert isinstance(result, JoinResult)
    assert (result.generation, result.leader_id, result.protocol) == (1, "a", "range")
    assert [member.member_id for member in result.members] == ["a"]
    assert driver.group.state is GroupState.COMPLETING_REBALANCE


def test_the_first_round_waits_and_newcomers_put_it_off() -> None:
    driver = GroupDriver(DELAYED)
    first = driver.join(fresh_member_id="a")
    driver.advance(2_000)
    second = driver.join(fresh_member_id="b")
    driver.advance(1_500)
    assert driver.is_pending(first)  # 3,500 ms: put off to 6,000
    third = driver.join(fresh_member_id="c")
    driver.advance(2_499)
    assert driver.is_pending(third)
    driver.advance(1)  # 6,000: c came since, put off to 9,000
    assert driver.is_pending(third)
    driver.advance(3_000)
    assert {driver.answer(t).generation for t in (first, second, third)} == {1}
    leader, follower = driver.answer(first), driver.answer(second)
    assert len(leader.members) == 3
    assert follower.members == ()
    assert follower.leader_id == "a"


def test_the_first_round_is_not_put_off_beyond_the_rebalance_timeout() -> None:
    driver = GroupDriver(DELAYED)
    first = driver.join(fresh_member_id="a", rebalance_timeout_ms=7_000)
    for number in range(7):
        driver.join(fresh_member_id=f"b{number}")
        driver.advance(1_000)
    assert driver.answer(first).generation == 1


def test_a_round_ends_when_all_have_joined() -> None:
    driver = GroupDriver()
    driver.stable_group("a", "b")
    again = driver.join("a")
    assert driver.is_pending(again)
    assert driver.group.state is GroupState.PREPARING_REBALANCE
    driver.join("b")
    assert driver.answer(again).generation == 3


def test_who_does_not_join_in_time_is_removed() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b", session_timeout_ms=30_000)
    again = driver.join("a", session_timeout_ms=30_000, rebalance_timeout_ms=20_000)
    for _ in range(7):
        beat = driver.heartbeat("b", generation)
        assert driver.error(beat) is ErrorCode.REBALANCE_IN_PROGRESS
        assert driver.is_pending(again)
        driver.advance(9_000)
    assert driver.answer(again).generation == generation + 1
    assert set(driver.group.members) == {"a"}
    assert driver.error(driver.heartbeat("b", generation)) is ErrorCode.UNKNOWN_MEMBER_ID


def test_static_members_stay_though_they_do_not_join_in_time() -> None:
    driver = GroupDriver()
    a = driver.answer(driver.join(fresh_member_id="a", instance_id="ia", session_timeout_ms=90_000))
    b = driver.join(fresh_member_id="b")
    driver.advance(60_000)
    assert driver.answer(b).generation == a.generation + 1
    assert driver.answer(b).leader_id == "b"  # one that is there to assign
    assert set(driver.group.members) == {"a", "b"}


def test_a_round_in_which_nobody_joined_goes_on_until_the_sessions_end() -> None:
    driver = GroupDriver()
    driver.join(fresh_member_id="a", instance_id="ia", session_timeout_ms=200_000)
    driver.join(fresh_member_id="b", session_timeout_ms=10_000)
    driver.leave(LeavingMember("b"))
    driver.advance(150_000)
    assert [driver.group.state] == [GroupState.PREPARING_REBALANCE]
    driver.advance(60_000)
    assert [driver.group.state] == [GroupState.EMPTY]


def test_a_crashed_member_is_noticed_by_its_session() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b")
    for _ in range(3):
        driver.advance(4_000)
        beat = driver.heartbeat("a", generation)
    assert driver.error(beat) is ErrorCode.REBALANCE_IN_PROGRESS
    assert driver.answer(driver.join("a")).generation == generation + 1
    assert any("session of b expired" in note for note in driver.notes)


def test_members_that_never_ask_for_their_part_are_removed() -> None:
    driver = GroupDriver()
    driver.join(fresh_member_id="a")
    driver.join(fresh_member_id="b")
    generation = driver.answer(driver.join("a")).generation
    waiting = driver.sync("b", generation)
    for _ in range(15):  # the leader lives but does not assign
        driver.heartbeat("a", generation)
        driver.advance(4_000)
    assert driver.error(waiting) is ErrorCode.REBALANCE_IN_PROGRESS
    assert set(driver.group.members) == {"b"}


def test_a_group_that_all_left_is_empty() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b")
    driver.leave(LeavingMember("a"), LeavingMember("b"))
    assert driver.group.state is GroupState.EMPTY
    assert driver.group.generation == generation + 1
    assert driver.group.stored is not None
    assert driver.group.stored.protocol is None
    assert driver.answer(driver.join(fresh_member_id="c")).generation == generation + 2


def test_parked_syncs_end_with_a_new_round() -> None:
    driver = GroupDriver()
    driver.join(fresh_member_id="a")
    driver.join(fresh_member_id="b")
    generation = driver.answer(driver.join("a")).generation
    waiting = driver.sync("b", generation)
    assert driver.is_pending(waiting)
    driver.join(fresh_member_id="c")
    assert driver.error(waiting) is ErrorCode.REBALANCE_IN_PROGRESS


def test_a_generation_is_in_the_log_before_anybody_hears_of_it() -> None:
    driver = GroupDriver()
    driver.join(fresh_member_id="a")
    machine = driver.reload()
    group = machine.groups["group"]
    assert group.generation == 1
    assert group.state is GroupState.COMPLETING_REBALANCE
    driver.sync("a", 1, {"a": b"all"})
    assert driver.answer(driver.sync("a", 1)).assignment == b"all"


def test_the_former_leader_stays_if_it_joins() -> None:
    driver = GroupDriver()
    driver.stable_group("a", "b")
    driver.join("b", protocols=(("range", b"other"),))
    assert driver.answer(driver.join("a")).leader_id == "a"
