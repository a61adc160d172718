from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from broker.control.client import BrokerIdentity, ControllerClient, DirectoryReport
from broker.control.metadata_cache import MetadataCache
from broker.control.settings import ControlSettings
from controller.codec import record_message
from controller.generated import control_pb2 as pb
from controller.generated import metadata_pb2
from controller.state import Endpoint
from ottla.core.clock import SystemClock
from ottla.core.errors import ConfigError, ErrorCode, ProtocolError
from storage.directory import StopState
from tests.support.cluster_states import Cluster
from tests.support.fake_controller import CLUSTER, FakeCall, FakeController

IDENTITY = BrokerIdentity(
    CLUSTER,
    1,
    b"i" * 16,
    (Endpoint("P", "host", 9092, "SSL"),),
    "internal",
    19092,
    "rack",
    tuple(
        DirectoryReport(bytes([number] * 16), state, 70 + number)
        for number, state in enumerate(StopState)
    ),
)


class Harness:
    """A client and its only controller; registrations get the epoch 3."""

    def __init__(self, *, ready: asyncio.Event | None = None) -> None:
        self.controller = FakeController()
        self.controller.answer = lambda request: pb.ExecuteResponse(
            result=metadata_pb2.Result(broker_epoch=3, first_producer_id=8, producer_id_count=9)
        )
        self.cache = MetadataCache()
        self.client = ControllerClient(
            IDENTITY,
            self.cache,
            ControlSettings(("a",), heartbeat_ms=5, retry_ms_min=1, retry_ms_max=2),
            SystemClock(),
            ready=ready,
            rng=random.Random(1),
            channels=lambda address: self.controller,  # type: ignore[arg-type, return-value]
        )
        self.running = asyncio.ensure_future(self.client.run())

    async def call(self) -> FakeCall:
        return await self.controller.sessions.get()

    async def close(self) -> None:
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.running


def run(test: Callable[[Harness], Awaitable[None]]) -> None:
    async def bounded() -> None:
        harness = Harness()
        try:
            async with asyncio.timeout(5):
                await test(harness)
        finally:
            if not harness.running.done():
                await harness.close()

    asyncio.run(bounded())


def test_it_registers_once_and_goes_on_with_its_epoch() -> None:
    async def test(harness: Harness) -> None:
        call = await harness.call()
        assert harness.client.registered.is_set()
        assert harness.client.broker_epoch == 3
        (request,) = harness.controller.requests
        told = request.command.register_broker
        assert (told.broker_id, told.incarnation_id, told.cluster_id) == (1, b"i" * 16, CLUSTER)
        assert (told.internal_host, told.internal_port, told.rack) == ("internal", 19092, "rack")
        assert told.endpoints[0].security_protocol == "SSL"
        assert {d.directory_id[0]: d.stop_state for d in told.directories} == {
            0: metadata_pb2.STOP_STATE_CLEAN,
            1: metadata_pb2.STOP_STATE_PROCESS_CRASH,
            2: metadata_pb2.STOP_STATE_UNCLEAN,
        }
        assert [d.broker_epoch for d in told.directories] == [70, 71, 72]
        hello = await call.up.get()
        assert (hello.broker_id, hello.broker_epoch, hello.ready) == (1, 3, True)
        call.reset()
        again = await harness.call()
        assert (await again.up.get()).broker_epoch == 3
        assert len(harness.controller.requests) == 1

    run(test)


def test_unfenced_follows_the_metadata_of_this_incarnation() -> None:
    async def test(harness: Harness) -> None:
        call = await harness.call()
        cluster = Cluster()
        cluster.register(1)
        cluster.state.replay(replace(cluster.state.brokers[1], broker_epoch=3))

        def tell(offset: int) -> None:
            call.tell(
                controller_epoch=1,
                offset=offset,
                snapshot_start=True,
                records=[record_message(record) for record in cluster.state.to_records()],
            )

        tell(4)
        await harness.cache.wait_offset(4, 1_000)
        assert not harness.client.unfenced.is_set()
        cluster.unfence(1)
        ours = cluster.state.brokers[1]
        cluster.state.replay(replace(ours, broker_epoch=2))  # of an earlier incarnation
        tell(5)
        await harness.cache.wait_offset(5, 1_000)
        assert not harness.client.unfenced.is_set()
        cluster.state.replay(ours)
        tell(6)
        await harness.client.unfenced.wait()
        cluster.fence(1)
        tell(7)
        await harness.cache.wait_offset(7, 1_000)
        assert not harness.client.unfenced.is_set()

    run(test)


@pytest.mark.parametrize("code", [ErrorCode.STALE_BROKER_EPOCH, ErrorCode.INCONSISTENT_CLUSTER_ID])
def test_what_no_retry_mends_ends_it_with_a_sentence(code: ErrorCode) -> None:
    async def test(harness: Harness) -> None:
        call = await harness.call()
        call.tell(error_code=code, message="because")
        with pytest.raises(ConfigError, match="because"):
            await harness.running

    run(test)


def test_a_refused_registration_ends_it_and_a_late_one_is_tried_again() -> None:
    async def test(harness: Harness) -> None:
        outcomes = [
            pb.ExecuteResponse(error_code=ErrorCode.UNKNOWN_SERVER_ERROR),
            pb.ExecuteResponse(error_code=ErrorCode.INVALID_REGISTRATION, message="copied"),
        ]
        harness.controller.answer = lambda request: outcomes.pop(0)
        with pytest.raises(ConfigError, match="copied"):
            await harness.running
        assert harness.client.broker_epoch is None

    run(test)


def test_becoming_ready_is_told_at_once() -> None:
    async def test() -> None:
        ready = asyncio.Event()
        harness = Harness(ready=ready)
        call = await harness.call()
        assert not (await call.up.get()).ready
        ready.set()
        async with asyncio.timeout(5):
            while not (await call.up.get()).ready:
                pass
        await harness.close()

    asyncio.run(test())


def test_short_commands() -> None:
    async def test(harness: Harness) -> None:
        await harness.call()
        assert await harness.client.allocate_producer_ids() == (8, 9)
        request = harness.controller.requests[-1].command.allocate_producer_ids
        assert (request.broker_id, request.broker_epoch) == (1, 3)
        assert await harness.client.controlled_shutdown(1_000)
        last = harness.controller.requests[-1]
        assert last.command.shut_down_broker.broker_epoch == 3
        assert last.wait_for_brokers

    run(test)


def test_before_the_registration_nothing_is_asked_in_its_name() -> None:
    async def test() -> None:
        harness = Harness()
        harness.controller.up = False
        with pytest.raises(ProtocolError, match="not registered"):
            await harness.client.allocate_producer_ids()
        assert await harness.client.controlled_shutdown(1_000)
        await harness.close()
        assert harness.controller.requests == []

    asyncio.run(test())


def test_without_a_controller_the_shutdown_goes_on() -> None:
    async def test(harness: Harness) -> None:
        call = await harness.call()
        harness.controller.up = False
        call.reset()
        assert not await harness.client.controlled_shutdown(20)

    run(test)
