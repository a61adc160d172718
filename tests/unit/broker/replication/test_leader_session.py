from __future__ import annotations

from itertools import count

import pytest

from broker.replication import frames
from broker.replication.frames import Subscribe
from broker.replication.isr import PendingShrink
from broker.replication.leader_session import LeaderSession
from broker.replication.progress import PartitionView
from ottla.core.errors import DecodeError, ErrorCode
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    Host,
    Woken,
    fill,
    lead,
    leader_session,
)

REQUESTS = count(1)


def ask(
    session: LeaderSession,
    *,
    index: int = 0,
    leader_epoch: int = 0,
    broker_epoch: int = 20,
    end: int = 0,
    last_epoch: int | None = None,
    request: int | None = None,
) -> list[tuple[int, int, bytes]]:
    subscribe = Subscribe(TOPIC_ID, index, leader_epoch, broker_epoch, end, last_epoch, 0)
    number = next(REQUESTS) if request is None else request
    session.receive(frames.encode_subscribe(number, subscribe))
    return told(session)


def told(session: LeaderSession) -> list[tuple[int, int, bytes]]:
    """All frames that the session has to send now."""
    found: list[tuple[int, int, bytes]] = []
    while (message := session.next_message()) is not None:
        found.extend(
            (kind, number, bytes(body)) for kind, number, body in frames.iter_frames(message)
        )
    return found


def acknowledge(session: LeaderSession, number: int, end: int) -> None:
    session.receive(frames.frame(frames.ACKNOWLEDGE, number, frames.OFFSET_BODY.pack(end)))


def test_a_proven_prefix_is_served_from_its_end() -> None:
    host = Host()
    partition = host.partition()
    fill(partition, b"one", b"two")
    session = leader_session(host, partition)
    (subscribed, data) = ask(session, end=1, last_epoch=0, request=77)
    assert subscribed[:2] == (frames.SUBSCRIBED, 77)
    assert frames.SUBSCRIBED_BODY.unpack(subscribed[2]) == (1, 0, 0)
    assert data[:2] == (frames.DATA, 1)
    assert frames.DATA_PREFIX.unpack_from(data[2]) == (1, 0, 0)
    assert b"two" in data[2]
    assert b"one" not in data[2]


def test_appends_are_sent_at_once_and_coalesced() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition)
    ask(session)
    fill(partition, b"one", b"two")
    (data,) = told(session)
    assert b"one" in data[2]
    assert b"two" in data[2]
    assert told(session) == []


def test_what_the_topics_compression_made_of_a_batch_is_what_followers_get() -> None:
    host = Host()
    partition = host.partition(configs={"compression.type": "gzip"})
    session = leader_session(host, partition)
    ask(session)
    fill(partition, bytes(500))
    (data,) = told(session)
    log = partition.usable_log
    written = log.read(0, 1_000, end_offset=1)
    assert written is not None
    assert data[2][frames.DATA_PREFIX.size :] == written.read()
    assert len(written.read()) < 200


def test_nothing_is_sent_before_the_prefix_is_proven() -> None:
    host = Host()
    partition = host.partition(leader_epoch=3)
    fill(partition, b"one")
    session = leader_session(host, partition)
    (answer,) = ask(session, leader_epoch=3, end=5, last_epoch=3, request=77)
    assert answer[:2] == (frames.DIVERGING, 77)
    assert frames.DIVERGING_BODY.unpack(answer[2]) == (3, 1)
    fill(partition, b"two")
    assert told(session) == []


def test_out_of_the_leaders_range_it_starts_anew() -> None:
    host = Host()
    partition = host.partition(leader_epoch=3)
    fill(partition, b"one", b"two")
    assert partition.log is not None
    partition.log.advance_log_start(1)
    session = leader_session(host, partition)
    (answer,) = ask(session, leader_epoch=3)
    assert answer[0] == frames.RESET
    assert frames.OFFSET_BODY.unpack(answer[2]) == (1,)


@pytest.mark.parametrize(
    ("leader_epoch", "code"),
    [(2, ErrorCode.FENCED_LEADER_EPOCH), (4, ErrorCode.UNKNOWN_LEADER_EPOCH)],
)
def test_another_leader_epoch_is_refused(leader_epoch: int, code: ErrorCode) -> None:
    host = Host()
    session = leader_session(host, host.partition(leader_epoch=3))
    (answer,) = ask(session, leader_epoch=leader_epoch)
    assert answer[0] == frames.REFUSED
    assert frames.CODE_BODY.unpack(answer[2]) == (code,)


