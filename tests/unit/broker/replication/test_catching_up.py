"""Two streams between a leader and a follower: who goes on which, and what each may disturb."""

from __future__ import annotations

import pytest

from broker.replication import frames, leader_log
from broker.replication.frames import Subscribe
from broker.replication.leader_session import COLD_READS_MAX, LeaderSession
from ottla.core.errors import ErrorCode
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    Host,
    Reads,
    fill,
    lead,
    leader_session,
)
from tests.unit.broker.replication.two_streams import RECORD, Pair

FAR, NEAR = 4_000, 1_000


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader_log, "FAR_BYTES", FAR)
    monkeypatch.setattr(leader_log, "NEAR_BYTES", NEAR)


def told(session: LeaderSession) -> list[tuple[int, int, bytes]]:
    found: list[tuple[int, int, bytes]] = []
    while (message := session.next_message()) is not None:
        found.extend(
            (kind, number, bytes(body)) for kind, number, body in frames.iter_frames(message)
        )
    return found


def ask(session: LeaderSession, request: int = 1, end: int = 0) -> list[int]:
    """The kinds of the frames that it answers."""
    last_epoch = 0 if end else None
    subscribe = Subscribe(TOPIC_ID, 0, 0, 20, end, last_epoch, 0)
    session.receive(frames.encode_subscribe(request, subscribe))
    return [kind for kind, _, _ in told(session)]


def test_who_is_far_behind_catches_up_on_a_stream_of_its_own_and_comes_back() -> None:
    pair = Pair()
    pair.streams.follow(pair.partition)
    for _ in range(8):
        pair.links[False].exchange()
    assert pair.partition.log_end_offset == 0
    assert pair.links[True].catch_up
    pair.talk()
    assert pair.partition.log_end_offset == 40
    assert pair.serving is pair.links[False].leader
    fill(pair.leader, RECORD)
    pair.talk()
    assert pair.leader.machine.followers[2].log_end_offset == 41


def test_who_falls_far_behind_is_sent_to_catch_up() -> None:
    pair = Pair(records=0)
    pair.streams.follow(pair.partition)
    pair.talk()
    assert pair.serving is pair.links[False].leader
    (change,) = pair.leader_host.proposals
    pair.leader.isr_refused(change)
    fill(pair.leader, *[RECORD] * 40)
    pair.leader.feed._tail.clear()  # it would keep 4 MiB
    pair.talk()
    assert True in pair.links
    assert pair.partition.log_end_offset == 40
    assert pair.serving is pair.links[False].leader


def test_a_member_of_the_isr_stays_with_those_in_sync() -> None:
    pair = Pair(isr=(1, 2, 3))
    pair.streams.follow(pair.partition)
    pair.talk()
    assert pair.partition.log_end_offset == 40
    assert True not in pair.links


def test_who_is_not_far_behind_stays() -> None:
    host = Host()
    partition = host.partition(isr=(1, 3))
    fill(partition, *[RECORD] * 9)
    assert ask(leader_session(host, partition)) == [frames.SUBSCRIBED, frames.DATA]


def test_who_has_nothing_to_catch_up_is_sent_back() -> None:
    host = Host()
    partition = host.partition(isr=(1, 3))
    fill(partition, RECORD)
    session = leader_session(host, partition, catch_up=True)
    assert ask(session, end=1) == [frames.SUBSCRIBED, frames.OTHER_STREAM]
    assert partition.feed.subscriptions == []
    assert partition.machine.followers[2].broker_epoch is None


def test_who_is_near_is_sent_back() -> None:
    host = Host()
    partition = host.partition(isr=(1, 3))
    fill(partition, RECORD, RECORD)
    session = leader_session(host, partition, catch_up=True)
    assert ask(session) == [frames.SUBSCRIBED, frames.OTHER_STREAM]


def test_a_new_epoch_in_the_middle_of_a_move() -> None:
    pair = Pair()
    pair.streams.follow(pair.partition)
    while True not in pair.links:
        pair.links[False].exchange()
    lead(pair.leader, 1, 1)
    fill(pair.leader, b"of epoch 1")
    lead(pair.partition, 1, 1)
    pair.streams.follow(pair.partition)
    pair.talk()
    assert pair.partition.log_end_offset == 41
    assert pair.serving is pair.links[False].leader
    assert pair.leader.machine.followers[2].log_end_offset == 41


def test_a_lost_catch_up_stream_goes_on_where_it_was() -> None:
    pair = Pair()
    pair.streams.follow(pair.partition)
    while not 0 < pair.partition.log_end_offset < 20:
        for link in [*pair.links.values()]:
            link.exchange()
    pair.links[True].lose()
    assert pair.leader.feed.subscriptions == []
    pair.talk()
    assert pair.partition.log_end_offset == 40
    assert pair.serving is pair.links[False].leader


def test_an_older_request_that_comes_later_by_the_other_stream_is_refused() -> None:
    """Its log was made anew meanwhile: the position of before proves nothing."""
    host = Host()
    partition = host.partition(isr=(1, 3))
    fill(partition, RECORD, RECORD)
    in_sync = leader_session(host, partition)
    catch_up = leader_session(host, partition, catch_up=True)
    assert ask(in_sync, request=2)[0] == frames.SUBSCRIBED
    assert ask(catch_up, request=1, end=2) == [frames.REFUSED]
    assert ask(in_sync, request=2) == [frames.REFUSED]
    (subscription,) = partition.feed.subscriptions
    assert subscription.session is in_sync
    assert partition.machine.followers[2].log_end_offset == 0


