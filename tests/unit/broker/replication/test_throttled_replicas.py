"""KIP-73: the lists of the topic say who is throttled, the rates by how much."""

from __future__ import annotations

import pytest

from broker.replication import leader_log, leader_session
from broker.replication.partition import Partition
from broker.replication.throttle import BURST_MS
from broker.replication.throttled_replicas import (
    NOT_THROTTLED,
    ThrottledReplicas,
    throttled_replicas,
)
from tests.unit.broker.replication.replication_support import fill
from tests.unit.broker.replication.two_streams import RECORD, Pair

LEADER, FOLLOWER = (
    "leader.replication.throttled.replicas",
    "follower.replication.throttled.replicas",
)
BATCH = 400
"""More than RECORD takes in the log."""
FAR, NEAR, THROTTLED_NEAR = 20_000, 4_000, 500
ALL = ThrottledReplicas(None, None)


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader_log, "FAR_BYTES", FAR)
    monkeypatch.setattr(leader_log, "NEAR_BYTES", NEAR)
    monkeypatch.setattr(leader_log, "THROTTLED_NEAR_BYTES", THROTTLED_NEAR)


def throttle(pair: Pair, leader_list: str = "", follower_list: str = "", only: int = 0) -> None:
    for partition in (pair.leaders[only], pair.followers[only]):
        partition.throttled = throttled_replicas(
            {LEADER: leader_list, FOLLOWER: follower_list}, partition.index
        )


def size_of(partition: Partition) -> int:
    return 0 if partition.log is None else partition.log.size_bytes


@pytest.mark.parametrize(
    ("listed", "index", "broker", "expected"),
    [
        ("", 0, 1, False),
        ("*", 7, 9, True),
        (" * ", 7, 9, True),
        ("0:1,0:2,1:3", 0, 2, True),
        ("0:1, 0:2 ,1:3", 0, 2, True),
        ("0:1,0:2,1:3", 0, 3, False),
        ("0:1,0:2,1:3", 1, 3, True),
        ("10:1", 1, 1, False),
    ],
)
def test_lists_as_kafka_has_them(listed: str, index: int, broker: int, expected: bool) -> None:
    assert throttled_replicas({LEADER: listed}, index).sends(broker) is expected
    assert throttled_replicas({FOLLOWER: listed}, index).takes(broker) is expected
    assert not throttled_replicas({LEADER: listed}, index).takes(broker)
    assert not throttled_replicas({FOLLOWER: listed}, index).sends(broker)


def test_without_a_list_it_is_known_at_a_glance() -> None:
    assert throttled_replicas({"retention.ms": "1"}, 0) is NOT_THROTTLED
    assert throttled_replicas({LEADER: "1:1"}, 0) is NOT_THROTTLED


def test_a_rate_without_a_list_holds_nothing_back() -> None:
    pair = Pair(records=400, rate_out=1, rate_in=1)
    pair.follow()
    pair.talk()
    assert pair.links[True].catch_up  # it was far
    assert pair.partition.log_end_offset == 400
    assert pair.throttle_out.bytes_taken == pair.throttle_in.bytes_taken == 0


def test_a_list_without_a_rate_holds_nothing_back_and_counts() -> None:
    pair = Pair(records=20)
    throttle(pair, "*", "*")
    pair.follow()
    pair.talk()
    assert pair.partition.log_end_offset == 20
    whole = size_of(pair.leader)
    assert pair.throttle_out.bytes_taken == pair.throttle_in.bytes_taken == whole


@pytest.mark.parametrize(
    ("leader_list", "follower_list"), [("0:1", ""), ("*", ""), ("", "0:2"), ("", "*"), ("*", "*")]
)
def test_what_is_listed_is_held_back_though_it_is_near(
    leader_list: str, follower_list: str
) -> None:
    pair = Pair(records=40, rate_out=1_000, rate_in=1_000, message_bytes=800)
    throttle(pair, leader_list, follower_list)
    assert THROTTLED_NEAR < size_of(pair.leader) < FAR
    pair.follow()
    pair.talk()
    begun = size_of(pair.partition)
    slack = BURST_MS + 2 * 800 + 2 * BATCH  # a burst, what is in flight, the last of a message
    assert 0 < begun <= slack
    for seconds in range(1, 6):
        pair.pass_time(1_000)
        moved = size_of(pair.partition)
        assert seconds * 1_000 - 2 * BATCH <= moved <= seconds * 1_000 + slack
    pair.pass_time(20_000)
    assert pair.partition.log_end_offset == 40
    assert not pair.serving.catch_up
    counted = (pair.throttle_out.bytes_taken, pair.throttle_in.bytes_taken)
    whole = size_of(pair.leader)
    assert counted == (whole * bool(leader_list), whole * bool(follower_list))


@pytest.mark.parametrize("listed", ["0:2", "1:1", "0:3"])
def test_the_leaders_list_names_who_sends(listed: str) -> None:
    pair = Pair(rate_out=1, rate_in=1)
    throttle(pair, listed, "0:1,0:3,1:2")
    pair.follow()
    pair.talk()
    assert pair.partition.log_end_offset == 40


