from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from broker.replication import frames
from broker.replication.follower_session import RETRY_MS_MAX, STORAGE_RETRY_MS, FollowerSession
from broker.replication.leader_session import LeaderSession
from broker.replication.partition import Partition
from broker.replication.settings import ReplicationSettings
from broker.replication.throttle import UNLIMITED, Throttle
from ottla.core.errors import DecodeError
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    Host,
    Woken,
    batch_of,
    fill,
    lead,
    leader_session,
)

SETTINGS = ReplicationSettings(2, "cluster")


class Pair:
    """Broker 1 leads, broker 2 follows; messages travel when `talk` is called."""

    def __init__(self, **configs: str) -> None:
        names = {name.replace("_", "."): value for name, value in configs.items()}
        self.leader_host, self.host = Host(1), Host(2)
        self.leader = self.leader_host.partition(replicas=(1, 2), configs=names)
        self.partition = self.host.partition(replicas=(1, 2), configs=names)
        self.requests = count(1)
        self.sent_elsewhere: list[Partition] = []
        self.connect()

    def connect(self) -> None:
        self.at_leader: LeaderSession = leader_session(self.leader_host, self.leader)
        self.session = self.follower_session(lambda: 20)

    def follower_session(self, broker_epoch: Callable[[], int | None]) -> FollowerSession:
        return FollowerSession(
            1,
            broker_epoch=broker_epoch,
            settings=SETTINGS,
            clock=self.host.clock,
            wake=Woken(),
            requests=self.requests,
            elsewhere=self.sent_elsewhere.append,
            throttle=Throttle(UNLIMITED),
        )

    def talk(self) -> None:
        for _ in range(50):
            to_leader, to_follower = self.session.next_message(), self.at_leader.next_message()
            if to_leader is None and to_follower is None:
                return
            if to_leader is not None:
                self.at_leader.receive(to_leader)
            if to_follower is not None:
                self.session.receive(to_follower)
        raise AssertionError("no end of talk")

    def both_lead(self, leader_id: int, leader_epoch: int) -> None:
        lead(self.leader, leader_id, leader_epoch)
        lead(self.partition, leader_id, leader_epoch)


def test_follows_and_acknowledges() -> None:
    pair = Pair()
    fill(pair.leader, b"before")
    pair.session.follow(pair.partition)
    pair.talk()
    fill(pair.leader, b"after")
    pair.talk()
    assert pair.partition.log_end_offset == 2
    assert pair.leader.high_watermark == 2


def test_learns_the_high_watermark_when_idle() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    fill(pair.leader, b"one")
    pair.talk()
    assert pair.partition.high_watermark == 0
    pair.at_leader.on_tick(0)
    pair.talk()
    assert pair.partition.high_watermark == 1
    assert pair.host.noted == [1]


def test_learns_the_log_start_when_idle() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    fill(pair.leader, b"one", b"two")
    pair.talk()
    assert pair.leader.log is not None
    pair.leader.log.advance_log_start(1)
    pair.leader.feed.state_changed()
    pair.at_leader.on_tick(0)
    pair.talk()
    assert pair.partition.log_start_offset == 1


def test_truncates_by_leader_epoch_and_goes_on() -> None:
    pair = Pair()
    fill(pair.leader, b"common")
    pair.session.follow(pair.partition)
    pair.talk()
    lead(pair.partition, 2, 1)
    fill(pair.partition, b"alone", b"alone")
    lead(pair.leader, 1, 2)
    fill(pair.leader, b"chosen")
    lead(pair.partition, 1, 2)
    pair.connect()
    pair.session.follow(pair.partition)
    pair.talk()
    assert pair.partition.log_end_offset == 2
    assert pair.partition.log is not None
    assert pair.partition.log.epochs.entries == ((0, 0), (2, 1))
    assert pair.leader.high_watermark == 2


def test_below_the_leaders_log_start_it_starts_anew() -> None:
    pair = Pair()
    fill(pair.leader, b"one", b"two", b"three")
    assert pair.leader.log is not None
    pair.leader.log.advance_log_start(2)
    pair.session.follow(pair.partition)
    pair.talk()
    assert pair.partition.log_start_offset == 2
    assert pair.partition.log_end_offset == 3


def test_data_of_an_unknown_subscription_is_dropped() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    batch = batch_of(b"stray", leader_epoch=0)
    pair.session.receive(frames.data_header(99, 0, 0, 0, len(batch)) + batch)
    assert pair.partition.log_end_offset == 0


def test_a_gap_makes_it_ask_again() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    batch = batch_of(b"later", base_offset=5, leader_epoch=0)
    pair.session.receive(frames.data_header(1, 5, 0, 0, len(batch)) + batch)
    message = pair.session.next_message()
    assert message is not None
    assert [kind for kind, _, _ in frames.iter_frames(message)] == [
        frames.UNSUBSCRIBE,
        frames.SUBSCRIBE,
    ]
    assert pair.partition.log_end_offset == 0


def test_a_damaged_batch_is_not_appended() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    batch = batch_of(b"damaged", leader_epoch=0)
    batch[-1] ^= 1
    pair.session.receive(frames.data_header(1, 0, 0, 0, len(batch)) + batch)
    assert pair.partition.log_end_offset == 0
    pair.talk()
    fill(pair.leader, b"whole")
    pair.host.clock.advance(RETRY_MS_MAX)
    pair.session.on_tick(pair.host.clock.now_ms())
    pair.talk()
    assert pair.partition.log_end_offset == 1