def test_a_replica_that_is_being_added_is_served_once_its_leader_knows_it() -> None:
    host = Host()
    partition = host.partition()
    fill(partition, b"one")
    session = leader_session(host, partition, follower_id=4)
    (answer,) = ask(session)
    assert answer[0] == frames.REFUSED
    assert frames.CODE_BODY.unpack(answer[2]) == (ErrorCode.NOT_LEADER_OR_FOLLOWER,)
    machine = partition.machine
    partition.apply(
        PartitionView(
            machine.leader_id,
            machine.leader_epoch,
            machine.partition_epoch + 1,
            (*machine.replicas, 4),
            machine.isr,
            adding_replicas=(4,),
        )
    )
    (subscribed, _) = ask(session)
    assert subscribed[0] == frames.SUBSCRIBED
    assert machine.followers[4].broker_epoch == 20  # its word counts


def test_an_unknown_topic_and_a_flood_are_refused() -> None:
    host = Host()
    session = leader_session(host, host.partition(), host.partition(1), subscriptions_max=1)
    assert ask(session, index=9)[0][0] == frames.REFUSED
    assert ask(session, index=0)[0][0] == frames.SUBSCRIBED
    assert ask(session, index=1)[0][0] == frames.REFUSED


def test_acknowledgements_move_the_high_watermark() -> None:
    host = Host()
    partition = host.partition(replicas=(1, 2))
    session = leader_session(host, partition)
    ask(session)
    fill(partition, b"one", b"two")
    told(session)
    acknowledge(session, 1, 1)
    assert partition.high_watermark == 1
    acknowledge(session, 1, 2)
    assert partition.high_watermark == 2


def test_a_late_acknowledgement_of_an_earlier_subscription_counts_for_nothing() -> None:
    host = Host()
    partition = host.partition(replicas=(1, 2))
    session = leader_session(host, partition)
    ask(session)
    fill(partition, b"one", b"two")
    told(session)
    ask(session, end=1, last_epoch=0)
    acknowledge(session, 1, 2)
    assert partition.high_watermark == 1


def test_an_acknowledgement_of_an_earlier_epoch_counts_for_nothing() -> None:
    host = Host()
    partition = host.partition(replicas=(1, 2))
    session = leader_session(host, partition)
    ask(session)
    fill(partition, b"one")
    told(session)
    lead(partition, 1, 1)
    ((kind, number, _),) = told(session)
    assert (kind, number) == (frames.CANCELLED, 1)
    acknowledge(session, 1, 1)
    assert partition.high_watermark == 0


def test_acknowledging_what_was_not_sent_breaks_the_protocol() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition)
    ask(session)
    fill(partition, b"one")
    with pytest.raises(DecodeError):
        acknowledge(session, 1, 1)


def test_credit_bounds_what_is_in_flight() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition, partition_credit_bytes=250)
    ask(session)
    fill(partition, *[bytes(40)] * 6)
    first = told(session)
    sent = sum(len(body) - frames.DATA_PREFIX.size for _, _, body in first)
    assert 0 < sent <= 250 + 120
    (subscription,) = partition.feed.subscriptions
    assert subscription.position < 6
    acknowledge(session, 1, subscription.position)
    assert told(session) != []


def test_a_batch_above_the_credit_travels_alone() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition, credit_bytes=10, partition_credit_bytes=10)
    ask(session)
    fill(partition, bytes(1000), bytes(1000))
    assert len(told(session)) == 1
    acknowledge(session, 1, 1)
    assert len(told(session)) == 1


def test_one_partition_cannot_take_the_credit_of_all() -> None:
    host = Host()
    first, second = host.partition(0), host.partition(1)
    session = leader_session(host, first, second, credit_bytes=2000, partition_credit_bytes=1000)
    ask(session, index=0)
    ask(session, index=1)
    fill(first, *[bytes(400)] * 10)
    told(session)
    fill(second, b"small")
    assert [number for _, number, _ in told(session)] == [2]


def test_credit_of_the_stream_is_passed_on_when_another_acknowledges() -> None:
    host = Host()
    first, second = host.partition(0), host.partition(1)
    session = leader_session(host, first, second, credit_bytes=100, partition_credit_bytes=5000)
    ask(session, index=0)
    ask(session, index=1)
    fill(first, bytes(400))
    told(session)
    fill(second, b"waits")
    assert told(session) == []
    woken = Woken()
    session._wake = woken
    acknowledge(session, 1, 1)
    assert woken.count > 0
    assert [number for _, number, _ in told(session)] == [2]


