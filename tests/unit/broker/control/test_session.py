from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from broker.control.locator import ActiveController
from broker.control.metadata_cache import MetadataCache
from broker.control.session import ControlSession, MetadataReceiver
from controller.codec import record_message
from controller.generated import control_pb2 as pb
from controller.generated import control_pb2_grpc
from controller.state import ProducerIdsAllocated
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from tests.support.cluster_states import Cluster
from tests.support.fake_controller import CLUSTER, FakeCall, FakeController


def ids(number: int) -> pb.SessionResponse:
    return pb.SessionResponse(
        controller_epoch=1,
        offset=number,
        records=[record_message(ProducerIdsAllocated(number))],
    )


def test_changes_are_applied_as_a_whole() -> None:
    cache = MetadataCache()
    receiver = MetadataReceiver(cache)
    half = ids(4)
    half.more = True
    assert not receiver.receive(half)
    assert cache.offset == 0
    assert receiver.receive(ids(4))
    assert (cache.offset, cache.state.next_producer_id) == (4, 4)


def test_a_snapshot_replaces_the_state_when_its_last_chunk_came() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2])
    cache = MetadataCache()
    receiver = MetadataReceiver(cache)
    receiver.receive(ids(4))
    left_over = ids(5)
    left_over.more = True
    receiver.receive(left_over)
    records = [record_message(record) for record in cluster.state.to_records()]
    for position, record in enumerate(records):
        last = position == len(records) - 1
        assert cache.offset == 4
        done = receiver.receive(
            pb.SessionResponse(
                controller_epoch=2,
                offset=9,
                records=[record],
                snapshot_start=position == 0,
                more=not last,
            )
        )
        assert done is last
    assert cache.state == cluster.state
    assert (cache.offset, cache.controller_epoch) == (9, 2)


def test_what_is_older_is_refused() -> None:
    cache = MetadataCache()
    receiver = MetadataReceiver(cache)
    receiver.receive(ids(4))
    for message in (ids(3), pb.SessionResponse(controller_epoch=0, offset=4)):
        with pytest.raises(ProtocolError) as error:
            receiver.receive(message)
        assert error.value.code == ErrorCode.STALE_CONTROLLER_EPOCH
    assert not receiver.receive(pb.SessionResponse(controller_epoch=1, offset=4))


class Harness:
    def __init__(self, *, silence_ms: int = 1_000, heartbeat_ms: int = 10) -> None:
        self.cache = MetadataCache()
        controller = FakeController()
        stub = control_pb2_grpc.ControlStub(controller)  # type: ignore[call-overload]
        self.ready = False
        self.session = ControlSession(
            ActiveController(1, 1, "a", stub, asyncio.Event()),
            self.cache,
            cluster_id=CLUSTER,
            broker_id=5,
            broker_epoch=6,
            heartbeat_ms=heartbeat_ms,
            silence_ms=silence_ms,
            is_ready=lambda: self.ready,
        )
        self.running = asyncio.ensure_future(self.session.run())
        self._sessions = controller.sessions

    async def call(self) -> FakeCall:
        return await self._sessions.get()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await test()

    asyncio.run(bounded())


def test_heartbeats_tell_what_is_applied_and_a_change_at_once() -> None:
    async def test() -> None:
        harness = Harness(heartbeat_ms=60_000)
        call = await harness.call()
        hello = await call.up.get()
        assert hello == pb.SessionRequest(cluster_id=CLUSTER, broker_id=5, broker_epoch=6)
        call.tell(**{field.name: value for field, value in ids(4).ListFields()})
        beat = await call.up.get()
        assert (beat.applied_offset, beat.controller_epoch, beat.ready) == (4, 1, False)
        harness.ready = True
        harness.session.beat()
        assert (await call.up.get()).ready
        call.close()
        assert "closed" in str(await harness.running)
        assert call.cancelled

    run(test)


def test_metadata_is_caught_up_once_the_first_change_is_whole() -> None:
    async def test() -> None:
        harness = Harness(heartbeat_ms=60_000)
        call = await harness.call()
        assert not harness.session.caught_up
        call.tell(controller_epoch=1, offset=4, more=True)
        call.tell(controller_epoch=1, offset=4)
        await call.up.get()
        call.close()
        await harness.running
        assert harness.session.caught_up

    run(test)


def test_heartbeats_go_on_by_themselves() -> None:
    async def test() -> None:
        harness = Harness(heartbeat_ms=1)
        call = await harness.call()
        for _ in range(5):
            await call.up.get()
        call.reset()
        why = await harness.running
        assert why.code == ErrorCode.NETWORK_EXCEPTION
        assert "UNAVAILABLE" in str(why)

    run(test)


def test_a_silent_controller_is_left() -> None:
    async def test() -> None:
        harness = Harness(silence_ms=20)
        await harness.call()
        assert "silent" in str(await harness.running)

    run(test)


def test_a_refusal_is_the_outcome() -> None:
    async def test() -> None:
        harness = Harness()
        call = await harness.call()
        call.tell(error_code=ErrorCode.STALE_BROKER_EPOCH, message="replaced")
        why = await harness.running
        assert (why.code, why.message) == (ErrorCode.STALE_BROKER_EPOCH, "replaced")

    run(test)


def test_an_overtaken_controller_is_left() -> None:
    async def test() -> None:
        harness = Harness()
        harness.cache.apply([], 4, 9)
        call = await harness.call()
        call.tell(controller_epoch=8, offset=5)
        assert (await harness.running).code == ErrorCode.STALE_CONTROLLER_EPOCH

    run(test)


def test_records_of_a_newer_version_stop_the_node() -> None:
    async def test() -> None:
        harness = Harness()
        call = await harness.call()
        call.tell(controller_epoch=1, offset=5, records=[{}])
        with pytest.raises(ExceptionGroup) as error:
            await harness.running
        assert error.group_contains(DecodeError)

    run(test)
