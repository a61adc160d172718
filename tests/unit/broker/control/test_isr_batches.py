from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from broker.control import isr_batches
from broker.control.isr_batches import IsrBatches
from broker.control.metadata_cache import MetadataCache
from controller.generated import control_pb2
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

TOPIC = b"t" * 16


@dataclass(frozen=True)
class Proposal:
    partition: int
    topic_id: Uuid = TOPIC
    leader_epoch: int = 3
    partition_epoch: int = 4
    isr: tuple[tuple[int, int], ...] = ((1, 10), (2, 20))


class Harness:
    """`gate` holds answers back; `failure` is raised instead; odd partitions are refused."""

    def __init__(self) -> None:
        self.cache = MetadataCache()
        self.batches = IsrBatches(self.cache, self.send)
        self.sent: list[pb.AlterPartitions] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: ProtocolError | None = None
        self.offset = 0

    async def send(self, batch: pb.AlterPartitions) -> control_pb2.ExecuteResponse:
        self.sent.append(batch)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        response = control_pb2.ExecuteResponse(offset=self.offset)
        for wanted in batch.partitions:
            answer = response.result.partitions.add(topic_id=wanted.topic_id, index=wanted.index)
            if wanted.index % 2:
                answer.error_code = ErrorCode.INELIGIBLE_REPLICA
                answer.message = "fenced"
            else:
                answer.partition.topic_id = wanted.topic_id
                answer.partition.index = wanted.index
                answer.partition.isr.extend(member.broker_id for member in wanted.isr)
        return response


def run(test: Callable[[Harness], Awaitable[None]]) -> None:
    async def bounded() -> None:
        harness = Harness()
        running = asyncio.ensure_future(harness.batches.run())
        async with asyncio.timeout(5):
            await test(harness)
        running.cancel()

    asyncio.run(bounded())


def test_proposals_go_with_their_epochs_and_come_back_one_by_one() -> None:
    async def test(harness: Harness) -> None:
        good, bad = await asyncio.gather(
            harness.batches.alter(Proposal(0)),
            harness.batches.alter(Proposal(1)),
            return_exceptions=True,
        )
        assert not isinstance(good, BaseException)
        assert (good.topic_id, good.index, good.isr) == (TOPIC, 0, (1, 2))
        assert isinstance(bad, ProtocolError)
        assert (bad.code, bad.message) == (ErrorCode.INELIGIBLE_REPLICA, "fenced")
        (sent,) = harness.sent
        wanted = sent.partitions[0]
        assert (wanted.leader_epoch, wanted.partition_epoch) == (3, 4)
        assert [(m.broker_id, m.broker_epoch) for m in wanted.isr] == [(1, 10), (2, 20)]

    run(test)


def test_what_comes_meanwhile_goes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isr_batches, "BATCH_MAX", 4)

    async def test(harness: Harness) -> None:
        harness.gate.clear()
        asked = [asyncio.ensure_future(harness.batches.alter(Proposal(0)))]
        await asyncio.sleep(0.001)
        asked += [asyncio.ensure_future(harness.batches.alter(Proposal(2 * n))) for n in range(6)]
        await asyncio.sleep(0.001)
        asked.pop().cancel()
        harness.gate.set()
        await asyncio.gather(*asked)
        assert [len(batch.partitions) for batch in harness.sent] == [1, 4, 1]

    run(test)


def test_an_answer_waits_for_the_metadata_that_it_was_made_from() -> None:
    async def test(harness: Harness) -> None:
        harness.offset = 7
        asked = asyncio.ensure_future(harness.batches.alter(Proposal(0)))
        await asyncio.sleep(0.005)
        assert not asked.done()
        harness.cache.apply([], 7, 1)
        await asked

    run(test)


def test_metadata_that_does_not_come_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isr_batches, "METADATA_MS_MAX", 1)

    async def test(harness: Harness) -> None:
        harness.offset = 7
        with pytest.raises(ProtocolError) as error:
            await harness.batches.alter(Proposal(0))
        assert error.value.code == ErrorCode.REQUEST_TIMED_OUT

    run(test)


def test_a_failure_concerns_the_whole_batch_and_not_the_next_one() -> None:
    async def test(harness: Harness) -> None:
        harness.failure = ProtocolError(ErrorCode.STALE_BROKER_EPOCH, "replaced")
        with pytest.raises(ProtocolError) as error:
            await harness.batches.alter(Proposal(0))
        assert error.value.code == ErrorCode.STALE_BROKER_EPOCH
        harness.failure = None
        await harness.batches.alter(Proposal(0))

    run(test)


def test_waiting_proposals_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isr_batches, "WAITING_MAX", 0)

    async def test(harness: Harness) -> None:
        with pytest.raises(ProtocolError, match="too many"):
            await harness.batches.alter(Proposal(0))

    run(test)
