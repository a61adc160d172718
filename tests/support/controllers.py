"""The controller without gRPC: a log without Raft, a clock that stands still, no dialing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from controller import office as office_module
from controller.generated import metadata_pb2 as pb
from controller.image import MetadataImage
from controller.office import Office
from controller.sessions import BrokerSession, Sessions
from controller.settings import ControllerSettings
from controller.state_machine import Crossing, MetadataStateMachine
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.memory_metadata_log import MemoryQuorum, MemoryVoter

CLUSTER = "a" * 22
REPLACED = ProtocolError(ErrorCode.NETWORK_EXCEPTION, "replaced")


class OfficeHarness:
    """`dead`: internal ports of brokers that refuse; `dialed`: ports in the order of the dials."""

    def __init__(self, **settings: int | str | bool) -> None:
        self.quorum = MemoryQuorum()
        self.clock = ManualClock()
        self.dead: set[int] = set()
        self.dialed: list[int] = []
        crossing = Crossing(asyncio.get_running_loop())
        self.log = MemoryVoter(self.quorum, 1, MetadataStateMachine(crossing))
        self.image = MetadataImage()
        self.sessions = Sessions()
        fields = {"node_id": 1, "cluster_id": CLUSTER, "lease_ms": 1_000, **settings}
        self.settings = ControllerSettings(**fields)  # type: ignore[arg-type]
        self.office = Office(
            self.log, self.image, self.sessions, self.settings, self.clock, self.dial
        )
        crossing.connect(self.image.receive)

    async def dial(self, host: str, port: int) -> bool:
        self.dialed.append(port)
        await asyncio.sleep(0)
        return port in self.dead

    async def propose(self, **kind: object) -> pb.Result:
        epoch = self.image.state.controller_epoch
        command = pb.Command(controller_epoch=epoch, **kind)  # type: ignore[arg-type]
        proposal = await self.log.propose(command.SerializeToString(), 1_000)
        await self.image.wait_index(proposal.index)
        return pb.Result.FromString(proposal.result)

    async def register(self, broker_id: int) -> int:
        """The broker epoch; its internal port is its id."""
        result = await self.propose(
            register_broker=pb.RegisterBroker(
                broker_id=broker_id,
                incarnation_id=self.quorum.next_index.to_bytes(16, "big"),
                cluster_id=CLUSTER,
                internal_host="h",
                internal_port=broker_id,
                directories=[pb.DirectoryReport(directory_id=bytes([broker_id] * 16))],
            )
        )
        return result.broker_epoch

    def session(self, broker_id: int, *, applied: int | None = None) -> BrokerSession:
        """Begun, and ready, with everything (or up to `applied`) applied."""
        offset = self.image.offset if applied is None else applied
        session = BrokerSession(broker_id, self.image.state.brokers[broker_id].broker_epoch, offset)
        session.ready = True
        self.sessions.begin(session, REPLACED)
        self.office.session_heard(session)
        return session

    async def live_broker(self, broker_id: int) -> BrokerSession:
        await self.register(broker_id)
        session = self.session(broker_id)
        await self.until(lambda: not self.fenced(broker_id))
        return session

    def fenced(self, broker_id: int) -> bool:
        return self.image.state.brokers[broker_id].fenced

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(2):
            while not condition():  # noqa: ASYNC110 - conditions of several tasks
                await asyncio.sleep(0.001)

    async def settle(self) -> None:
        """Let everything happen that can happen now, a few ticks of the office included."""
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running_office(
    monkeypatch: pytest.MonkeyPatch, *, elect: bool = True, **settings: int | str | bool
) -> AsyncIterator[OfficeHarness]:
    monkeypatch.setattr(office_module, "TICK_MS", 1)
    monkeypatch.setattr(office_module, "RETRY_MS", 1)
    monkeypatch.setattr(office_module, "REDIAL_PAUSES_MS", (0, 1, 1))
    harness = OfficeHarness(**settings)
    running = asyncio.ensure_future(harness.office.run())
    try:
        if elect:
            harness.quorum.elect(1)
            await harness.until(lambda: harness.office.controller_epoch is not None)
        yield harness
        assert not running.done()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
