"""A replication stream over gRPC: addresses, options, and the two ends as one small protocol.

The call is /ottla.replication.v1.Replication/Stream, bidirectional, with bytes on either side: a
message is sent as it is, without another copy by a serializer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias

import grpc
import grpc.aio

SERVICE = "ottla.replication.v1.Replication"
METHOD = "Stream"
PATH = f"/{SERVICE}/{METHOD}"
PROTOCOL_VERSION = 2
MESSAGE_MARGIN_BYTES = 4 * 1024 * 1024
"""What a message may hold beside one batch of the largest size."""


_CLOSED = (
    grpc.RpcError,
    grpc.aio.BaseError,
    grpc.aio.UsageError,
    asyncio.InvalidStateError,
)
"""How grpc.aio says that a call is over, according to when it notices."""


class StreamClosed(Exception):
    """The other end closed the stream, refused it or went away; the text says which."""


class ReplicaStream(Protocol):
    """A message stream between two brokers; either end."""

    async def read(self) -> bytes:
        """The next message; StreamClosed at the end."""
        ...

    async def write(self, message: bytes) -> None:
        """Returns when the transport takes more; StreamClosed when the stream is no more."""
        ...


Dial: TypeAlias = Callable[[str, int], Any]
"""(host, port) -> async context manager of a ReplicaStream."""


class CallStream:
    """The follower's end."""

    __slots__ = ("_call",)

    def __init__(self, call: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
        self._call = call

    async def read(self) -> bytes:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise StreamClosed(error.details() or error.code().name) from error
        except _CLOSED as error:
            raise StreamClosed(str(error)) from error
        if isinstance(message, bytes):
            return message
        details = await self._call.details()
        raise StreamClosed(details or (await self._call.code()).name)

    async def write(self, message: bytes) -> None:
        try:
            await self._call.write(message)
        except _CLOSED as error:
            raise StreamClosed(str(error)) from error


class ContextStream:
    """The leader's end."""

    __slots__ = ("_context",)

    def __init__(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        self._context = context

    async def read(self) -> bytes:
        try:
            message = await self._context.read()
        except _CLOSED as error:
            raise StreamClosed(str(error)) from error
        if isinstance(message, bytes):
            return message
        raise StreamClosed("the follower closed it")

    async def write(self, message: bytes) -> None:
        try:
            await self._context.write(message)
        except _CLOSED as error:
            raise StreamClosed(str(error)) from error


def target_of(host: str, port: int) -> str:
    """gRPC's way to write an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def grpc_dial(credentials: grpc.ChannelCredentials | None, *, batch_bytes_max: int) -> Dial:
    """Dials over gRPC; `credentials` None is plaintext."""
    options = [
        ("grpc.max_receive_message_length", batch_bytes_max + MESSAGE_MARGIN_BYTES),
        ("grpc.max_send_message_length", MESSAGE_MARGIN_BYTES),
        # A channel shares its connection, and the back-off of a failed one, with every other
        # channel to the same address unless told not to: ours redials within milliseconds.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),
    ]

    @asynccontextmanager
    async def dial(host: str, port: int) -> AsyncIterator[ReplicaStream]:
        target = target_of(host, port)
        if credentials is None:
            channel = grpc.aio.insecure_channel(target, options=options)
        else:
            channel = grpc.aio.secure_channel(target, credentials, options=options)
        try:
            call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(PATH)()
            try:
                yield CallStream(call)
            finally:
                call.cancel()
        finally:
            await channel.close()

    return dial
