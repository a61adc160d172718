"""A call to another node's internal listener over a connection of its own, on the event loop.

For streams that carry much. Calls that are answered at once go through `channels`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broker.addresses import Address
from broker.internal.connection import Http2Connection
from broker.internal.status import request_headers
from broker.internal.stream import Http2Stream, StreamClosed


@asynccontextmanager
async def open_call(
    host: str,
    port: int,
    path: str,
    *,
    tls: ssl.SSLContext | None,
    connect_seconds_max: float,
    window_bytes: int,
    message_bytes_max: int,
) -> AsyncIterator[Http2Stream]:
    """Connect and begin a call, which leaving the block ends. StreamClosed when that fails."""
    loop = asyncio.get_running_loop()

    def connection_of() -> Http2Connection:
        return Http2Connection(window_bytes=window_bytes, message_bytes_max=message_bytes_max)

    target = str(Address(host, port))
    try:
        async with asyncio.timeout(connect_seconds_max):
            _, connection = await loop.create_connection(
                connection_of, host, port, ssl=tls, server_hostname=host if tls else None
            )
    except TimeoutError:
        raise StreamClosed(f"no connection to {target} in time") from None
    except OSError as error:  # ssl.SSLError is one too
        raise StreamClosed(f"cannot connect to {target}: {error.strerror or error}") from None
    try:
        stream = connection.open(request_headers(path, target, tls=tls is not None))
        try:
            yield stream
        finally:
            stream.cancel()
    finally:
        connection.close()
