"""Finding the active controller: all are asked at once, and the first that says "I" is taken.

Asked are the controllers that the settings name, and those of which one of them tells: voters
that were added since. Nothing else is remembered but the channels. A controller that was overtaken
without knowing it yet may still say "I"; one with a lower epoch than is known already is not taken.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import grpc
import grpc.aio

from broker.control.settings import ControlSettings
from controller.generated import control_pb2 as pb
from controller.generated import control_pb2_grpc
from ottla.core.errors import ConfigError

if TYPE_CHECKING:
    from controller.generated.control_pb2_grpc import ControlAsyncStub

logger = logging.getLogger(__name__)

CHANNEL_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
    # Channels of other parts of this process must not pass their back-off on to these.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True, slots=True)
class ActiveController:
    """Where the active controller is, as of a moment ago."""

    node_id: int
    controller_epoch: int
    address: str
    stub: ControlAsyncStub
    lost: asyncio.Event
    """Set when the session with it has ended: whoever waits for it asks another one."""


TOLD_MAX: Final = 15
"""Voters that a controller tells of; a quorum has no more."""

OpenChannel: TypeAlias = Callable[[str], grpc.aio.Channel]
"""A channel to host:port."""


def open_channel(credentials: grpc.ChannelCredentials | None) -> OpenChannel:
    """Channels with these credentials; without any, plaintext."""

    def open_to(address: str) -> grpc.aio.Channel:
        if credentials is None:
            return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        return grpc.aio.secure_channel(address, credentials, options=CHANNEL_OPTIONS)

    return open_to


class Locator:
    """See the module. `close` ends the channels."""

    def __init__(
        self,
        cluster_id: str,
        settings: ControlSettings,
        open_channel: OpenChannel,
        rng: random.Random,
    ) -> None:
        self._cluster_id = cluster_id
        self._settings = settings
        self._open_channel = open_channel
        self._rng = rng
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._told: tuple[str, ...] = ()

    async def find(self, controller_epoch_min: int) -> ActiveController:
        """Ask again and again until one is found whose epoch is not below the given one.

        ConfigError when a controller belongs to another cluster.
        """
        tries = 0
        while True:
            found = await self._ask_all(controller_epoch_min)
            if found is not None:
                return found
            tries += 1
            if tries % 100 == 0:
                logger.warning(
                    "no active controller among %s", ", ".join(self._settings.controllers)
                )
            await asyncio.sleep(self.pause_s())

    def pause_s(self) -> float:
        """Between two tries."""
        settings = self._settings
        return self._rng.uniform(settings.retry_ms_min, settings.retry_ms_max) / 1000

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()

    async def _ask_all(self, controller_epoch_min: int) -> ActiveController | None:
        async with asyncio.TaskGroup() as group:
            addresses = dict.fromkeys((*self._settings.controllers, *self._told))
            asked = [group.create_task(self._ask(address)) for address in addresses]
            try:
                for answered in asyncio.as_completed(asked):
                    found = await answered
                    if found is not None and found.controller_epoch >= controller_epoch_min:
                        return found
            finally:
                for task in asked:
                    task.cancel()
        return None

    async def _ask(self, address: str) -> ActiveController | None:
        stub = self._stub(address)
        try:
            answer = await stub.Locate(
                pb.LocateRequest(cluster_id=self._cluster_id),
                timeout=self._settings.locate_ms / 1000,
            )
        except grpc.aio.AioRpcError as error:
            logger.debug("controller at %s: %s", address, error.details())
            return None
        if answer.cluster_id != self._cluster_id:
            raise ConfigError(
                f"the controller at {address} belongs to cluster {answer.cluster_id}, this node to "
                f"{self._cluster_id}: correct cluster.id or controller.quorum.bootstrap.servers"
            )
        if answer.controllers:
            self._told = tuple(answer.controllers[:TOLD_MAX])
        if not answer.active:
            return None
        return ActiveController(
            answer.node_id, answer.controller_epoch, address, stub, asyncio.Event()
        )

    def _stub(self, address: str) -> ControlAsyncStub:
        channel = self._channels.get(address)
        if channel is None:
            channel = self._open_channel(address)
            self._channels[address] = channel
        return control_pb2_grpc.ControlStub(channel)
