"""One session with the active controller: heartbeats up, metadata down (proto/control.proto)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

import grpc.aio

from broker.control.locator import ActiveController
from broker.control.metadata_cache import MetadataCache
from controller.codec import record_from_message
from controller.generated import control_pb2 as pb
from controller.state import ClusterState, Record
from ottla.core.errors import ErrorCode, ProtocolError

logger = logging.getLogger(__name__)

Call = grpc.aio.StreamStreamCall[pb.SessionRequest, pb.SessionResponse]
RECORDS_MAX: Final = 10_000_000
"""Of one change or snapshot: beyond it the controller is taken for mad."""


class MetadataReceiver:
    """Puts the messages of one session together and applies each change as a whole."""

    def __init__(self, cache: MetadataCache) -> None:
        self._cache = cache
        self._records: list[Record] = []
        self._snapshot = False

    def receive(self, message: pb.SessionResponse) -> bool:
        """Whether the cache has a new offset. STALE_CONTROLLER_EPOCH for what is older than it."""
        if message.snapshot_start:
            self._records.clear()
            self._snapshot = True
        self._records += map(record_from_message, message.records)
        if len(self._records) > RECORDS_MAX:
            raise ProtocolError(ErrorCode.INVALID_REQUEST, "the controller sends without end")
        if message.more:
            return False
        records, self._records = self._records, []
        snapshot, self._snapshot = self._snapshot, False
        cache = self._cache
        if snapshot:
            state = ClusterState()
            for record in records:
                state.replay(record)
            cache.install(state, message.offset, message.controller_epoch)
        elif records:
            cache.apply(records, message.offset, message.controller_epoch)
        else:
            cache.check_not_older(message.controller_epoch, message.offset)
            return False
        return True


class ControlSession:
    """See the module. `run` lasts as long as the stream does."""

    def __init__(
        self,
        controller: ActiveController,
        cache: MetadataCache,
        *,
        cluster_id: str,
        broker_id: int,
        broker_epoch: int,
        heartbeat_ms: int,
        silence_ms: int,
        is_ready: Callable[[], bool],
    ) -> None:
        self._controller = controller
        self._cache = cache
        self._cluster_id = cluster_id
        self._broker_id = broker_id
        self._broker_epoch = broker_epoch
        self._heartbeat_ms = heartbeat_ms
        self._silence_ms = silence_ms
        self._is_ready = is_ready
        self._beat_now = asyncio.Event()
        self.caught_up = False
        """Whether all that the controller had when the session began is applied here."""

    def beat(self) -> None:
        """Send a heartbeat now: something that it tells has changed."""
        self._beat_now.set()

    async def run(self) -> ProtocolError:
        """Why it ended: NETWORK_EXCEPTION (reset, silent), NOT_CONTROLLER, STALE_CONTROLLER_EPOCH,
        STALE_BROKER_EPOCH, INCONSISTENT_CLUSTER_ID."""
        call: Call = self._controller.stub.Session()
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(self._write(call))
            try:
                return await self._read(call)
            finally:
                writer.cancel()
                call.cancel()

    async def _write(self, call: Call) -> None:
        """Heartbeats; ends with the stream, about which `_read` tells."""
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                self._beat_now.clear()
                await call.write(
                    pb.SessionRequest(
                        cluster_id=self._cluster_id,
                        broker_id=self._broker_id,
                        broker_epoch=self._broker_epoch,
                        controller_epoch=self._cache.controller_epoch,
                        applied_offset=self._cache.offset,
                        ready=self._is_ready(),
                    )
                )
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._heartbeat_ms / 1000):
                        await self._beat_now.wait()

    async def _read(self, call: Call) -> ProtocolError:
        receiver = MetadataReceiver(self._cache)
        while True:
            try:
                async with asyncio.timeout(self._silence_ms / 1000):
                    message = await call.read()
            except TimeoutError:
                return _lost(f"the controller was silent for {self._silence_ms} ms")
            except grpc.aio.AioRpcError as error:
                return _lost(f"{error.code().name}: {error.details()}")
            if not isinstance(message, pb.SessionResponse):
                return _lost("the controller closed the stream")
            if message.error_code:
                return ProtocolError(ErrorCode(message.error_code), message.message)
            try:
                if receiver.receive(message):
                    self.beat()
                self.caught_up = self.caught_up or not message.more
            except ProtocolError as error:
                return error


def _lost(message: str) -> ProtocolError:
    return ProtocolError(ErrorCode.NETWORK_EXCEPTION, message)
