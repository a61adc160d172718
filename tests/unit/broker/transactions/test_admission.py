from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from broker.replication.partition_host import Appended
from broker.transactions.admission import (
    ASKS_MAX,
    WAITING_MAX,
    Admission,
    Admissions,
    AdmittingPartition,
    BatchOrigin,
    client_code,
)
from broker.transactions.seams import TopicPartition
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.in_loop import in_loop

ORIGIN = BatchOrigin("tx", 7, 1, is_implicit=True, is_abortable=True)
OLD = BatchOrigin("tx", 7, 1, is_implicit=False, is_abortable=False)


class FakePartition:
    topic, topic_id, index = "t", bytes(16), 0

    def __init__(self) -> None:
        self.is_open = False
        self.leader_epoch = 3
        self.batches: list[bytes] = []
        self.admissions: set[Admission] = set()
        self.error: ProtocolError | None = None

    def append(
        self, batch: memoryview, *, acks: int, expected_leader_epoch: int | None = None
    ) -> Appended:
        if expected_leader_epoch not in (None, self.leader_epoch):
            raise ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.batches.append(bytes(batch))
        return Appended(len(self.batches), len(self.batches), -1, 0, self.leader_epoch, False)

    def begin_admission(self, producer_id: int, producer_epoch: int) -> Admission | None:
        if self.is_open:
            return None
        self.admissions.add(admission := Admission(producer_id, self.leader_epoch))
        return admission

    def is_admitted(self, admission: Admission) -> bool:
        return admission.is_valid

    def end_admission(self, admission: Admission) -> None:
        self.admissions.discard(admission)


class FakeGate:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[asyncio.Future[dict[TopicPartition, ErrorCode]]] = []

    def admit(
        self,
        transactional_id: str,
        producer_id: int,
        producer_epoch: int,
        partitions: Sequence[TopicPartition],
        *,
        verify_only: bool,
    ) -> asyncio.Future[dict[TopicPartition, ErrorCode]]:
        self.asked.append((transactional_id, producer_id, producer_epoch, verify_only))
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    async def answer(self, code: ErrorCode) -> None:
        self.answers[-1].set_result({("t", 0): code})
        await asyncio.sleep(0)
        await asyncio.sleep(0)


class World:
    def __init__(self, *, verifies: bool = True) -> None:
        self.partition, self.gate = FakePartition(), FakeGate()
        self.admissions = Admissions(self.gate, verifies=verifies)

    def marker_comes(self) -> None:
        for admission in self.partition.admissions:
            admission.is_valid = False

    def append(self, batch: bytes, origin: BatchOrigin = ORIGIN, sequence: int = 0) -> Any:
        partition = cast(AdmittingPartition, self.partition)
        return self.admissions.append(partition, memoryview(bytearray(batch)), origin, sequence)


@in_loop
async def test_an_open_transaction_is_appended_to_at_once() -> None:
    world = World()
    world.partition.is_open = True
    assert world.append(b"1").base_offset == 1
    assert world.gate.asked == []


@in_loop
async def test_the_first_batch_waits_and_later_ones_behind_it_in_order() -> None:
    world = World()
    first, second = world.append(b"1"), world.append(b"2")
    assert world.gate.asked == [("tx", 7, 1, False)]
    assert world.partition.batches == []
    await world.gate.answer(ErrorCode.NONE)
    assert world.partition.batches == [b"1", b"2"]
    assert (first.result().base_offset, second.result().base_offset) == (1, 2)
    assert world.partition.admissions == set()


@in_loop
async def test_what_is_waiting_stays_in_front_even_if_the_transaction_opens_meanwhile() -> None:
    world = World()
    world.append(b"1")
    world.partition.is_open = True
    world.append(b"2")
    await world.gate.answer(ErrorCode.NONE)
    assert world.partition.batches == [b"1", b"2"]


