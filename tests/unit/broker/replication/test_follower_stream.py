from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count

from broker.generated.replication_pb2 import (
    STREAM_KIND_CATCH_UP,
    STREAM_KIND_IN_SYNC,
    StreamHello,
    StreamWelcome,
)
from broker.internal.stream import StreamClosed
from broker.replication import frames
from broker.replication.follower_stream import FollowerStream
from broker.replication.partition import Partition
from broker.replication.settings import ReplicationSettings
from broker.replication.throttle import UNLIMITED, Throttle
from broker.replication.transport import PROTOCOL_VERSION, ReplicaStream
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    Host,
    MemoryStream,
    batch_of,
    settled,
    stream_pair,
)

SETTINGS = ReplicationSettings(2, "cluster", reconnect_ms_min=1, reconnect_ms_max=2)


class Dialled:
    """Dials in memory; `refuse` is how many dials fail first."""

    def __init__(self, refuse: int = 0) -> None:
        self.refuse = refuse
        self.addresses: list[tuple[str, int]] = []
        self.hellos: list[StreamHello] = []
        self.leaders: asyncio.Queue[MemoryStream] = asyncio.Queue()

    @asynccontextmanager
    async def dial(self, host: str, port: int) -> AsyncIterator[ReplicaStream]:
        self.addresses.append((host, port))
        if len(self.addresses) <= self.refuse:
            raise StreamClosed("refused")
        ours, theirs = stream_pair()
        self.leaders.put_nowait(theirs)
        try:
            yield ours
        finally:
            ours.close()

    async def accept(self) -> MemoryStream:
        leader = await self.leaders.get()
        hello = StreamHello.FromString(await leader.read())
        self.hellos.append(hello)
        assert (hello.cluster_id, hello.follower_id, hello.leader_id) == ("cluster", 2, 1)
        assert hello.follower_broker_epoch == 20
        await leader.write(
            StreamWelcome(protocol_version=PROTOCOL_VERSION, leader_id=1).SerializeToString()
        )
        return leader


def stream_of(
    host: Host,
    dialled: Dialled,
    *,
    elsewhere: Callable[[Partition], None] | None = None,
    catch_up: bool = False,
) -> FollowerStream:
    return FollowerStream(
        1,
        address=lambda: ("leader", 9),
        broker_epoch=lambda: 20,
        dial=dialled.dial,
        settings=SETTINGS,
        clock=host.clock,
        rng=random.Random(1),
        requests=count(1),
        elsewhere=elsewhere or (lambda _: None),
        catch_up=catch_up,
        throttle=Throttle(UNLIMITED),
    )


async def next_kind(leader: MemoryStream) -> int:
    return (await leader.read())[0]


def test_subscribes_follows_and_acknowledges() -> None:
    async def story() -> None:
        host, dialled = Host(2), Dialled()
        stream = stream_of(host, dialled)
        task = asyncio.create_task(stream.run())
        partition = host.partition(leader_id=1)
        stream.follow(partition)
        leader = await dialled.accept()
        assert await next_kind(leader) == frames.SUBSCRIBE
        await leader.write(frames.frame(frames.SUBSCRIBED, 1, frames.SUBSCRIBED_BODY.pack(5, 0, 0)))
        assert await next_kind(leader) == frames.ACKNOWLEDGE
        batch = batch_of(b"one", leader_epoch=0)
        await leader.write(frames.data_header(5, 0, 0, 0, len(batch)) + batch)
        ((kind, number, body),) = frames.iter_frames(await leader.read())
        assert (kind, number) == (frames.ACKNOWLEDGE, 5)
        assert frames.OFFSET_BODY.unpack(body) == (1,)
        stream.unfollow((TOPIC_ID, 0))
        assert await next_kind(leader) == frames.UNSUBSCRIBE
        assert stream.partition_count == 0
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(story())


