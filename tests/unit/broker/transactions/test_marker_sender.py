from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

from broker.transactions.marker_sender import (
    PARTITIONS_PER_CALL,
    PARTITIONS_PER_WRITE,
    MarkerSender,
)
from broker.transactions.requests import Prepared
from broker.transactions.seams import MarkerWrite, TopicPartition
from broker.transactions.service import PARTITIONS_MAX
from broker.transactions.states import TransactionState as State
from broker.transactions.stored import StoredTransaction
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.in_loop import in_loop

LEADERS = {("t", 0): 1, ("t", 1): 2, ("u", 0): 2}


class _Topic:
    """Looks its partitions' leaders up when asked: one may have thousands."""

    def __init__(self, world: World, name: str) -> None:
        self.partitions = self
        self._world, self._name = world, name

    def __len__(self) -> int:
        return sum(name == self._name for name, _ in LEADERS) + self._world.wide

    def __getitem__(self, index: int) -> Any:
        wide = self._world.wide and index >= 2
        leader = 3 if wide else self._world.leaders[self._name, index]
        return SimpleNamespace(leader_id=leader)


class World:
    """Brokers that answer as a test says, the oldest answer first, then NONE."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, list[MarkerWrite]]] = []
        self.answers: list[dict[TopicPartition, ErrorCode] | ProtocolError] = []
        self.leaders: dict[TopicPartition, int | None] = dict(LEADERS)
        self.wide = 0
        """Partitions that every topic has beyond those of LEADERS; broker 3 leads them."""
        self.sender = MarkerSender(self, cast(Any, SimpleNamespace(state=self)))

    def topic_named(self, name: str) -> Any:
        return _Topic(self, name) if any(name == topic for topic, _ in LEADERS) else None

    async def write_markers(
        self, broker_id: int, writes: Sequence[MarkerWrite]
    ) -> list[dict[TopicPartition, ErrorCode]]:
        self.calls.append((broker_id, list(writes)))
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, ProtocolError):
            raise answer
        return [{p: answer.get(p, ErrorCode.NONE) for p in w.partitions} for w in writes]

    async def write(
        self, *partitions: TopicPartition, is_current: Callable[[], bool] = lambda: True
    ) -> bool:
        stored = StoredTransaction(
            7, 3, 1_000, State.PREPARE_COMMIT, 0, 0, frozenset(partitions), client_version=2
        )
        return await self.sender.write_all(Prepared("tx", stored), 5, is_current)


@in_loop
async def test_every_leader_gets_the_markers_of_its_partitions() -> None:
    world = World()
    assert await world.write(*LEADERS) is True
    sent = {broker: {p for w in writes for p in w.partitions} for broker, writes in world.calls}
    assert sent == {1: {("t", 0)}, 2: {("t", 1), ("u", 0)}}
    marker = world.calls[0][1][0].marker
    assert (marker.producer_id, marker.producer_epoch, marker.coordinator_epoch) == (7, 3, 5)
    assert marker.is_commit
    assert marker.is_bumped


@in_loop
async def test_what_is_not_confirmed_is_asked_for_again() -> None:
    world = World()
    world.answers = [
        {("t", 0): ErrorCode.NOT_LEADER_OR_FOLLOWER},
        ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE),
        {("t", 0): ErrorCode.REQUEST_TIMED_OUT},
    ]
    assert await world.write(("t", 0)) is True
    assert len(world.calls) == 4


@in_loop
async def test_topics_that_are_gone_and_producers_that_are_further_are_done() -> None:
    world = World()
    assert await world.write(("gone", 0)) is True
    assert world.calls == []
    world.answers = [{("t", 0): ErrorCode.INVALID_PRODUCER_EPOCH}]
    assert await world.write(("t", 0)) is True
    assert len(world.calls) == 1


@in_loop
async def test_a_later_coordinator_ends_it() -> None:
    world = World()
    world.answers = [{("t", 0): ErrorCode.TRANSACTION_COORDINATOR_FENCED}]
    assert await world.write(("t", 0)) is False
    world.leaders["t", 0] = None
    assert await world.write(("t", 0), is_current=lambda: False) is False


@in_loop
async def test_what_goes_to_one_broker_at_one_time_goes_in_one_call() -> None:
    world = World()
    assert all(await asyncio.gather(*(world.write(("u", 0)) for _ in range(10))))
    assert [len(writes) for _, writes in world.calls] == [1, 9]


@in_loop
async def test_no_call_has_more_partitions_than_its_receiver_takes() -> None:
    world = World()
    world.wide = 2 * PARTITIONS_PER_WRITE + 1
    wide = [("t", 2 + index) for index in range(world.wide)]
    assert all(await asyncio.gather(*(world.write(*wide) for _ in range(20))))
    counts = [sum(len(w.partitions) for w in writes) for _, writes in world.calls]
    assert max(counts) <= PARTITIONS_PER_CALL < PARTITIONS_MAX
    assert sum(counts) == 20 * len(wide)


@in_loop
async def test_whoever_is_answered_goes_though_others_keep_coming() -> None:
    world = World()
    others: set[asyncio.Task[bool]] = set()

    async def write_markers(broker_id: int, writes: Sequence[MarkerWrite]) -> Any:
        if len(others) < 50:
            others.add(asyncio.create_task(world.write(("u", 0))))
        return await World.write_markers(world, broker_id, writes)

    world.sender = MarkerSender(
        cast(Any, SimpleNamespace(write_markers=write_markers)),
        cast(Any, SimpleNamespace(state=world)),
    )
    await world.write(("u", 0))
    assert len(others) < 5
    while pending := [task for task in others if not task.done()]:
        await asyncio.wait(pending)
