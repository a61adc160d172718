"""The queue of what is to be sent to a voter, and the end of a call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.generated import raft_pb2
from controller.quorum import dialing as module
from controller.quorum.dialing import Outgoing, Peer
from controller.quorum.handshake import WELCOME, Identity
from controller.quorum.handshake import Events as QuorumEvents
from controller.quorum.messages import Message, encode_message
from controller.quorum.timings import Timings

VOTE: Message = {"type": "response_vote", "term": 3}


def test_messages_leave_in_order_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_BYTES_MAX", 10)
    outgoing = Outgoing()
    messages = [encode_message(VOTE | {"term": term}) for term in range(1, 8)]
    assert all(outgoing.put(message) for message in messages)
    assert outgoing.queued_bytes == sum(message.ByteSize() for message in messages)
    left: list[raft_pb2.Message] = []
    batches = iter(outgoing)
    while outgoing.queued_bytes:
        left += next(batches).messages
    assert left == messages
    outgoing.close()
    assert list(batches) == []
    assert not outgoing.put(messages[0])


def test_a_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUED_BYTES_MAX", 10)
    outgoing = Outgoing()
    results = [outgoing.put(encode_message(VOTE)) for _ in range(5)]
    assert results[0]
    assert not results[-1]
    assert outgoing.queued_bytes <= 10


class SilentCall:
    """gRPC's word that a call has ended, without letting go of who waits for it."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def done(self) -> bool:
        return True

    def cancel(self) -> None:
        pass

    def initial_metadata(self) -> tuple[tuple[str, bytes], ...]:
        self.release.wait(60)
        return ()

    def __iter__(self) -> Iterator[object]:
        return iter(())


class Events:
    def __init__(self) -> None:
        self.told: list[str] = []

    def fault_of(self, peer_id: int, directory_id: bytes) -> str | None:
        return None

    def connected(self, peer_id: int, directory_id: bytes) -> None:
        self.told.append("connected")

    def disconnected(self, peer_id: int) -> None:
        self.told.append("disconnected")

    def gone(self, peer_id: int) -> None:
        self.told.append("gone")


def peer_with(events: Events) -> Peer:
    """The way from voter 1 to voter 2."""
    return Peer(
        Identity("cluster", 1, b"a" * 16, 1),
        2,
        [("127.0.0.1", 1)],
        cast(QuorumEvents, events),
        Timings(),
        None,
    )


def test_a_call_that_ends_unnoticed_does_not_keep_from_dialing_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.01)
    events, call = Events(), SilentCall()
    peer = peer_with(events)
    stub = SimpleNamespace(Exchange=lambda *_, **__: call)
    dialing = threading.Thread(target=peer._connect, args=(stub, ("127.0.0.1", 1)))
    dialing.start()
    dialing.join(30)
    assert not dialing.is_alive()
    assert "unnoticed" in caplog.text
    call.release.set()
    assert events.told == []


class AcceptedCall(SilentCall):
    """A call that is accepted and then ends."""

    def initial_metadata(self) -> tuple[tuple[str, bytes], ...]:
        welcome = raft_pb2.Welcome(node_id=2, directory_id=b"b" * 16)
        return ((WELCOME, welcome.SerializeToString()),)


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([ConnectionRefusedError()], ["connected", "disconnected", "gone"]),
        ([None, ConnectionRefusedError()], ["connected", "disconnected", "gone"]),
        ([None, None, None], ["connected", "disconnected"]),
        ([TimeoutError()], ["connected", "disconnected"]),
        ([OSError("no route to host")], ["connected", "disconnected"]),
    ],
)
def test_only_a_refused_connection_tells_of_a_death(
    looks: list[OSError | None], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(where: object, timeout: float) -> object:
        assert where == ("127.0.0.1", 1)
        found = looks.pop(0)
        if found is not None:
            raise found
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr("socket.create_connection", look)
    events = Events()
    peer = peer_with(events)
    stub = SimpleNamespace(Exchange=lambda *_, **__: AcceptedCall())
    peer._connect(cast(Any, stub), ("127.0.0.1", 1))
    assert events.told == told
    assert looks == []
