from __future__ import annotations

from ottla.client.options import ClientOptions


def test_single_steps_are_cut_to_the_deadline() -> None:
    short = ClientOptions.make(1.0)
    assert (short.timeout_ms, short.request_timeout_ms, short.connect_timeout_ms) == (
        1000,
        1000,
        1000,
    )
    long = ClientOptions.make(60.0)
    assert (long.timeout_ms, long.request_timeout_ms, long.connect_timeout_ms) == (
        60_000,
        10_000,
        3_000,
    )


def test_unheard_retries() -> None:
    ClientOptions().on_retry("nobody listens")
