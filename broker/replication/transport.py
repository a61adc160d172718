"""A replication stream: the call that carries it, and what its two ends see of it.

The call is /ottla.replication.v1.Replication/Stream, bidirectional, with bytes on either side: a
message is sent as it is, without another copy by a serializer.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeAlias

from broker.internal.dialing import open_call
from broker.internal.messages import Message
from broker.replication.settings import ReplicationSettings

SERVICE = "ottla.replication.v1.Replication"
METHOD = "Stream"
PATH = f"/{SERVICE}/{METHOD}"
PROTOCOL_VERSION = 2
MESSAGE_MARGIN_BYTES = 4 * 1024 * 1024
"""What a message may hold beside one batch of the largest size."""


class ReplicaStream(Protocol):
    """A message stream between two brokers; either end."""

    async def read(self) -> Message:
        """The next message; StreamClosed at the end."""
        ...

    async def write(self, message: bytes) -> None:
        """Returns when the transport takes more; StreamClosed when the stream is no more."""
        ...


Dial: TypeAlias = Callable[[str, int], AbstractAsyncContextManager[ReplicaStream]]
"""(host, port) -> a stream, for as long as the block runs; StreamClosed."""


def call_dial(tls: ssl.SSLContext | None, settings: ReplicationSettings) -> Dial:
    """Dials over a connection of its own; `tls` None is plaintext."""

    @asynccontextmanager
    async def dial(host: str, port: int) -> AsyncIterator[ReplicaStream]:
        async with open_call(
            host,
            port,
            PATH,
            tls=tls,
            connect_seconds_max=settings.handshake_ms_max / 1000,
            # Beyond the credit, which is what bounds it.
            window_bytes=2 * settings.credit_bytes,
            message_bytes_max=settings.batch_bytes_max + MESSAGE_MARGIN_BYTES,
        ) as stream:
            yield stream

    return dial
