"""A controller: the product's service, office and state machine on a simulated quorum."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

from controller.service import ControllerService
from controller.settings import ControllerSettings
from controller.state_machine import Crossing, MetadataStateMachine
from tests.simulation.loop import Process
from tests.simulation.network import Host, Network
from tests.simulation.quorum import Quorum, Voter
from tests.simulation.rpc import SessionContext, serve_control
from tests.simulation.streams import End


class ControllerNode:
    """One controller on its host; `start` begins a new process of it."""

    def __init__(
        self,
        host: Host,
        network: Network,
        quorum: Quorum,
        settings: ControllerSettings,
        chance: random.Random,
    ) -> None:
        self.host = host
        self.node_id = settings.node_id
        self._network = network
        self._quorum = quorum
        self._settings = settings
        self._chance = chance
        self.process: Process
        self.service: ControllerService
        self.running: asyncio.Task[Any]

    def start(self, process: Process) -> None:
        self.process = process
        process.context.copy().run(self._start)
        self.host.process = process
        self.host.listener = self

    def _start(self) -> None:
        process = self.process
        crossing = Crossing(process.loop)
        voter = Voter(self._quorum, self.node_id, process, MetadataStateMachine(crossing))
        self.service = ControllerService(
            voter,
            crossing,
            self._settings,
            process,
            rng=random.Random(self._chance.getrandbits(64)),
            dial=self._refuses,
        )
        self.running = process.spawn(self.service.run())

    async def _refuses(self, host: str, port: int) -> bool:
        return await self._network.refuses(host)

    # ---- Listener

    def accept(self, kind: str, end: End) -> None:
        assert kind == "Session", kind
        task = self.process.spawn(self._session(end))
        end.on_reset = task.cancel

    async def _session(self, end: End) -> None:
        try:
            await self.service.Session(None, SessionContext(end))  # type: ignore[arg-type]
        finally:
            end.close()

    def serve(self, kind: str, request: Any) -> Awaitable[Any]:
        return serve_control(self.service, kind, request)