def test_a_member_of_the_isr_is_never_held_back_nor_counted() -> None:
    pair = Pair(isr=(1, 2, 3), records=400, rate_out=1, rate_in=1)
    throttle(pair, "*", "*")
    pair.follow()
    pair.talk()
    assert pair.partition.log_end_offset == 400
    assert True not in pair.links
    assert pair.throttle_out.bytes_taken == pair.throttle_in.bytes_taken == 0


@pytest.mark.parametrize(("leader_list", "follower_list"), [("*", ""), ("", "*")])
def test_others_on_the_stream_go_on(leader_list: str, follower_list: str) -> None:
    """However many are throttled: they have half of the credit, 800 bytes each."""
    pair = Pair(partitions=6, records=100, rate_out=1_000, rate_in=1_000, credit_bytes=3_000)
    for index in range(5):
        throttle(pair, leader_list, follower_list, only=index)
    pair.follow()
    pair.talk()
    assert pair.followers[5].log_end_offset == 100
    assert sum(map(size_of, pair.followers[:5])) < 6_000


def test_who_has_arrived_is_counted_and_not_held_back_while_it_joins() -> None:
    """The high watermark may wait for it by then."""
    pair = Pair(records=20, rate_out=1_000, rate_in=1_000)
    throttle(pair, "*", "*")
    pair.follow()
    pair.pass_time(20_000)
    assert not pair.serving.catch_up
    assert pair.leader.machine.followers[2].arrived
    (change,) = pair.leader_host.proposals
    pair.leader.isr_refused(change)
    before = (pair.throttle_out.bytes_taken, pair.throttle_in.bytes_taken)
    fill(pair.leader, *[RECORD] * 8)
    pair.talk()
    assert pair.partition.log_end_offset == 28
    assert pair.leader.machine.followers[2].log_end_offset == 28
    assert not pair.serving.catch_up
    assert pair.throttle_out.bytes_taken - before[0] >= 8 * 300
    assert pair.throttle_in.bytes_taken - before[1] >= 8 * 300
    fill(pair.leader, *[RECORD] * 40)  # it is behind again
    pair.talk()
    assert pair.serving.catch_up
    assert pair.leader.machine.followers[2].log_end_offset is None


def test_a_lost_stream_is_no_arrival() -> None:
    pair = Pair(records=20, rate_out=1_000)
    throttle(pair, "*")
    pair.follow()
    pair.pass_time(20_000)
    pair.links[False].lose()
    assert not pair.leader.machine.followers[2].arrived


def test_taken_off_the_list_it_goes_on_at_once() -> None:
    pair = Pair(records=400, rate_out=1, rate_in=1)
    throttle(pair, "*", "*")
    pair.follow()
    pair.pass_time(1_000)
    assert pair.partition.log_end_offset < 40
    throttle(pair)
    pair.pass_time(200)
    assert pair.partition.log_end_offset == 400


def test_a_higher_rate_holds_at_once() -> None:
    pair = Pair(records=400, rate_out=1, rate_in=1)
    throttle(pair, "*", "*")
    pair.follow()
    pair.pass_time(1_000)
    pair.throttle_out.set_rate(1 << 30)
    pair.throttle_in.set_rate(1 << 30)
    pair.pass_time(500)
    assert pair.partition.log_end_offset == 400


def test_a_session_counts_what_is_under_way_of_the_throttled() -> None:
    """Whatever comes between: else its part of the credit would be gone, or have no end."""
    pair = Pair(partitions=2, records=60, rate_in=2_000, credit_bytes=3_000)
    throttle(pair, "", "*", only=0)
    pair.follow()
    for step in range(30):
        throttle(pair, "", "*" if step % 3 else "", only=0)
        pair.pass_time(100)
        session = pair.links[True].leader
        held = sum(s.in_flight_bytes for s in session._subscriptions.values() if s.throttled)
        assert session._throttled_in_flight_bytes == held
        whole = sum(s.in_flight_bytes for s in session._subscriptions.values())
        assert session._in_flight_bytes == whole
    throttle(pair)
    pair.pass_time(500)
    assert [p.log_end_offset for p in pair.followers] == [60, 60]
    assert pair.links[True].leader._throttled_in_flight_bytes == 0


def test_what_is_under_way_is_a_fifth_of_a_second_at_the_leaders_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A follower that holds back takes all of it, from each of its leaders: else three of them
    would make it take three times its rate."""
    monkeypatch.setattr(leader_session, "THROTTLED_BYTES_MIN", 0)
    pair = Pair(partitions=40, rate_out=50_000, rate_in=1, message_bytes=1_000)
    for index in range(40):  # 800 bytes of each may be under way
        throttle(pair, "*", "*", only=index)
    pair.follow()
    pair.pass_time(3_000)
    under_way = pair.links[True].leader._throttled_in_flight_bytes
    assert 10_000 <= under_way <= 10_000 + 1_000 + BATCH
