from __future__ import annotations

from broker.replication.feed import Subscription, next_offset_of
from ottla.core.errors import ErrorCode
from storage.slices import LogSlice
from tests.unit.broker.replication.replication_support import (
    Host,
    batch_of,
    fill,
    leader_session,
)


def test_the_offset_after_the_last_batch() -> None:
    first = bytes(batch_of(b"a", b"b", base_offset=7))
    assert next_offset_of(first) == 9
    assert next_offset_of(first + batch_of(b"c", base_offset=9)) == 10


def test_one_subscription_a_follower() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition)
    first = Subscription(session, 1, partition, 2, 0)
    second = Subscription(session, 2, partition, 2, 0)
    third = Subscription(session, 3, partition, 3, 0)
    for subscription in (first, second, third):
        partition.feed.add(subscription)
    assert partition.feed.subscriptions == [second, third]
    assert not partition.feed.remove(first)
    assert partition.feed.remove(second)


def test_read_from_the_tail_and_from_the_log_is_the_same() -> None:
    host = Host()
    partition = host.partition()
    assert partition.log is not None
    feed = partition.feed
    feed.add(Subscription(leader_session(host, partition), 1, partition, 2, 0))
    fill(partition, b"one", b"two")
    kept = feed.find(partition.log, 0, 10_000)
    feed.sent()
    assert isinstance(kept, tuple)
    feed._tail.clear()
    found = feed.find(partition.log, 0, 10_000)
    assert isinstance(found, LogSlice)
    assert b"".join(kept[0]) == found.read()
    assert kept[1] == next_offset_of(found.read()) == 2
    assert feed.find(partition.log, 2, 10_000) is None


def test_nothing_is_kept_without_followers() -> None:
    host = Host()
    partition = host.partition()
    fill(partition, b"one")
    assert host.tail_budget.free_bytes == 1 << 20
    subscription = Subscription(leader_session(host, partition), 1, partition, 2, 1)
    partition.feed.add(subscription)
    fill(partition, b"two")
    assert host.tail_budget.free_bytes < 1 << 20
    partition.feed.cancel_all(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert host.tail_budget.free_bytes == 1 << 20
