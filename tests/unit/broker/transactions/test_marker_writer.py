from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from broker.coordinator.internal_topic import TOPIC
from broker.transactions.marker_writer import MarkerWriter
from broker.transactions.seams import TransactionMarker
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.in_loop import in_loop

MARKER = TransactionMarker(7, 1, 3, is_commit=True)


class World:
    """Partition 0 takes markers, 1 refuses them, 2 loses its leadership before the commit."""

    def __init__(self) -> None:
        self.appended: list[int] = []
        self.ended: list[int] = []
        self.writer = MarkerWriter(self, self)

    def partition(self, topic: str, index: int) -> Any:
        def append_marker(marker: TransactionMarker) -> Any:
            assert marker is MARKER
            if index == 1:
                raise ProtocolError(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
            self.appended.append(index)
            return SimpleNamespace(last_offset=9, leader_epoch=4)

        def wait_committed(next_offset: int, leader_epoch: int) -> asyncio.Future[None]:
            assert (next_offset, leader_epoch) == (10, 4)
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            if index == 2:
                future.set_exception(ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER))
            else:
                future.set_result(None)
            return future

        return SimpleNamespace(append_marker=append_marker, wait_committed=wait_committed)

    def end_transaction(self, index: int, marker: TransactionMarker) -> asyncio.Future[None]:
        self.ended.append(index)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future


@in_loop
async def test_each_partition_has_its_code() -> None:
    world = World()
    codes = await world.writer.write(MARKER, [("t", 0), ("t", 1), ("t", 2)])
    assert codes == {
        ("t", 0): ErrorCode.NONE,
        ("t", 1): ErrorCode.TRANSACTION_COORDINATOR_FENCED,
        ("t", 2): ErrorCode.NOT_LEADER_OR_FOLLOWER,
    }


@in_loop
async def test_offsets_of_groups_are_ended_by_their_coordinator() -> None:
    world = World()
    assert await world.writer.write(MARKER, [(TOPIC, 5)]) == {(TOPIC, 5): ErrorCode.NONE}
    assert (world.ended, world.appended) == ([5], [])


@in_loop
async def test_a_partition_that_is_named_twice_is_written_once() -> None:
    world = World()
    await world.writer.write(MARKER, [("t", 0), ("t", 0)])
    assert world.appended == [0]