@in_loop
async def test_a_marker_meanwhile_makes_the_answer_worthless_and_it_is_asked_again() -> None:
    world = World()
    first, second = world.append(b"1"), world.append(b"2")
    for asked in range(1, ASKS_MAX):
        world.marker_comes()
        await world.gate.answer(ErrorCode.NONE)
        assert world.partition.batches == []
        assert world.gate.asked == [("tx", 7, 1, False)] * (asked + 1)
    await world.gate.answer(ErrorCode.NONE)
    assert world.partition.batches == [b"1", b"2"]
    assert (first.result().base_offset, second.result().base_offset) == (1, 2)
    assert world.partition.admissions == set()


@in_loop
async def test_what_a_marker_ended_is_refused_by_the_coordinator_that_is_asked_again() -> None:
    world = World()
    waiting = world.append(b"1")
    world.marker_comes()
    await world.gate.answer(ErrorCode.NONE)
    await world.gate.answer(ErrorCode.PRODUCER_FENCED)
    assert world.partition.batches == []
    assert waiting.exception().code is ErrorCode.INVALID_PRODUCER_EPOCH


@in_loop
async def test_the_coordinator_is_asked_so_often_and_no_more() -> None:
    world = World()
    waiting = world.append(b"1")
    for _ in range(ASKS_MAX):
        world.marker_comes()
        await world.gate.answer(ErrorCode.NONE)
    assert len(world.gate.asked) == ASKS_MAX
    assert world.partition.batches == []
    assert waiting.exception().code is ErrorCode.CONCURRENT_TRANSACTIONS
    assert world.partition.admissions == set()


@in_loop
async def test_after_a_marker_and_another_leader_epoch_nobody_is_asked_again() -> None:
    world = World()
    waiting = world.append(b"1")
    world.marker_comes()
    world.partition.leader_epoch = 4
    await world.gate.answer(ErrorCode.NONE)
    assert len(world.gate.asked) == 1
    assert waiting.exception().code is ErrorCode.CONCURRENT_TRANSACTIONS
    assert world.partition.admissions == set()


@in_loop
async def test_another_leader_epoch_takes_nothing() -> None:
    world = World()
    waiting = world.append(b"1")
    world.partition.leader_epoch = 4
    await world.gate.answer(ErrorCode.NONE)
    assert waiting.exception().code is ErrorCode.NOT_LEADER_OR_FOLLOWER


@in_loop
async def test_a_refusal_is_everybodys_who_waited_and_the_next_asks_again() -> None:
    world = World()
    waiting = [world.append(b"1", OLD), world.append(b"2", OLD)]
    assert world.gate.asked == [("tx", 7, 1, True)]
    await world.gate.answer(ErrorCode.INVALID_TXN_STATE)
    assert [one.exception().code for one in waiting] == [ErrorCode.INVALID_TXN_STATE] * 2
    world.append(b"3", OLD)
    assert len(world.gate.asked) == 2


@in_loop
async def test_another_epoch_is_asked_for_in_its_turn_and_is_not_hurt_by_a_fenced_one() -> None:
    world = World()
    zombie, successor = (
        world.append(b"old"),
        world.append(b"new", replace(ORIGIN, producer_epoch=2)),
    )
    assert world.gate.asked == [("tx", 7, 1, False)]
    await world.gate.answer(ErrorCode.PRODUCER_FENCED)
    assert zombie.exception().code is ErrorCode.INVALID_PRODUCER_EPOCH
    assert world.gate.asked[1:] == [("tx", 7, 2, False)]
    assert world.partition.batches == []
    await world.gate.answer(ErrorCode.NONE)
    assert world.partition.batches == [b"new"]
    assert successor.result().base_offset == 1


