from __future__ import annotations

import asyncio
from typing import Any, cast

import grpc
import grpc.aio
import pytest

from broker.replication.transport import CallStream, ContextStream, StreamClosed, target_of

UNAVAILABLE = grpc.aio.AioRpcError(
    grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), details="gone"
)


class Call:
    """Either end of a gRPC call: gives what it is told to, raises what it is told to."""

    def __init__(self, *answers: object) -> None:
        self.answers = [*answers]
        self.written: list[bytes] = []

    async def read(self) -> object:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def write(self, message: bytes) -> None:
        self.written.append(message)
        if self.answers:
            raise cast(Exception, self.answers.pop(0))

    async def details(self) -> str:
        return "refused"

    async def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("end", [CallStream, ContextStream])
@pytest.mark.parametrize("last", [UNAVAILABLE, grpc.aio.EOF])
def test_messages_and_then_the_end(end: Any, last: object) -> None:
    async def story() -> None:
        call = Call(b"one", last)
        stream = end(call)
        assert await stream.read() == b"one"
        with pytest.raises(StreamClosed):
            await stream.read()

    asyncio.run(story())


@pytest.mark.parametrize("end", [CallStream, ContextStream])
def test_writing_to_a_closed_stream(end: Any) -> None:
    async def story() -> None:
        call = Call()
        await end(call).write(b"one")
        assert call.written == [b"one"]
        for error in (UNAVAILABLE, asyncio.InvalidStateError("RPC already finished.")):
            with pytest.raises(StreamClosed):
                await end(Call(error)).write(b"two")

    asyncio.run(story())


def test_the_reason_of_a_refusal_is_told() -> None:
    async def story() -> None:
        with pytest.raises(StreamClosed, match="refused"):
            await CallStream(cast(Any, Call(grpc.aio.EOF))).read()

    asyncio.run(story())


def test_addresses() -> None:
    assert target_of("127.0.0.1", 9) == "127.0.0.1:9"
    assert target_of("::1", 9) == "[::1]:9"