def test_dials_again_until_the_leader_is_there_and_when_it_goes() -> None:
    async def story() -> None:
        host, dialled = Host(2), Dialled(refuse=3)
        stream = stream_of(host, dialled)
        task = asyncio.create_task(stream.run())
        stream.follow(host.partition(leader_id=1))
        leader = await dialled.accept()
        assert len(dialled.addresses) == 4
        assert await next_kind(leader) == frames.SUBSCRIBE
        leader.close()
        leader = await dialled.accept()
        assert await next_kind(leader) == frames.SUBSCRIBE
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_a_broken_message_is_answered_by_a_new_stream() -> None:
    async def story() -> None:
        host, dialled = Host(2), Dialled()
        stream = stream_of(host, dialled)
        task = asyncio.create_task(stream.run())
        stream.follow(host.partition(leader_id=1))
        leader = await dialled.accept()
        await leader.write(b"\x14torn")
        await dialled.accept()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_a_silent_leader_is_left() -> None:
    async def story() -> None:
        host, dialled = Host(2), Dialled()
        stream = stream_of(host, dialled)
        task = asyncio.create_task(stream.run())
        stream.follow(host.partition(leader_id=1))
        await dialled.accept()
        host.clock.advance(10 * SETTINGS.keepalive_ms + 1)
        await dialled.accept()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_a_cancellation_is_never_taken_for_a_lost_stream() -> None:
    """A transport may turn the cancelled read into the error of its call."""

    class Disguising(MemoryStream):
        async def read(self) -> bytes:
            try:
                return await super().read()
            except asyncio.CancelledError:
                raise StreamClosed("Locally cancelled") from None

    async def story() -> None:
        host, reading = Host(2), asyncio.Event()

        @asynccontextmanager
        async def dial(_host: str, _port: int) -> AsyncIterator[ReplicaStream]:
            ours, theirs = Disguising(), MemoryStream()
            ours.peer, theirs.peer = theirs, ours
            await theirs.write(StreamWelcome(protocol_version=PROTOCOL_VERSION).SerializeToString())
            reading.set()
            yield ours

        dialled = Dialled()
        dialled.dial = dial  # type: ignore[method-assign, assignment]
        stream = stream_of(host, dialled)
        task = asyncio.create_task(stream.run())
        stream.follow(host.partition(leader_id=1))
        await reading.wait()
        await settled()
        task.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(story())


def test_an_unknown_address_is_waited_for() -> None:
    async def story() -> None:
        host, dialled = Host(2), Dialled()
        known = False
        asked = asyncio.Event()

        def address() -> tuple[str, int] | None:
            asked.set()
            return ("leader", 9) if known else None

        stream = FollowerStream(
            1,
            address=address,
            broker_epoch=lambda: 20,
            dial=dialled.dial,
            settings=SETTINGS,
            clock=host.clock,
            rng=random.Random(1),
            requests=count(1),
            elsewhere=lambda _: None,
            throttle=Throttle(UNLIMITED),
        )
        task = asyncio.create_task(stream.run())
        stream.follow(host.partition(leader_id=1))
        await asked.wait()
        known = True
        stream.redial()
        await dialled.accept()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_where_the_leader_sends_a_partition_is_passed_on() -> None:
    async def story() -> None:
        host, dialled = Host(2), Dialled()
        sent: list[Partition] = []
        stream = stream_of(host, dialled, elsewhere=sent.append)
        task = asyncio.create_task(stream.run())
        partition = host.partition(leader_id=1)
        stream.follow(partition)
        leader = await dialled.accept()
        assert await next_kind(leader) == frames.SUBSCRIBE
        await leader.write(frames.frame(frames.SUBSCRIBED, 1, frames.SUBSCRIBED_BODY.pack(5, 0, 0)))
        assert await next_kind(leader) == frames.ACKNOWLEDGE
        await leader.write(frames.frame(frames.OTHER_STREAM, 4))
        await leader.write(frames.frame(frames.OTHER_STREAM, 5))
        await settled()
        assert sent == [partition]
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_a_stream_without_partitions_is_closed() -> None:
    async def story() -> None:
        host, dialled = Host(2), Dialled()
        stream = stream_of(host, dialled)
        task = asyncio.create_task(stream.run())
        partition = host.partition(leader_id=1)
        stream.follow(partition)
        leader = await dialled.accept()
        stream.unfollow((TOPIC_ID, 0))
        for _ in range(5):
            await leader.write(frames.frame(frames.HEARTBEAT, 0))
            await settled()
            host.clock.advance(SETTINGS.idle_ms_max // 4)
        async with asyncio.timeout(10):
            while not leader.closed:
                with suppress(StreamClosed):
                    await leader.read()
        stream.follow(partition)
        await dialled.accept()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_either_kind_of_stream_has_a_credit_of_its_own() -> None:
    async def story() -> None:
        host, dialled = Host(2), Dialled()
        for catch_up in (False, True):
            stream = stream_of(host, dialled, catch_up=catch_up)
            task = asyncio.create_task(stream.run())
            stream.follow(host.partition(leader_id=1))
            await dialled.accept()
            task.cancel()
            await asyncio.wait([task])
        assert [(hello.kind, hello.credit_bytes) for hello in dialled.hellos] == [
            (STREAM_KIND_IN_SYNC, SETTINGS.credit_bytes),
            (STREAM_KIND_CATCH_UP, SETTINGS.catch_up_credit_bytes),
        ]

    asyncio.run(story())