def test_internal_topics_go_first() -> None:
    host = Host()
    plain, internal = host.partition(0), host.partition(1, internal=True)
    session = leader_session(host, plain, internal)
    ask(session, index=0)
    ask(session, index=1)
    fill(plain, b"plain")
    fill(internal, b"internal")
    assert [number for _, number, _ in told(session)] == [2, 1]


def test_high_watermark_and_log_start_travel_when_idle() -> None:
    host = Host()
    partition = host.partition(replicas=(1, 2))
    session = leader_session(host, partition)
    ask(session)
    fill(partition, b"one")
    told(session)
    acknowledge(session, 1, 1)
    assert told(session) == []
    session.on_tick(host.clock.now_ms())
    ((kind, number, body),) = told(session)
    assert (kind, number) == (frames.STATE, 1)
    assert frames.STATE_BODY.unpack(body) == (1, 0)
    session.on_tick(host.clock.now_ms())
    assert told(session) == []


def test_an_idle_stream_shows_that_it_lives() -> None:
    host = Host()
    session = leader_session(host)
    host.clock.advance(499)
    session.on_tick(host.clock.now_ms())
    assert told(session) == []
    host.clock.advance(1)
    session.on_tick(host.clock.now_ms())
    assert [kind for kind, _, _ in told(session)] == [frames.HEARTBEAT]


def test_a_follower_that_cannot_append_leaves_the_isr_at_once() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition)
    ask(session)
    code = frames.CODE_BODY.pack(ErrorCode.KAFKA_STORAGE_ERROR)
    session.receive(frames.frame(frames.CANNOT_APPEND, 1, code))
    assert isinstance(partition.machine.isr_state, PendingShrink)
    assert [dict(change.isr).keys() for change in host.proposals] == [{1, 3}]


def test_retention_that_passed_the_follower_cancels() -> None:
    host = Host()
    partition = host.partition()
    fill(partition, b"one", b"two")
    session = leader_session(host, partition, partition_credit_bytes=1)
    ask(session)
    assert partition.log is not None
    partition.log.advance_log_start(2)
    acknowledge(session, 1, 1)
    ((kind, _, body),) = told(session)
    assert kind == frames.CANCELLED
    assert frames.CODE_BODY.unpack(body) == (ErrorCode.OFFSET_OUT_OF_RANGE,)
    assert partition.feed.subscriptions == []


def test_a_closed_session_forgets_every_position() -> None:
    host = Host()
    partition = host.partition(replicas=(1, 2))
    session = leader_session(host, partition)
    ask(session)
    session.close()
    fill(partition, b"one")
    assert partition.machine.followers[2].log_end_offset is None
    assert partition.feed.subscriptions == []
    assert session.next_message() is None


def test_an_older_streams_end_does_not_harm_the_newer_one() -> None:
    host = Host()
    partition = host.partition(replicas=(1, 2))
    older, newer = leader_session(host, partition), leader_session(host, partition)
    ask(older)
    ask(newer)
    older.close()
    fill(partition, b"one")
    assert [kind for kind, _, _ in told(newer)] == [frames.DATA]
    acknowledge(newer, 1, 1)
    assert partition.high_watermark == 1


def test_unsubscribing_ends_it() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition)
    ask(session)
    session.receive(frames.frame(frames.UNSUBSCRIBE, 1))
    fill(partition, b"one")
    assert told(session) == []


def test_durable_positions_count_from_the_first_acknowledgement() -> None:
    host = Host()
    partition = host.partition(replicas=(1, 2), configs={"flush.messages": "1"})
    fill(partition, b"one")
    assert partition.log is not None
    partition.log.flush()
    partition.flushed()
    session = leader_session(host, partition)
    ask(session, end=1, last_epoch=0)
    assert partition.high_watermark == 0
    acknowledge(session, 1, 1)
    assert partition.high_watermark == 1


@pytest.mark.parametrize("message", [b"\x01", b"\x02\0\0\0\1\0\0\0\1x"])
def test_broken_messages_are_the_peers_fault(message: bytes) -> None:
    host = Host()
    with pytest.raises(DecodeError):
        leader_session(host).receive(message)
