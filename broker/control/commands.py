"""Having the active controller decide a command, whoever and wherever it is at the moment.

A command whose answer was lost is sent again; every kind bears that (compare-and-set on epochs, ids
that the caller chose, absolute numbers). `Answer.repeated` tells those who must read "exists
already" or "is gone already" as success.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import grpc.aio

from broker.control.locator import ActiveController
from broker.control.settings import ControlSettings
from controller.generated import control_pb2 as pb
from controller.generated import metadata_pb2
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError

_AGAIN = frozenset({ErrorCode.NOT_CONTROLLER, ErrorCode.THROTTLING_QUOTA_EXCEEDED})
_MARGIN_MS = 500
"""The controller's own time-out answers better than ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`repeated`: an earlier attempt may have carried the command out already."""

    response: pb.ExecuteResponse
    repeated: bool

    @property
    def offset(self) -> int:
        return self.response.offset

    @property
    def result(self) -> metadata_pb2.Result:
        return self.response.result


class Commands:
    """See the module. `set_controller` is called by whoever finds and loses it."""

    def __init__(
        self, cluster_id: str, settings: ControlSettings, clock: Clock, rng: random.Random
    ) -> None:
        self._cluster_id = cluster_id
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._controller: ActiveController | None = None
        self._found = asyncio.Event()

    def set_controller(self, controller: ActiveController | None) -> None:
        if self._controller is not None and self._controller is not controller:
            self._controller.lost.set()
        self._controller = controller
        if controller is None:
            self._found.clear()
        else:
            self._found.set()

    async def execute(
        self, command: metadata_pb2.Command, timeout_ms: int, *, wait_for_brokers: bool
    ) -> Answer:
        """The controller's answer. ProtocolError: what it refuses the command as a whole with, or
        REQUEST_TIMED_OUT when no controller answered in time."""
        deadline_ms = self._clock.now_ms() + timeout_ms
        repeated = False
        while True:
            controller = await self.wait_controller(deadline_ms)
            left_ms = max(deadline_ms - self._clock.now_ms(), 1)
            command.controller_epoch = controller.controller_epoch
            request = pb.ExecuteRequest(
                cluster_id=self._cluster_id,
                command=command,
                timeout_ms=left_ms,
                wait_for_brokers=wait_for_brokers,
            )
            response = await _attempt(controller, request, left_ms + _MARGIN_MS)
            if response is None or response.outcome_unknown:
                repeated = True
            elif response.error_code not in _AGAIN:
                if response.error_code:
                    raise ProtocolError(ErrorCode(response.error_code), response.message)
                return Answer(response, repeated)
            await asyncio.sleep(self.pause_s())

    async def wait_controller(self, deadline_ms: int) -> ActiveController:
        """ProtocolError REQUEST_TIMED_OUT when none is found by then."""
        if self._controller is None or self._clock.now_ms() >= deadline_ms:
            try:
                async with asyncio.timeout((deadline_ms - self._clock.now_ms()) / 1000):
                    await self._found.wait()
            except TimeoutError:
                raise ProtocolError(
                    ErrorCode.REQUEST_TIMED_OUT, "no active controller answered in time"
                ) from None
        if self._controller is None or self._clock.now_ms() >= deadline_ms:
            raise ProtocolError(
                ErrorCode.REQUEST_TIMED_OUT, "no active controller answered in time"
            )
        return self._controller

    def pause_s(self) -> float:
        """Between two attempts."""
        settings = self._settings
        return self._rng.uniform(settings.retry_ms_min, settings.retry_ms_max) / 1000


async def _attempt(
    controller: ActiveController, request: pb.ExecuteRequest, timeout_ms: int
) -> pb.ExecuteResponse | None:
    """None when it is not known what became of it: no answer, or the controller was lost."""

    async def call() -> pb.ExecuteResponse | None:
        try:
            return await controller.stub.Execute(request, timeout=timeout_ms / 1000)
        except grpc.aio.AioRpcError:
            return None

    async with asyncio.TaskGroup() as group:
        asked = group.create_task(call())
        lost = group.create_task(controller.lost.wait())
        await asyncio.wait((asked, lost), return_when=asyncio.FIRST_COMPLETED)
        lost.cancel()
        if asked.done():
            return asked.result()
        asked.cancel()
    return None