def test_nothing_waits_for_who_catches_up() -> None:
    """It has come to where the log ended when it asked; the high watermark goes on without it."""
    host = Host()
    partition = host.partition(replicas=(1, 2), isr=(1,))
    fill(partition, *[RECORD] * 40)
    session = leader_session(host, partition, catch_up=True, partition_credit_bytes=2_000)
    ask(session)
    fill(partition, *[RECORD] * 40)
    (subscription,) = partition.feed.subscriptions
    while (position := subscription.position) <= 40:
        session.receive(frames.frame(frames.ACKNOWLEDGE, 1, frames.OFFSET_BODY.pack(position)))
        told(session)
        assert partition.machine.followers[2].log_end_offset is None
    fill(partition, RECORD)
    assert partition.high_watermark == 81
    assert host.proposals == []


def test_who_catches_up_keeps_nothing_in_the_tail() -> None:
    host = Host()
    partition = host.partition(isr=(1, 3))
    fill(partition, *[RECORD] * 40)
    ask(leader_session(host, partition, catch_up=True, partition_credit_bytes=800))
    free = host.tail_budget.free_bytes
    fill(partition, RECORD)
    assert host.tail_budget.free_bytes == free
    in_sync = leader_session(host, partition, follower_id=3)
    ask(in_sync, end=41)
    fill(partition, RECORD)
    assert host.tail_budget.free_bytes < free
    told(in_sync)
    assert host.tail_budget.free_bytes == free


def test_what_is_cold_is_read_elsewhere_and_a_few_at_a_time() -> None:
    host, reads = Host(), Reads(cold=True)
    partitions = [host.partition(index, isr=(1, 3)) for index in range(COLD_READS_MAX + 1)]
    for partition in partitions:
        fill(partition, *[RECORD] * 40)
    session = leader_session(host, *partitions, catch_up=True, reader=reads)
    for index in range(len(partitions)):
        subscribe = Subscribe(TOPIC_ID, index, 0, 20, 0, None, 0)
        session.receive(frames.encode_subscribe(index + 1, subscribe))
    assert {kind for kind, _, _ in told(session)} == {frames.SUBSCRIBED}
    assert len(reads.waiting) == COLD_READS_MAX
    fill(partitions[0], RECORD)
    assert told(session) == []
    reads.complete()
    sent = [frame for frame in told(session) if frame[0] == frames.DATA]
    assert [(kind, number) for kind, number, _ in sent] == [
        (frames.DATA, number) for number in range(1, COLD_READS_MAX + 1)
    ]
    assert all(frames.DATA_PREFIX.unpack_from(body)[0] == 0 for _, _, body in sent)
    while reads.waiting:
        reads.complete()
        told(session)
    assert [p.feed.subscriptions for p in partitions] == [[]] * len(partitions)


def test_for_one_subscription_there_is_one_read() -> None:
    host, reads = Host(), Reads(cold=True)
    partition = host.partition(isr=(1, 3))
    fill(partition, *[RECORD] * 40)
    session = leader_session(
        host, partition, catch_up=True, reader=reads, partition_credit_bytes=2_000
    )
    ask(session)
    fill(partition, RECORD)
    assert told(session) == []
    assert len(reads.waiting) == 1
    reads.complete()
    assert [kind for kind, _, _ in told(session)] == [frames.DATA]


def test_what_was_read_for_a_subscription_that_is_no_more_is_dropped() -> None:
    host, reads = Host(), Reads(cold=True)
    partition = host.partition(isr=(1, 3))
    fill(partition, *[RECORD] * 40)
    session = leader_session(host, partition, catch_up=True, reader=reads)
    ask(session)
    lead(partition, 1, 1)
    assert [kind for kind, _, _ in told(session)] == [frames.CANCELLED]
    reads.complete()
    assert told(session) == []


def test_a_read_that_fails_once_its_stream_has_ended_takes_nothing_offline() -> None:
    """A stopping broker closes its logs; that is no failure of the disk."""
    host, reads = Host(), Reads(cold=True)
    partition = host.partition(isr=(1, 3))
    fill(partition, *[RECORD] * 40)
    session = leader_session(host, partition, catch_up=True, reader=reads)
    ask(session)
    session.close()
    reads.failure = OSError(9, "EBADF")
    reads.complete()
    assert partition.log is not None
    assert partition.log.directory.failure is None
    assert host.failed == []


def test_a_cold_read_that_fails_takes_the_directory_offline_and_is_told() -> None:
    host, reads = Host(), Reads(cold=True)
    partition = host.partition(isr=(1, 3))
    fill(partition, *[RECORD] * 40)
    session = leader_session(host, partition, catch_up=True, reader=reads)
    ask(session)
    reads.failure = OSError(5, "EIO")
    reads.complete()
    ((kind, _, body),) = told(session)
    assert kind == frames.CANCELLED
    assert frames.CODE_BODY.unpack(body) == (ErrorCode.KAFKA_STORAGE_ERROR,)
    assert partition.log is not None
    assert partition.log.directory.failure is not None
    assert host.failed == [partition]


def test_a_session_whose_place_was_taken_hears_nothing_more() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition)
    session.close()
    assert ask(session) == []
    assert partition.feed.subscriptions == []
