"""A transport without peers, and one that nobody answers."""

from __future__ import annotations

import contextlib
import threading

import pytest

from controller.quorum import transport as transport_module
from controller.quorum.dialing import Peer
from controller.quorum.handshake import Identity
from controller.quorum.messages import Message
from controller.quorum.timings import Timings
from controller.quorum.transport import Transport
from ottla.local.ports import free_ports

IDENTITY = Identity("cluster", 1, b"a" * 16, 1)


class Nobody:
    """Events that must not happen."""

    def fault_of(self, peer_id: int, directory_id: bytes) -> str | None:
        return None

    def committed_voters(self) -> tuple[int, bytes]:
        raise AssertionError

    def told_voters(self, index: int, voters: bytes) -> None:
        raise AssertionError

    def connected(self, peer_id: int, directory_id: bytes) -> None:
        raise AssertionError

    def disconnected(self, peer_id: int) -> None:
        raise AssertionError

    def gone(self, peer_id: int) -> None: ...

    def received(self, peer_id: int, directory_id: bytes, messages: list[Message]) -> None:
        raise AssertionError


def test_a_quorum_of_one_neither_listens_nor_dials() -> None:
    transport = Transport(IDENTITY, ("192.0.2.1", 1), Nobody(), timings=Timings())
    transport.update({})
    assert transport.port == 0
    transport.stop()


def test_messages_to_a_voter_that_is_not_connected_are_dropped() -> None:
    ports = free_ports(2)
    transport = Transport(IDENTITY, ("127.0.0.1", ports[0]), Nobody(), timings=Timings())
    transport.update({2: [("127.0.0.1", ports[1])]})
    for term in range(100):
        transport.send(2, {"type": "response_vote", "term": term})
    assert transport.has_credit(2)
    transport.send(3, {"type": "response_vote", "term": 1})  # of whom nothing is known
    assert not transport.has_credit(3)
    transport.stop()


class Seen(Nobody):
    """Tells when the way to a voter is open."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def connected(self, peer_id: int, directory_id: bytes) -> None:
        self.open.set()

    def disconnected(self, peer_id: int) -> None:
        pass

    def gone(self, peer_id: int) -> None: ...


def transport(node_id: int, voters: dict[int, tuple[str, int]], seen: Seen) -> Transport:
    own = Identity("cluster", node_id, bytes([node_id]) * 16, 1)
    timings = Timings(dial_retry_ms=600_000)
    return Transport(own, voters[node_id], seen, timings=timings)


def test_who_is_called_calls_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A voter that was away comes back: nobody waits for his own next attempt to reach it."""
    failed = threading.Event()
    monkeypatch.setattr(Peer, "_report", lambda self, error: failed.set())
    ports = free_ports(2)
    voters = {1: ("127.0.0.1", ports[0]), 2: ("127.0.0.1", ports[1])}
    first, second = Seen(), Seen()
    with contextlib.ExitStack() as undo:
        one, two = transport(1, voters, first), transport(2, voters, second)
        undo.callback(two.stop)
        undo.callback(one.stop)
        one.update({2: [voters[2]]})
        assert failed.wait(20)  # nobody answers, and the next attempt is in ten minutes
        two.update({1: [voters[1]]})
        assert second.open.wait(20)
        assert first.open.wait(20)


def test_a_call_that_does_not_end_holds_no_stop(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()
    dialing = threading.Event()

    def stuck(*_: object) -> None:
        dialing.set()
        release.wait(60)

    monkeypatch.setattr(Peer, "_connect", stuck)
    monkeypatch.setattr(transport_module, "STOP_SECONDS_MAX", 0.1)
    ports = free_ports(2)
    transport = Transport(IDENTITY, ("127.0.0.1", ports[0]), Nobody(), timings=Timings())
    transport.update({2: [("127.0.0.1", ports[1])]})
    assert dialing.wait(30)
    stopping = threading.Thread(target=transport.stop)
    stopping.start()
    stopping.join(30)
    assert not stopping.is_alive()
    assert "left behind" in caplog.text
    release.set()
