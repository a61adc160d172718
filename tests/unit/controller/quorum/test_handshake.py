"""Addresses as gRPC wants them, and metadata that it accepts."""

from __future__ import annotations

from controller.quorum.handshake import HELLO, WELCOME, target_of


def test_addresses() -> None:
    assert target_of("127.0.0.1", 9094) == "127.0.0.1:9094"
    assert target_of("controller-1", 9094) == "controller-1:9094"
    assert target_of("::1", 9094) == "[::1]:9094"


def test_binary_metadata_has_the_suffix_that_grpc_asks_for() -> None:
    assert HELLO.endswith("-bin")
    assert WELCOME.endswith("-bin")
