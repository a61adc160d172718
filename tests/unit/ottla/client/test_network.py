from __future__ import annotations

import socket
import ssl

import pytest

from ottla.client.network import SocketNetwork, SocketTransport, reason_of
from ottla.core.errors import DecodeError


@pytest.fixture
def pair() -> tuple[SocketTransport, socket.socket]:
    ours, theirs = socket.socketpair()
    return SocketTransport(ours), theirs


def test_a_frame_in_pieces(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, other = pair
    other.sendall(b"\x00\x00")
    other.sendall(b"\x00\x05he")
    other.sendall(b"llo\x00\x00\x00\x00")
    assert transport.receive(1000) == b"hello"
    assert transport.receive(1000) == b""


def test_send(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, other = pair
    transport.send(b"bytes", 1000)
    assert other.recv(10) == b"bytes"


def test_time_out(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, other = pair
    other.sendall(b"\x00\x00\x00\x05h")
    with pytest.raises(TimeoutError):
        transport.receive(1)


def test_the_other_side_closes(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, other = pair
    other.close()
    with pytest.raises(ConnectionResetError):
        transport.receive(1000)


@pytest.mark.parametrize("data", [b"HTTP/1.1 400", b"\xff\xff\xff\xff"])
def test_another_protocol(pair: tuple[SocketTransport, socket.socket], data: bytes) -> None:
    transport, other = pair
    other.sendall(data)
    with pytest.raises(DecodeError, match="not Kafka's protocol"):
        transport.receive(1000)


def test_wait(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, other = pair
    quiet = SocketTransport(socket.socketpair()[0])
    network = SocketNetwork()
    assert network.wait([], 0) == []
    other.sendall(b"x")
    assert network.wait([quiet, transport], 1000)[-1] is transport
    transport.close()
    assert transport.socket.fileno() == -1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(), "connection refused"),
        (TimeoutError(), "no answer within 1.5 s"),
        (ConnectionResetError(), "the connection was closed"),
        (BrokenPipeError(), "the connection was closed"),
        (socket.gaierror(-2, "Name or service not known"), "the name does not resolve"),
        (OSError(113, "No route to host"), "no route to host"),
        (ValueError("odd"), "odd"),
    ],
)
def test_reasons(error: Exception, reason: str) -> None:
    assert reason_of(error, 1500) == reason


def test_reasons_of_tls() -> None:
    assert reason_of(ssl.SSLError(1, "wrong version number"), 1).startswith("TLS failed")
    untrusted = ssl.SSLCertVerificationError()
    untrusted.verify_message = "self-signed certificate"
    assert reason_of(untrusted, 1) == "its certificate is not trusted: self-signed certificate"
