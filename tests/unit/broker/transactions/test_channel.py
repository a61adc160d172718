"""Both ends of the brokers' own channel, over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.internal.channels import InternalChannels
from broker.internal.server import GrpcServer
from broker.transactions.channel import TransactionChannel
from broker.transactions.seams import MarkerWrite, TopicPartition, TransactionMarker
from broker.transactions.service import PARTITIONS_MAX, TransactionService
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.in_loop import in_loop

MARKER = TransactionMarker(7, 1, 3, is_commit=True, is_bumped=True)
A, B = ("t", 0), ("t", 1)


class Node:
    """Its writer and its coordinator, with what they were asked."""

    def __init__(self) -> None:
        self.written: list[tuple[TransactionMarker, list[TopicPartition]]] = []
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[list[ErrorCode] | ProtocolError] = []

    async def write(
        self, marker: TransactionMarker, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, ErrorCode]:
        self.written.append((marker, list(partitions)))
        return {
            p: ErrorCode.NONE if p == A else ErrorCode.NOT_LEADER_OR_FOLLOWER for p in partitions
        }

    def partition_of(self, transactional_id: str) -> Any:
        return SimpleNamespace(leader_id=2)

    def admit(
        self,
        transactional_id: str,
        producer_id: int,
        producer_epoch: int,
        partitions: Sequence[TopicPartition],
        *,
        verify_only: bool,
    ) -> asyncio.Future[list[ErrorCode]]:
        self.asked.append((transactional_id, producer_id, producer_epoch, list(partitions)))
        future: asyncio.Future[list[ErrorCode]] = asyncio.get_running_loop().create_future()
        answer = self.answers.pop(0) if self.answers else [ErrorCode.NONE] * len(partitions)
        if isinstance(answer, ProtocolError):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future


@asynccontextmanager
async def nodes(cluster_id: str = "c") -> AsyncIterator[tuple[TransactionChannel, Node, Node]]:
    """Broker 1's channel, broker 1, broker 2, which serves."""
    one, two = Node(), Node()
    server = GrpcServer(message_bytes_max=1024 * 1024)
    TransactionService(2, "c", two, two).add_to_server(server.registry)
    await server.start("127.0.0.1", 0)
    broker = SimpleNamespace(internal_host="127.0.0.1", internal_port=server.port, fenced=False)
    state = SimpleNamespace(brokers={2: broker})
    channels = InternalChannels(cast(Any, SimpleNamespace(state=state)), None)
    channel = TransactionChannel(1, cluster_id, one, channels)
    channel.coordinator = one
    try:
        yield channel, one, two
    finally:
        channel.close()
        await channels.close()
        await server.stop(0)


@in_loop
async def test_markers_arrive_and_every_partition_has_its_code() -> None:
    async with nodes() as (channel, one, two):
        writes = [MarkerWrite(MARKER, (A, B)), MarkerWrite(MARKER, (B,))]
        expected = [
            {A: ErrorCode.NONE, B: ErrorCode.NOT_LEADER_OR_FOLLOWER},
            {B: ErrorCode.NOT_LEADER_OR_FOLLOWER},
        ]
        assert await channel.write_markers(2, writes) == expected
        assert sorted(two.written, key=repr) == sorted([(MARKER, [A, B]), (MARKER, [B])], key=repr)
        assert await channel.write_markers(1, writes) == expected
        assert len(one.written) == 2, "what is ours does not leave the broker"
        assert len(two.written) == 2


@in_loop
async def test_a_question_reaches_the_coordinator_and_waits_for_the_transaction_before() -> None:
    async with nodes() as (channel, _, two):
        two.answers = [
            ProtocolError(ErrorCode.CONCURRENT_TRANSACTIONS),
            [ErrorCode.NONE, ErrorCode.INVALID_TXN_STATE],
        ]
        answer = await channel.admit("tx", 7, 1, [A, B], verify_only=True)
        assert answer == {A: ErrorCode.NONE, B: ErrorCode.INVALID_TXN_STATE}
        assert two.asked == [("tx", 7, 1, [A, B])] * 2
        two.answers = [ProtocolError(ErrorCode.PRODUCER_FENCED)]
        assert await channel.admit("tx", 7, 1, [A], verify_only=True) == {
            A: ErrorCode.PRODUCER_FENCED
        }


@in_loop
async def test_who_cannot_be_reached_is_said() -> None:
    async with nodes() as (channel, _, _two):
        with pytest.raises(ProtocolError, match="broker 3 does not answer: it is not alive"):
            await channel.write_markers(3, [MarkerWrite(MARKER, (A,))])


@in_loop
async def test_strangers_and_calls_without_measure_are_refused() -> None:
    async with nodes(cluster_id="another") as (channel, _, two):
        with pytest.raises(ProtocolError, match="this is not that broker"):
            await channel.write_markers(2, [MarkerWrite(MARKER, (A,))])
        assert two.written == []
    async with nodes() as (channel, _, two):
        many = tuple(("t", index) for index in range(PARTITIONS_MAX + 1))
        with pytest.raises(ProtocolError, match="more than"):
            await channel.write_markers(2, [MarkerWrite(MARKER, many)])
        assert two.written == []
        outside = TransactionMarker(7, 2**15, 3, is_commit=True)
        with pytest.raises(ProtocolError, match="no producer epoch"):
            await channel.write_markers(2, [MarkerWrite(outside, (A,))])
        assert two.written == []
