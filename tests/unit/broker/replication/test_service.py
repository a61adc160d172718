from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from broker.generated.replication_pb2 import (
    STREAM_KIND_CATCH_UP,
    STREAM_KIND_IN_SYNC,
    StreamHello,
    StreamWelcome,
)
from broker.replication import frames
from broker.replication.frames import Subscribe
from broker.replication.partition import Partition
from broker.replication.service import Refused, ReplicationService
from broker.replication.settings import ReplicationSettings
from broker.replication.transport import PROTOCOL_VERSION
from ottla.core.identifiers import Uuid
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    Host,
    MemoryStream,
    fill,
    settled,
    stream_pair,
)

IN_SYNC: tuple[int, int] = (2, STREAM_KIND_IN_SYNC)
CATCH_UP: tuple[int, int] = (2, STREAM_KIND_CATCH_UP)
SETTINGS = ReplicationSettings(1, "cluster", handshake_ms_max=20)


@dataclass
class Served:
    host: Host
    partition: Partition
    service: ReplicationService


def serve(settings: ReplicationSettings = SETTINGS) -> Served:
    host = Host()
    partition = host.partition(replicas=(1, 2))

    def find(topic_id: Uuid, index: int) -> Partition:
        return partition

    return Served(host, partition, ReplicationService(find, settings, host.clock))


def hello(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "protocol_version": PROTOCOL_VERSION,
        "kind": STREAM_KIND_IN_SYNC,
        "cluster_id": "cluster",
        "follower_id": 2,
        "follower_broker_epoch": 20,
        "leader_id": 1,
        "credit_bytes": 1000,
        "partition_credit_bytes": 1000,
        **changes,
    }
    return StreamHello(**fields).SerializeToString()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (hello(cluster_id="other"), "another cluster"),
        (hello(leader_id=3), "this is node 1"),
        (hello(kind=0), "of kind 0"),
        (hello(follower_id=1), "does not follow itself"),
        (hello(protocol_version=1), "protocol version"),
        (b"\xff\xff\xff", "no hello"),
        (hello() + bytes(2000), "too large"),
        (None, "in time"),
    ],
)
def test_strangers_are_refused(first: bytes | None, why: str) -> None:
    async def story() -> None:
        served = serve()
        ours, theirs = stream_pair()
        if first is not None:
            await theirs.write(first)
        with pytest.raises(Refused, match=why):
            async with asyncio.timeout(5):
                await served.service.serve(ours)
        assert not served.service.streams
        assert theirs.incoming.empty()

    asyncio.run(story())


async def connected(
    served: Served, broker_epoch: int = 20, kind: int = STREAM_KIND_IN_SYNC
) -> tuple[MemoryStream, asyncio.Task[None]]:
    ours, theirs = stream_pair()
    await theirs.write(hello(follower_broker_epoch=broker_epoch, kind=kind))
    task = asyncio.create_task(served.service.serve(ours))
    welcome = StreamWelcome.FromString(await theirs.read())
    assert welcome.leader_id == 1
    await settled()
    return theirs, task


def test_serves_until_the_follower_goes() -> None:
    async def story() -> None:
        served = serve()
        theirs, task = await connected(served)
        assert set(served.service.streams) == {IN_SYNC}
        await theirs.write(frames.encode_subscribe(1, Subscribe(TOPIC_ID, 0, 0, 20, 0, None, 0)))
        assert (await theirs.read())[0] == frames.SUBSCRIBED
        fill(served.partition, b"one")
        assert (await theirs.read())[0] == frames.DATA
        theirs.close()
        await task
        assert not served.service.streams
        assert served.partition.feed.subscriptions == []

    asyncio.run(story())


def test_a_new_stream_takes_the_place_of_the_old() -> None:
    async def story() -> None:
        served = serve()
        _, old = await connected(served)
        theirs, new = await connected(served)
        async with asyncio.timeout(5):
            await old
        assert set(served.service.streams) == {IN_SYNC}
        theirs.close()
        await new

    asyncio.run(story())


def test_a_process_that_was_replaced_does_not_take_the_place_of_its_successor() -> None:
    async def story() -> None:
        served = serve()
        theirs, task = await connected(served, broker_epoch=21)
        ours, zombie = stream_pair()
        await zombie.write(hello(follower_broker_epoch=20))
        async with asyncio.timeout(5):
            with pytest.raises(Refused, match="another process"):
                await served.service.serve(ours)
        assert set(served.service.streams) == {IN_SYNC}
        assert not task.done()
        theirs.close()
        await task
        zombie, again = await connected(served, broker_epoch=20)  # nobody to compare it with
        zombie.close()
        await again

    asyncio.run(story())


def test_a_broken_message_closes_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        served = serve()
        theirs, task = await connected(served)
        await theirs.write(b"\x02torn")
        await task
        await settled()
        assert "closing broker 2's stream" in caplog.text

    asyncio.run(story())


def test_a_follower_has_one_stream_of_either_kind() -> None:
    async def story() -> None:
        served = serve()
        in_sync, first = await connected(served)
        _, second = await connected(served, kind=STREAM_KIND_CATCH_UP)
        assert set(served.service.streams) == {IN_SYNC, CATCH_UP}
        again, third = await connected(served, kind=STREAM_KIND_CATCH_UP)
        async with asyncio.timeout(5):
            await second
        assert not first.done()
        again.close()
        await third
        assert set(served.service.streams) == {IN_SYNC}
        ours, zombie = stream_pair()
        await zombie.write(hello(follower_broker_epoch=19, kind=STREAM_KIND_CATCH_UP))
        with pytest.raises(Refused, match="another process"):
            await served.service.serve(ours)
        in_sync.close()
        await first

    asyncio.run(story())


def test_a_new_process_ends_both_streams_of_the_one_before() -> None:
    async def story() -> None:
        served = serve()
        _, first = await connected(served)
        _, second = await connected(served, kind=STREAM_KIND_CATCH_UP)
        theirs, third = await connected(served, broker_epoch=21)
        async with asyncio.timeout(5):
            await asyncio.wait([first, second])
        assert set(served.service.streams) == {IN_SYNC}
        theirs.close()
        await third

    asyncio.run(story())


def test_one_throttle_counts_for_all_streams() -> None:
    async def story() -> None:
        served = serve(replace(SETTINGS, throttled_rate_out=7))
        theirs, task = await connected(served)
        catch_up, other = await connected(served, kind=STREAM_KIND_CATCH_UP)
        throttles = [served.service._sessions[kind]._throttle for kind in (IN_SYNC, CATCH_UP)]
        assert throttles == [served.service.throttle] * 2
        assert served.service.throttle.bytes_per_second == 7
        theirs.close()
        catch_up.close()
        await asyncio.wait([task, other])

    asyncio.run(story())
