"""What Producer, Consumer and Admin have in common."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from ottla.client.network import Network, SocketNetwork
from ottla.core.clock import Clock, SystemClock

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"
CONNECT_TIMEOUT_MS = 3_000
REQUEST_TIMEOUT_MS = 10_000
BACKOFF_MS_MIN = 20
BACKOFF_MS_MAX = 1_000


def ignore(_: str) -> None:
    """The default of `on_retry`."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Time limits, identity, and the doors to network and clock.

    `timeout_ms` is the deadline of one operation with all its retries; one request waits at most
    `request_timeout_ms`, so that a broker that hangs leaves time to ask another. `on_retry` hears
    a sentence whenever something is tried again.
    """

    client_id: str = "ottla"
    timeout_ms: int = 30_000
    request_timeout_ms: int = REQUEST_TIMEOUT_MS
    connect_timeout_ms: int = CONNECT_TIMEOUT_MS
    on_retry: Callable[[str], None] = ignore
    network: Network = field(default_factory=SocketNetwork)
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def make(
        cls,
        timeout_seconds: float,
        ssl_context: ssl.SSLContext | None = None,
        on_retry: Callable[[str], None] = ignore,
    ) -> ClientOptions:
        """Options for the real network; single steps are cut to the whole deadline."""
        timeout_ms = max(1, round(timeout_seconds * 1000))
        return cls(
            timeout_ms=timeout_ms,
            request_timeout_ms=min(REQUEST_TIMEOUT_MS, timeout_ms),
            connect_timeout_ms=min(CONNECT_TIMEOUT_MS, timeout_ms),
            on_retry=on_retry,
            network=SocketNetwork(ssl_context),
        )
