"""A transport without peers, and one that nobody answers."""

from __future__ import annotations

from controller.quorum.handshake import Identity
from controller.quorum.messages import Message
from controller.quorum.timings import Timings
from controller.quorum.transport import Transport

IDENTITY = Identity("cluster", 1, b"a" * 16, 1)


class Nobody:
    """Events that must not happen."""

    def fault_of_directory(self, peer_id: int, directory_id: bytes) -> str | None:
        return None

    def connected(self, peer_id: int, directory_id: bytes) -> None:
        raise AssertionError

    def disconnected(self, peer_id: int) -> None:
        raise AssertionError

    def received(self, peer_id: int, directory_id: bytes, messages: list[Message]) -> None:
        raise AssertionError


def test_a_quorum_of_one_neither_listens_nor_dials() -> None:
    transport = Transport(
        IDENTITY, {1: ("192.0.2.1", 1)}, ("192.0.2.1", 1), Nobody(), timings=Timings()
    )
    assert transport.start() == 0
    transport.stop()


def test_messages_to_a_voter_that_is_not_connected_are_dropped() -> None:
    voters = {1: ("127.0.0.1", 1), 2: ("127.0.0.1", 2)}
    transport = Transport(IDENTITY, voters, voters[1], Nobody(), timings=Timings())
    for term in range(100):
        transport.send(2, {"type": "response_vote", "term": term})
    assert transport.has_credit(2)
