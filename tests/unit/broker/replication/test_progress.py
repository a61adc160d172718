from __future__ import annotations

from broker.replication.progress import BrokerView, FollowerProgress


def test_at_the_end_it_is_in_time_however_long_nothing_came() -> None:
    follower = FollowerProgress()
    follower.subscribe(1, 5, 0)
    follower.advance(5, 5, 0)
    assert follower.in_time(10**9, 10)


def test_idle_time_is_no_lag() -> None:
    follower = FollowerProgress()
    follower.subscribe(1, 5, 0)
    follower.advance(5, 5, 0)
    follower.leader_appended(6, 5_000)
    assert follower.in_time(5_010, 10)
    assert not follower.in_time(5_011, 10)


def test_reaching_the_mark_counts_for_the_time_of_the_mark() -> None:
    follower = FollowerProgress()
    follower.subscribe(1, 5, 0)
    follower.leader_appended(9, 50)
    follower.advance(5, 9, 100)
    assert follower.last_caught_up_ms == 0
    assert follower.mark == (9, 100)
    follower.advance(8, 20, 150)
    assert follower.last_caught_up_ms == 0
    follower.advance(9, 20, 200)
    assert follower.last_caught_up_ms == 100


def test_a_newcomer_is_not_in_time_before_it_caught_up() -> None:
    follower = FollowerProgress()
    follower.subscribe(1, 5, 0)
    follower.advance(2, 5, 1)
    assert not follower.in_time(1, 1_000)


def test_who_cannot_append_is_never_in_time() -> None:
    follower = FollowerProgress(5, 1, 0, None, cannot_append=True)
    assert not follower.in_time(0, 1_000)
    follower.subscribe(1, 5, 0)
    follower.advance(5, 5, 0)
    assert follower.in_time(0, 1_000)


def test_eligible_is_the_registered_incarnation() -> None:
    follower = FollowerProgress(5, 7)
    assert follower.eligible(BrokerView(7, True))
    assert not follower.eligible(BrokerView(8, True))
    assert not follower.eligible(BrokerView(7, False))
    assert not follower.eligible(None)
    follower.forget_position()
    assert not follower.eligible(BrokerView(7, True))