@in_loop
async def test_an_answer_is_good_for_its_transactional_id_alone() -> None:
    world = World()
    mine = world.append(b"1")
    stranger = world.append(b"2", replace(ORIGIN, transactional_id="other"))
    again = world.append(b"3", sequence=1)
    await world.gate.answer(ErrorCode.NONE)
    assert (mine.done(), stranger.done(), again.done()) == (True, False, False)
    assert world.partition.batches == [b"1"]
    await world.gate.answer(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    assert stranger.exception().code is ErrorCode.INVALID_PRODUCER_ID_MAPPING
    await world.gate.answer(ErrorCode.NONE)
    assert world.partition.batches == [b"1", b"3"]


@in_loop
async def test_after_a_refusal_the_refused_batch_comes_before_later_ones() -> None:
    world = World()
    first = world.append(b"0", sequence=0)
    await world.gate.answer(ErrorCode.NOT_COORDINATOR)
    assert first.exception().code is ErrorCode.NOT_ENOUGH_REPLICAS
    with pytest.raises(ProtocolError) as refused:
        world.append(b"1", sequence=10)
    assert refused.value.code is ErrorCode.NOT_ENOUGH_REPLICAS
    world.append(b"0", sequence=0)
    world.append(b"1", sequence=10)
    await world.gate.answer(ErrorCode.NONE)
    assert world.partition.batches == [b"0", b"1"]
    world.append(b"2", sequence=20)


@in_loop
async def test_a_failed_append_refuses_what_stands_behind_it() -> None:
    world = World()
    first, second = world.append(b"0", sequence=0), world.append(b"1", sequence=10)
    world.partition.error = ProtocolError(ErrorCode.NOT_ENOUGH_REPLICAS)
    await world.gate.answer(ErrorCode.NONE)
    assert [f.exception().code for f in (first, second)] == [ErrorCode.NOT_ENOUGH_REPLICAS] * 2
    assert world.partition.batches == []


@in_loop
async def test_a_later_epoch_does_not_wait_for_what_an_earlier_one_was_refused() -> None:
    world = World()
    world.append(b"0", sequence=0)
    await world.gate.answer(ErrorCode.NOT_COORDINATOR)
    world.append(b"9", replace(ORIGIN, producer_epoch=2), sequence=5)
    await world.gate.answer(ErrorCode.NONE)
    assert world.partition.batches == [b"9"]


@in_loop
async def test_so_many_wait_and_no_more() -> None:
    world = World()
    waiting = [world.append(b"x") for _ in range(WAITING_MAX)]
    with pytest.raises(ProtocolError) as refused:
        world.append(b"x")
    assert refused.value.code is ErrorCode.NOT_ENOUGH_REPLICAS
    await world.gate.answer(ErrorCode.NONE)
    assert all(one.done() for one in waiting)


@in_loop
async def test_without_verification_only_batches_that_add_themselves_ask() -> None:
    world = World(verifies=False)
    assert world.append(b"1", OLD).base_offset == 1
    assert not world.gate.asked
    world.append(b"2", ORIGIN)
    assert world.gate.asked


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        (ErrorCode.NONE, ErrorCode.NONE, ErrorCode.NONE),
        (
            ErrorCode.INVALID_TXN_STATE,
            ErrorCode.INVALID_TXN_STATE,
            ErrorCode.TRANSACTION_ABORTABLE,
        ),
        (
            ErrorCode.CONCURRENT_TRANSACTIONS,
            ErrorCode.NOT_ENOUGH_REPLICAS,
            ErrorCode.CONCURRENT_TRANSACTIONS,
        ),
        (
            ErrorCode.PRODUCER_FENCED,
            ErrorCode.INVALID_PRODUCER_EPOCH,
            ErrorCode.INVALID_PRODUCER_EPOCH,
        ),
        (
            ErrorCode.NOT_COORDINATOR,
            ErrorCode.NOT_ENOUGH_REPLICAS,
            ErrorCode.NOT_ENOUGH_REPLICAS,
        ),
    ],
)
def test_codes_that_a_producer_knows(code: ErrorCode, old: ErrorCode, new: ErrorCode) -> None:
    assert client_code(code, is_implicit=False, is_abortable=False) is old
    assert client_code(code, is_implicit=True, is_abortable=True) is new
