"""When a leader's stream sends small batches and when it gathers them."""

from __future__ import annotations

from broker.replication import frames
from broker.replication.frames import Subscribe
from broker.replication.gathering import ARRIVAL_MS_MAX, GATHER_BYTES
from broker.replication.leader_session import LeaderSession
from broker.replication.partition import Partition
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    Host,
    fill,
    leader_session,
)


def following(host: Host, *partitions: Partition) -> LeaderSession:
    session = leader_session(host, *partitions, credit_bytes=1 << 22)
    for request, partition in enumerate(partitions, start=1):
        ask = Subscribe(TOPIC_ID, partition.index, 0, 20, 0, None, 0)
        session.receive(frames.encode_subscribe(request, ask))
    assert session.next_message() is not None
    return session


def data_frames(session: LeaderSession) -> int:
    """In the next message; 0 when there is none."""
    message = session.next_message() or b""
    return sum(kind == frames.DATA for kind, _, _ in frames.iter_frames(message))


def arrive(session: LeaderSession, partition: Partition, number: int = 1) -> None:
    body = frames.OFFSET_BODY.pack(partition.machine.log_end_offset)
    session.receive(frames.frame(frames.ACKNOWLEDGE, number, body))


def arrive_up_to(session: LeaderSession, end: int) -> None:
    session.receive(frames.frame(frames.ACKNOWLEDGE, 1, frames.OFFSET_BODY.pack(end)))


def test_the_first_goes_at_once_and_the_next_waits_for_its_arrival() -> None:
    host = Host()
    partition = host.partition()
    session = following(host, partition)
    fill(partition, b"1")
    assert data_frames(session) == 1
    fill(partition, b"2", b"3")
    assert data_frames(session) == 0
    arrive_up_to(session, 1)
    assert data_frames(session) == 1
    arrive(session, partition)
    assert session.next_message() is None


def test_one_record_after_the_other_never_waits() -> None:
    host = Host()
    partition = host.partition()
    session = following(host, partition)
    for _ in range(5):
        host.clock.advance(3)
        fill(partition, b"x")
        assert data_frames(session) == 1
        host.clock.advance(1)
        arrive(session, partition)


def test_much_goes_whatever_is_on_its_way() -> None:
    host = Host()
    partition = host.partition()
    session = following(host, partition)
    fill(partition, b"1")
    assert data_frames(session) == 1
    fill(partition, bytes(GATHER_BYTES))
    assert data_frames(session) == 1


def test_what_one_message_cannot_take_follows_at_once() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition, credit_bytes=1 << 22, message_bytes=4_000)
    fill(partition, *[bytes(1_500)] * 10)
    ask = Subscribe(TOPIC_ID, 0, 0, 20, 0, None, 0)
    session.receive(frames.encode_subscribe(1, ask))
    sent = 0
    while data_frames(session):
        sent += 1
    assert sent >= 4
    assert session.next_message() is None


def test_an_answer_that_does_not_come_holds_nothing_up_for_ever() -> None:
    host = Host()
    partition = host.partition()
    session = following(host, partition)
    fill(partition, b"1")
    assert data_frames(session) == 1
    fill(partition, b"2")
    host.clock.advance(ARRIVAL_MS_MAX - 1)
    assert data_frames(session) == 0
    host.clock.advance(1)
    assert data_frames(session) == 1


def test_a_partition_that_syncs_first_holds_up_no_other() -> None:
    host = Host()
    durable = host.partition(configs={"flush.messages": "1"})
    other = host.partition(index=1)
    session = following(host, durable, other)
    fill(durable, b"1")
    assert data_frames(session) == 1
    fill(other, b"2")
    assert data_frames(session) == 1


def test_a_subscription_that_ends_frees_what_waited_for_it() -> None:
    host = Host()
    first, second = host.partition(), host.partition(index=1)
    session = following(host, first, second)
    fill(first, b"1")
    assert data_frames(session) == 1
    fill(second, b"2")
    assert data_frames(session) == 0
    session.receive(frames.frame(frames.UNSUBSCRIBE, 1))
    assert data_frames(session) == 1
