"""Both ends of the question where partitions end, over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

from broker.internal.channels import InternalChannels
from broker.internal.server import GrpcServer
from broker.metrics import remote_ends
from broker.metrics.high_watermark_service import HighWatermarkService
from broker.metrics.remote_ends import RemoteEnds
from tests.support.in_loop import in_loop

SECONDS_MAX = 20.0


class Leader:
    """Broker 2: it leads `orders` 0 to 2,999, but for 7, which it follows."""

    def __init__(self) -> None:
        self.end = 100
        self.asked = 0

    def maybe_partition(self, topic: str, index: int) -> Any:
        self.asked += 1
        if topic != "orders":
            return None
        return SimpleNamespace(is_leader=index != 7, high_watermark=self.end + index)


class Nodes:
    def __init__(self, ends: RemoteEnds, leader: Leader, state: Any, server: Any) -> None:
        self.ends, self.leader, self.state, self.server = ends, leader, state, server

    async def page(self, count: int, is_so: Callable[[list[int | None]], bool]) -> None:
        """Pages are made until one of `orders` 0 to `count` - 1 is as it should be."""
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                told = [self.ends.high_watermark("orders", index) for index in range(count)]
                self.ends.page_is_made()
                if is_so(told):
                    return
                await asyncio.sleep(0.01)


@asynccontextmanager
async def nodes(cluster_id: str = "c") -> AsyncIterator[Nodes]:
    leader = Leader()
    server = GrpcServer(message_bytes_max=1024 * 1024)
    HighWatermarkService(2, "c", leader).add_to_server(server.registry)
    await server.start("127.0.0.1", 0)
    partitions = [SimpleNamespace(leader_id=2)] * 3_000
    topics = {"orders": SimpleNamespace(partitions=partitions)}
    state = SimpleNamespace(
        brokers={
            2: SimpleNamespace(internal_host="127.0.0.1", internal_port=server.port, fenced=False)
        },
        topic_named=topics.get,
        topics=topics,
    )
    source = cast(Any, SimpleNamespace(state=state))
    channels = InternalChannels(source, None)
    ends = RemoteEnds(1, cluster_id, source, channels)
    task = asyncio.ensure_future(ends.run())
    try:
        yield Nodes(ends, leader, state, server)
    finally:
        task.cancel()
        await asyncio.wait([task])
        await channels.close()
        await server.stop(0)


@in_loop
async def test_what_a_page_misses_the_next_ones_have() -> None:
    async with nodes() as made:
        assert made.ends.high_watermark("orders", 0) is None
        await made.page(3, lambda told: told == [100, 101, 102])
        made.leader.end = 200
        await made.page(3, lambda told: told == [200, 201, 202])


@in_loop
async def test_nothing_is_asked_while_nothing_is_missed() -> None:
    async with nodes() as made:
        for _ in range(5):
            made.ends.page_is_made()
            await asyncio.sleep(0.01)
        assert made.leader.asked == 0


@in_loop
async def test_many_partitions_are_asked_for_in_several_calls() -> None:
    count = remote_ends.PARTITIONS_PER_CALL * 2 + 5
    async with nodes() as made:
        expected: list[int | None] = [100 + index for index in range(count)]
        expected[7] = None  # the metadata names a leader that is none
        await made.page(count, lambda told: told == expected)


@in_loop
async def test_a_leader_that_is_gone_leaves_what_it_told_and_a_deleted_topic_nothing() -> None:
    async with nodes() as made:
        await made.page(2, lambda told: told == [100, 101])
        await made.server.stop(0)
        made.state.brokers[2].fenced = True
        for _ in range(5):
            await made.page(2, lambda told: told == [100, 101])
            await asyncio.sleep(0.01)
        del made.state.topics["orders"]
        await made.page(2, lambda told: told == [None, None])


@in_loop
async def test_what_is_asked_for_has_a_bound() -> None:
    async with nodes() as made:
        for index in range(remote_ends.PARTITIONS_MAX + 10):
            made.ends.high_watermark("none", index)
        assert len(made.ends._missed) == remote_ends.PARTITIONS_MAX


@in_loop
async def test_strangers_are_told_nothing() -> None:
    async with nodes(cluster_id="another") as made:
        for _ in range(5):
            made.ends.high_watermark("orders", 0)
            made.ends.page_is_made()
            await asyncio.sleep(0.02)
        assert made.ends.high_watermark("orders", 0) is None
        assert made.leader.asked == 0
