"""What `--throttle` sets it takes away, and nothing else."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ottla.cli.move_throttle import MoveThrottle
from ottla.client.configs import ResourceKind
from ottla.reassignment.progress import Copying
from tests.support.moving_cluster import MovingCluster

LEADER_RATE = "leader.replication.throttled.rate"
FOLLOWER_RATE = "follower.replication.throttled.rate"
LEADERS = "leader.replication.throttled.replicas"
FOLLOWERS = "follower.replication.throttled.replicas"
MOVES = [Copying("t", 0, (4,), (1, 2, 3)), Copying("t", 1, (4, 3), (1, 2))]
KEYS = [("t", 0), ("t", 1)]
BOTH = {LEADER_RATE: "50", FOLLOWER_RATE: "50"}


@pytest.fixture
def cluster() -> MovingCluster:
    cluster = MovingCluster()
    for index in range(3):
        cluster.add("t", index, (1, 2, 3))
        cluster.add("u", index, (1, 2, 3))
    return cluster


def throttle(cluster: MovingCluster, keys: list[tuple[str, int]] = KEYS) -> MoveThrottle:
    return MoveThrottle(cast(Any, cluster), keys)


def rates(cluster: MovingCluster) -> dict[int, dict[str, str]]:
    found = {b: cluster.config(ResourceKind.BROKER, b) for b in sorted(cluster.brokers)}
    return {broker: own for broker, own in found.items() if own}


def lists(cluster: MovingCluster, topic: str = "t") -> dict[str, str]:
    return cluster.config(ResourceKind.TOPIC, topic)


def test_as_kafkas_tool_sets_it(cluster: MovingCluster) -> None:
    one = throttle(cluster)
    one.begin([*MOVES, Copying("u", 0, (), (1, 2, 3))], 50)
    assert rates(cluster) == dict.fromkeys((1, 2, 3, 4), BOTH)
    assert lists(cluster) == {LEADERS: "0:1,0:2,0:3,1:1,1:2", FOLLOWERS: "0:4,1:4,1:3"}
    assert lists(cluster, "u") == {}
    one.end()
    assert (rates(cluster), lists(cluster)) == ({}, {})


def test_lists_come_before_rates_and_go_after_them(cluster: MovingCluster) -> None:
    """So a rate of ours is never there without the lists that tell whose it is."""
    one = throttle(cluster)
    one.begin(MOVES, 50)
    kinds = ["topic" in str(what) for _, what in cluster.calls]
    assert kinds == sorted(kinds, reverse=True)
    cluster.calls.clear()
    one.end()
    kinds = ["topic" in str(what) for _, what in cluster.calls]
    assert kinds == sorted(kinds)


def test_only_brokers_that_take_part_get_a_rate(cluster: MovingCluster) -> None:
    one = throttle(cluster)
    one.begin([Copying("t", 0, (4,), (1,))], 50)
    assert rates(cluster) == {1: BOTH, 4: BOTH}


def test_a_rate_that_was_there_stays_as_it_is(
    cluster: MovingCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.config(ResourceKind.BROKER, 2)[LEADER_RATE] = "7"
    cluster.config(ResourceKind.BROKER, 3).update(BOTH)
    one = throttle(cluster)
    one.begin(MOVES, 50)
    assert rates(cluster)[2] == {LEADER_RATE: "7", FOLLOWER_RATE: "50"}
    assert f"Broker 2 has {LEADER_RATE}=7 already" in capsys.readouterr().out
    one.end()
    assert rates(cluster) == {2: {LEADER_RATE: "7"}, 3: BOTH}


def test_lists_that_were_there_stay(cluster: MovingCluster) -> None:
    lists(cluster).update({LEADERS: "2:1,0:1", FOLLOWERS: "*"})
    one = throttle(cluster, [("t", 1)])
    one.begin(MOVES[1:], 50)
    assert lists(cluster) == {LEADERS: "2:1,0:1,1:1,1:2", FOLLOWERS: "*"}
    one.end()
    assert lists(cluster) == {LEADERS: "2:1,0:1", FOLLOWERS: "*"}


def test_what_an_interrupted_one_left_goes_with_the_next(cluster: MovingCluster) -> None:
    throttle(cluster).begin(MOVES, 50)
    throttle(cluster).end()
    assert (rates(cluster), lists(cluster)) == ({}, {})


def test_the_next_one_may_change_the_rate(cluster: MovingCluster) -> None:
    throttle(cluster).begin(MOVES, 50)
    one = throttle(cluster)
    one.begin(MOVES, 80)
    assert {v for own in rates(cluster).values() for v in own.values()} == {"80"}
    one.end()
    assert (rates(cluster), lists(cluster)) == ({}, {})


def test_while_another_reassignment_is_throttled_the_rates_stay(cluster: MovingCluster) -> None:
    cluster.moving = False
    cluster.alter_reassignments({("u", 0): (1, 2, 4), ("t", 0): (1, 2, 4)})
    other = throttle(cluster, [("u", 0)])
    other.begin([Copying("u", 0, (4,), (1, 2, 3))], 50)
    one = throttle(cluster)
    one.begin(MOVES, 50)
    one.end()
    assert rates(cluster) == dict.fromkeys((1, 2, 3, 4), BOTH)
    assert lists(cluster) == {}
    other.end()
    assert (rates(cluster), lists(cluster, "u")) == ({}, {})


def test_a_dead_broker_is_not_asked_and_gets_its_rate(cluster: MovingCluster) -> None:
    """It may be back in the middle."""
    cluster.dead.add(2)
    one = throttle(cluster)
    one.begin(MOVES, 50)
    assert rates(cluster)[2] == BOTH
    one.end()
    assert rates(cluster) == {}


def test_a_broker_that_was_unregistered_meanwhile_is_no_failure(cluster: MovingCluster) -> None:
    one = throttle(cluster)
    one.begin(MOVES, 50)
    cluster.brokers.discard(3)
    one.end()
    assert lists(cluster) == {}
    assert rates(cluster) == {}
