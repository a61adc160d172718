"""Controllers without gRPC, for the broker's side of the control plane: channels by address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
import grpc.aio

from controller.generated import control_pb2 as pb

CLUSTER = "a" * 22


def unavailable() -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "gone"
    )


class FakeCall:
    """One session. What the broker said is in `up`; `tell` answers; `reset` breaks the stream."""

    def __init__(self) -> None:
        self.up: asyncio.Queue[pb.SessionRequest] = asyncio.Queue()
        self._down: asyncio.Queue[pb.SessionResponse | Exception | None] = asyncio.Queue()
        self.cancelled = False

    async def write(self, request: pb.SessionRequest) -> None:
        if self.cancelled:
            raise asyncio.InvalidStateError("the call is over")
        self.up.put_nowait(pb.SessionRequest.FromString(request.SerializeToString()))

    async def read(self) -> pb.SessionResponse | object:
        answer = await self._down.get()
        if isinstance(answer, Exception):
            raise answer
        return grpc.aio.EOF if answer is None else answer

    def cancel(self) -> None:
        self.cancelled = True

    def tell(self, **fields: object) -> None:
        self._down.put_nowait(pb.SessionResponse(**fields))  # type: ignore[arg-type]

    def reset(self) -> None:
        self._down.put_nowait(unavailable())

    def close(self) -> None:
        self._down.put_nowait(None)


class FakeController:
    """A grpc.aio.Channel to one controller, as far as the stub uses it.

    `answer` makes the answer to a command; an exception from it is the call's.
    """

    def __init__(
        self,
        node_id: int = 1,
        *,
        active: bool = True,
        epoch: int = 1,
        cluster_id: str = CLUSTER,
        up: bool = True,
    ) -> None:
        self.node_id = node_id
        self.active = active
        self.epoch = epoch
        self.cluster_id = cluster_id
        self.up = up
        self.asked = 0
        self.requests: list[pb.ExecuteRequest] = []
        self.answer: Callable[[pb.ExecuteRequest], pb.ExecuteResponse] = lambda request: (
            pb.ExecuteResponse()
        )
        self.silent = asyncio.Event()
        """Set: commands get no answer."""
        self.sessions: asyncio.Queue[FakeCall] = asyncio.Queue()
        self.closed = False
        self.controllers: list[str] = []

    def unary_unary(self, path: str, *arguments: object, **options: object) -> object:
        return self._locate if path.endswith("/Locate") else self._execute

    def stream_stream(self, path: str, *arguments: object, **options: object) -> object:
        return self._session

    async def close(self) -> None:
        self.closed = True

    async def _locate(self, request: pb.LocateRequest, timeout: float) -> pb.LocateResponse:
        self.asked += 1
        await asyncio.sleep(0)
        if not self.up:
            raise unavailable()
        return pb.LocateResponse(
            node_id=self.node_id,
            cluster_id=self.cluster_id,
            active=self.active,
            controller_epoch=self.epoch,
            controllers=self.controllers,
        )

    async def _execute(self, request: pb.ExecuteRequest, timeout: float) -> pb.ExecuteResponse:
        self.requests.append(pb.ExecuteRequest.FromString(request.SerializeToString()))
        await asyncio.sleep(0)
        if not self.up:
            raise unavailable()
        if self.silent.is_set():
            await asyncio.Event().wait()
        return self.answer(request)

    def _session(self) -> FakeCall:
        call = FakeCall()
        self.sessions.put_nowait(call)
        return call
