from __future__ import annotations

import errno
import socket

import pytest

from broker.network.binding import bind_fault


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.EADDRINUSE, "x"), "a:1 is taken: stop what listens there, or choose"),
        (OSError(errno.EADDRNOTAVAIL, "x"), "a:1 is no address of this machine: correct listeners"),
        (socket.gaierror(-2, "x"), "a:1 is no address of this machine"),
        (OSError(errno.EACCES, "x"), "this user may not bind a:1: choose a port of 1024 or above"),
        (OSError(errno.EIO, "broken"), "cannot bind a:1: broken"),
    ],
)
def test_the_sentence_says_what_helps(error: OSError, sentence: str) -> None:
    assert bind_fault("a", 1, error, "listeners").startswith(sentence)


def test_an_empty_host_is_every_interface() -> None:
    assert "*:1 is taken" in bind_fault("", 1, OSError(errno.EADDRINUSE, "x"), "http.listener")
