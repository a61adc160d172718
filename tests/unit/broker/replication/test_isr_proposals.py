from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from broker.replication import isr_proposals
from broker.replication.isr import IsrChange
from broker.replication.isr_proposals import settle
from broker.replication.partition import Partition
from broker.replication.seams import IsrProposal, view_of
from controller.state import PartitionMetadata
from ottla.core.errors import ErrorCode, ProtocolError
from tests.unit.broker.replication.replication_support import (
    LAG_MS_MAX,
    TOPIC_ID,
    Host,
    fill,
)

ACCEPTED = PartitionMetadata(TOPIC_ID, 0, (1, 2, 3), (1,), 1, 0, 1)


class Controller:
    """Answers as told, one answer a proposal."""

    def __init__(self, answers: Sequence[ProtocolError | PartitionMetadata]) -> None:
        self.answers = [*answers]
        self.proposals: list[IsrProposal] = []
        self.broker_epoch: int | None = 10
        self.unfenced = asyncio.Event()

    async def alter_partition(self, proposal: IsrProposal) -> PartitionMetadata:
        self.proposals.append(proposal)
        answer = self.answers.pop(0)
        if isinstance(answer, ProtocolError):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isr_proposals, "PAUSE_MS_MIN", 0)
    monkeypatch.setattr(isr_proposals, "PAUSE_MS_MAX", 0)


def shrinking() -> tuple[Partition, IsrChange]:
    host = Host()
    partition = host.partition()
    fill(partition, b"one")
    host.clock.advance(LAG_MS_MAX + 1)
    partition.tick()
    (change,) = host.proposals
    return partition, change


def run(controller: Controller, partition: Partition, change: IsrChange) -> None:
    asyncio.run(settle(partition, change, controller, random.Random(1)))


def test_an_answer_settles() -> None:
    partition, change = shrinking()
    controller = Controller([ACCEPTED])
    run(controller, partition, change)
    assert controller.proposals == [IsrProposal(TOPIC_ID, 0, 0, 0, ((1, 10),))]
    assert partition.isr == (1,)
    assert partition.machine.pending_change is None


def test_a_time_out_settles_nothing_and_is_repeated() -> None:
    partition, change = shrinking()
    timed_out = ProtocolError(ErrorCode.REQUEST_TIMED_OUT)
    controller = Controller([timed_out, timed_out, ACCEPTED])
    run(controller, partition, change)
    assert len(controller.proposals) == 3
    assert len({*controller.proposals}) == 1


def test_a_refusal_rolls_back() -> None:
    partition, change = shrinking()
    run(Controller([ProtocolError(ErrorCode.INELIGIBLE_REPLICA)]), partition, change)
    assert partition.machine.pending_change is None
    assert partition.isr == (1, 2, 3)


def test_metadata_that_overtook_it_settles() -> None:
    partition, change = shrinking()

    class Overtaken(Controller):
        async def alter_partition(self, proposal: IsrProposal) -> PartitionMetadata:
            partition.apply(view_of(ACCEPTED))
            return await super().alter_partition(proposal)

    controller = Overtaken([ProtocolError(ErrorCode.INVALID_UPDATE_VERSION)])
    run(controller, partition, change)
    assert partition.isr == (1,)