def test_a_full_disk_is_said_and_tried_again_later() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    pair.host.vfs.capacity = 0
    fill(pair.leader, b"one")
    pair.talk()
    assert len(pair.leader_host.proposals) == 1
    assert pair.leader.machine.followers[2].cannot_append
    assert pair.session.paused
    # While it is full it is not asked for: each try would let the leader count on it.
    for _ in range(3):
        pair.host.clock.advance(STORAGE_RETRY_MS)
        pair.session.on_tick(pair.host.clock.now_ms())
        assert pair.session.next_message() is None
    assert pair.leader.machine.followers[2].cannot_append
    pair.host.vfs.capacity = None
    pair.host.look_at_room()
    pair.session.on_tick(pair.host.clock.now_ms())
    pair.talk()
    assert pair.partition.log_end_offset == 1


def test_on_a_disk_that_filled_up_it_leaves_before_an_append_fails() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    pair.session.leave_full()
    assert pair.session.streaming_count == 1
    pair.host.logs.directories[0].room.refused()
    pair.session.leave_full()
    pair.talk()
    assert pair.leader.machine.followers[2].cannot_append
    (change,) = pair.leader_host.proposals
    assert dict(change.isr).keys() == {1}
    assert pair.session.paused


def test_what_was_only_asked_for_is_given_up_on_a_full_disk() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.host.logs.directories[0].room.refused()
    pair.session.leave_full()
    pair.talk()
    assert pair.leader.feed.subscriptions == []
    assert pair.session.paused


def test_a_refusal_is_asked_again_with_growing_pauses() -> None:
    pair = Pair()
    lead(pair.partition, 1, 1)
    pair.session.follow(pair.partition)
    pair.talk()
    assert pair.session.paused
    lead(pair.leader, 1, 1)
    pair.session.on_tick(pair.host.clock.now_ms())
    pair.talk()
    assert pair.session.streaming_count == 0
    pair.host.clock.advance(2 * SETTINGS.retry_ms)
    pair.session.on_tick(pair.host.clock.now_ms())
    pair.talk()
    assert pair.session.streaming_count == 1


def test_cancelled_by_a_new_epoch_it_asks_again() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    lead(pair.leader, 1, 1)
    pair.talk()
    assert pair.session.paused
    lead(pair.partition, 1, 1)
    pair.session.follow(pair.partition)
    fill(pair.leader, b"of epoch 1")
    pair.talk()
    assert pair.partition.log_end_offset == 1


def test_an_answer_that_comes_too_late_is_given_back() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    request = pair.session.next_message()
    assert request is not None
    pair.at_leader.receive(request)
    pair.session.unfollow((TOPIC_ID, 0))
    pair.talk()
    assert pair.leader.feed.subscriptions == []


def test_unfollowing_tells_the_leader() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    pair.session.unfollow((TOPIC_ID, 0))
    pair.talk()
    assert pair.leader.feed.subscriptions == []
    fill(pair.leader, b"one")
    pair.talk()
    assert pair.partition.log_end_offset == 0


def test_unregistered_it_waits() -> None:
    pair = Pair()
    pair.session = pair.follower_session(lambda: None)
    pair.session.follow(pair.partition)
    assert pair.session.next_message() is None
    assert pair.session.paused


def test_durable_it_acknowledges_what_is_synced() -> None:
    pair = Pair(flush_messages="1")
    pair.session.follow(pair.partition)
    pair.talk()
    fill(pair.leader, b"one")
    assert pair.leader.log is not None
    pair.leader.log.flush()
    pair.leader.flushed()
    pair.talk()
    assert pair.leader.high_watermark == 0
    assert pair.host.flushes
    assert pair.partition.log is not None
    pair.partition.log.flush()
    fill(pair.leader, b"two")  # arrives after that sync
    pair.leader.log.flush()
    pair.leader.flushed()
    pair.talk()
    pair.session.note_flushed(pair.partition)
    pair.talk()
    assert pair.leader.high_watermark == 1


def test_after_so_many_messages_it_syncs_and_nobody_waits() -> None:
    pair = Pair(flush_messages="2")
    pair.session.follow(pair.partition)
    fill(pair.leader, b"one")
    pair.talk()
    assert (pair.leader.high_watermark, pair.host.flushes) == (1, [])
    fill(pair.leader, b"two")
    pair.talk()
    assert (pair.leader.high_watermark, pair.host.flushes) == (2, [pair.partition])


@pytest.mark.parametrize(
    "message",
    [
        b"\x14",
        frames.frame(frames.DATA, 1, b"short"),
        frames.frame(frames.STATE, 1, b"short"),
    ],
)
def test_broken_messages_are_the_leaders_fault(message: bytes) -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    with pytest.raises(DecodeError):
        pair.session.receive(message)


def test_a_failed_directory_ends_the_subscription() -> None:
    pair = Pair()
    pair.session.follow(pair.partition)
    pair.talk()
    assert pair.partition.log is not None
    pair.partition.log.directory.fail(OSError(5, "EIO"))
    fill(pair.leader, b"one")
    pair.talk()
    assert pair.host.failed == [pair.partition]
    (change,) = pair.leader_host.proposals
    assert dict(change.isr).keys() == {1}
