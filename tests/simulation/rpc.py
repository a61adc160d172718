"""What stands in for gRPC: channels, contexts and replica streams on the simulated network.

The product's own stubs, service and sessions run on it; messages are encoded and decoded as on a
wire, so nobody shares an object with anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from broker.internal.stream import StreamClosed
from broker.replication.transport import Dial, ReplicaStream
from controller.generated import control_pb2 as pb
from controller.service import ControllerService
from tests.simulation.network import Network, Unreachable
from tests.simulation.streams import Closed, End

METADATA = grpc.aio.Metadata()


def rpc_error(code: grpc.StatusCode, details: str) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, METADATA, METADATA, details)


class Channel:
    """What `control_pb2_grpc.ControlStub` needs of a channel to one controller."""

    def __init__(self, network: Network, host: str) -> None:
        self._network = network
        self._host = host

    def unary_unary(
        self,
        path: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        **_: Any,
    ) -> Callable[..., Any]:
        kind = path.rpartition("/")[2]

        async def call(request: Any, timeout: float) -> Any:
            try:
                answer = await self._network.call(
                    self._host, kind, request_serializer(request), timeout
                )
            except TimeoutError:
                raise rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, "no answer in time") from None
            except Unreachable as error:
                raise rpc_error(grpc.StatusCode.UNAVAILABLE, str(error)) from None
            return response_deserializer(answer)

        return call

    def stream_stream(
        self,
        path: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        **_: Any,
    ) -> Callable[[], Call]:
        kind = path.rpartition("/")[2]

        def call() -> Call:
            end = self._network.connect(self._host, kind)
            return Call(end, request_serializer, response_deserializer)

        return call

    async def close(self) -> None:
        pass


class Call:
    """The client's end of a stream of messages."""

    def __init__(
        self, end: End, encode: Callable[[Any], bytes], decode: Callable[[bytes], Any]
    ) -> None:
        self._end = end
        self._encode = encode
        self._decode = decode

    async def read(self) -> Any:
        try:
            return self._decode(await self._end.read())
        except Closed as closed:
            raise rpc_error(grpc.StatusCode.UNAVAILABLE, str(closed)) from None

    async def write(self, message: Any) -> None:
        try:
            await self._end.write(self._encode(message))
        except Closed as closed:
            raise rpc_error(grpc.StatusCode.UNAVAILABLE, str(closed)) from None

    def cancel(self) -> None:
        self._end.close()


class SessionContext:
    """The server's end of a broker's session; its handler is cancelled when the stream is reset."""

    def __init__(self, end: End) -> None:
        self._end = end

    async def read(self) -> Any:
        try:
            return pb.SessionRequest.FromString(await self._end.read())
        except Closed:
            return grpc.aio.EOF

    async def write(self, message: pb.SessionResponse) -> None:
        try:
            await self._end.write(message.SerializeToString())
        except Closed:
            raise asyncio.CancelledError from None

    def peer(self) -> str:
        return "simulated"


async def serve_control(service: ControllerService, kind: str, request: bytes) -> bytes:
    """One call of the service `Control`."""
    match kind:
        case "Locate":
            located = await service.Locate(pb.LocateRequest.FromString(request), None)
            return located.SerializeToString()
        case "Execute":
            executed = await service.Execute(pb.ExecuteRequest.FromString(request), None)
            return executed.SerializeToString()
        case _:
            raise AssertionError(kind)


class ReplicaEnd:
    """Either end of a replica stream (ReplicaStream)."""

    def __init__(self, end: End) -> None:
        self._end = end

    async def read(self) -> bytes:
        try:
            message = await self._end.read()
        except Closed as closed:
            raise StreamClosed(str(closed)) from None
        assert isinstance(message, bytes)
        return message

    async def write(self, message: bytes) -> None:
        try:
            await self._end.write(message)
        except Closed as closed:
            raise StreamClosed(str(closed)) from None


def replica_dial(network: Network) -> Dial:
    """Hosts are their own addresses; the port says nothing."""

    @asynccontextmanager
    async def dial(host: str, port: int) -> AsyncIterator[ReplicaStream]:
        end = network.connect(host, "replication")
        try:
            yield ReplicaEnd(end)
        finally:
            end.close()

    return dial
