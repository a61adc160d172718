from __future__ import annotations

import pytest

from controller import sessions as sessions_module
from controller.generated import control_pb2 as pb
from controller.image import MetadataImage
from controller.sessions import BrokerSession, Sessions
from controller.state import ProducerIdsAllocated
from controller.state_machine import Applied
from ottla.core.errors import ErrorCode, ProtocolError

WHY = ProtocolError(ErrorCode.NETWORK_EXCEPTION, "why")


def image_with(*indexes: int, history_bytes_max: int = 1_000) -> MetadataImage:
    image = MetadataImage(history_bytes_max=history_bytes_max)
    for index in indexes:
        image.receive(Applied(index, (ProducerIdsAllocated(index), ProducerIdsAllocated(index))))
    return image


def messages(session: BrokerSession, image: MetadataImage) -> list[pb.SessionResponse]:
    return list(session.next_messages(image, 5))


def test_a_broker_with_nothing_gets_a_snapshot_then_changes() -> None:
    image = image_with(3)
    session = BrokerSession(1, 9, 0)
    (snapshot,) = messages(session, image)
    assert snapshot.snapshot_start
    assert not snapshot.more
    assert (snapshot.offset, snapshot.controller_epoch) == (3, 5)
    image.receive(Applied(4, (ProducerIdsAllocated(4),)))
    image.receive(Applied(6, (ProducerIdsAllocated(6),)))
    changes = messages(session, image)
    assert [m.offset for m in changes] == [4, 6]
    assert not any(m.snapshot_start for m in changes)
    assert messages(session, image) == []


def test_a_broker_that_comes_back_gets_what_it_missed() -> None:
    assert [m.offset for m in messages(BrokerSession(1, 9, 4), image_with(3, 4, 5))] == [5]


def test_a_broker_too_far_behind_gets_a_snapshot() -> None:
    image = image_with(*range(1, 60), history_bytes_max=20)
    (snapshot,) = messages(BrokerSession(1, 9, 4), image)
    assert snapshot.snapshot_start
    assert snapshot.offset == 59


def test_a_broker_that_is_ahead_is_never_sent_back() -> None:
    image = image_with(3)
    session = BrokerSession(1, 9, 7)
    assert [(m.offset, len(m.records)) for m in messages(session, image)] == [(7, 0)]
    image.receive(Applied(7, (ProducerIdsAllocated(7),)))
    assert messages(session, image) == []
    image.receive(Applied(8, (ProducerIdsAllocated(8),)))
    assert [m.offset for m in messages(session, image)] == [8]


def test_every_heartbeat_is_answered() -> None:
    image = image_with(3)
    session = BrokerSession(1, 9, 3)
    assert len(messages(session, image)) == 1
    assert messages(session, image) == []
    session.heard(pb.SessionRequest(applied_offset=3, ready=True))
    assert [(m.offset, len(m.records)) for m in messages(session, image)] == [(3, 0)]
    assert session.ready
    assert session.wake.is_set()


def test_before_anything_happened_there_is_only_the_answer() -> None:
    (answer,) = messages(BrokerSession(1, 9, 0), MetadataImage())
    assert answer == pb.SessionResponse(controller_epoch=5)


def test_large_changes_come_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "CHUNK_BYTES", 1)
    image = image_with(3, 4)
    chunks = messages(BrokerSession(1, 9, 3), image)
    assert [(len(m.records), m.more, m.offset) for m in chunks] == [(1, True, 4), (1, False, 4)]
    chunks = messages(BrokerSession(1, 9, 0), image_with(*range(1, 9), history_bytes_max=1))
    assert [m.snapshot_start for m in chunks] == [True]


def test_what_a_broker_applied_never_falls() -> None:
    session = BrokerSession(1, 9, 4)
    session.heard(pb.SessionRequest(applied_offset=6))
    session.heard(pb.SessionRequest(applied_offset=5))
    assert session.applied_offset == 6


def test_the_newest_session_of_a_broker_counts() -> None:
    sessions = Sessions()
    old, new, other = BrokerSession(1, 9, 0), BrokerSession(1, 9, 5), BrokerSession(2, 8, 7)
    for session in (old, new, other):
        sessions.begin(session, WHY)
    assert old.ended is WHY
    assert new.ended is None
    assert not sessions.remove(old)
    assert sessions.get(1) is new
    assert sessions.behind(7) == [new]
    assert sessions.remove(new)
    assert sessions.get(1) is None
    sessions.end_all(WHY)
    assert other.ended is WHY
    other.end(ProtocolError(ErrorCode.NOT_CONTROLLER))
    assert other.ended is WHY  # the first reason is told
