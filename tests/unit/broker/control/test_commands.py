from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from broker.control.commands import Commands
from broker.control.locator import ActiveController
from broker.control.settings import ControlSettings
from controller.generated import control_pb2 as pb
from controller.generated import control_pb2_grpc, metadata_pb2
from ottla.core.clock import SystemClock
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.fake_controller import CLUSTER, FakeController, unavailable

SETTINGS = ControlSettings((), retry_ms_min=1, retry_ms_max=2)


def commands() -> Commands:
    return Commands(CLUSTER, SETTINGS, SystemClock(), random.Random(1))


def active(controller: FakeController) -> ActiveController:
    stub = control_pb2_grpc.ControlStub(controller)  # type: ignore[call-overload]
    return ActiveController(controller.node_id, controller.epoch, "a", stub, asyncio.Event())


def answers(*outcomes: pb.ExecuteResponse | Exception) -> Callable[..., pb.ExecuteResponse]:
    left = list(outcomes)

    def answer(request: pb.ExecuteRequest) -> pb.ExecuteResponse:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return answer


DONE = pb.ExecuteResponse(offset=7)


def test_a_command_carries_cluster_epoch_and_time() -> None:
    async def test() -> None:
        controller = FakeController(epoch=4)
        controller.answer = answers(DONE)
        asking = commands()
        asking.set_controller(active(controller))
        answer = await asking.execute(metadata_pb2.Command(), 500, wait_for_brokers=True)
        assert (answer.offset, answer.repeated) == (7, False)
        (request,) = controller.requests
        assert request.cluster_id == CLUSTER
        assert request.command.controller_epoch == 4
        assert 0 < request.timeout_ms <= 500
        assert request.wait_for_brokers

    asyncio.run(test())


@pytest.mark.parametrize(
    ("first", "repeated"),
    [
        (unavailable(), True),
        (pb.ExecuteResponse(error_code=7, outcome_unknown=True), True),
        (pb.ExecuteResponse(error_code=ErrorCode.NOT_CONTROLLER), False),
        (pb.ExecuteResponse(error_code=ErrorCode.THROTTLING_QUOTA_EXCEEDED), False),
    ],
)
def test_what_was_not_decided_is_sent_again(
    first: pb.ExecuteResponse | Exception, repeated: bool
) -> None:
    async def test() -> None:
        controller = FakeController()
        controller.answer = answers(first, DONE)
        asking = commands()
        asking.set_controller(active(controller))
        answer = await asking.execute(metadata_pb2.Command(), 2_000, wait_for_brokers=False)
        assert answer.repeated is repeated

    asyncio.run(test())


def test_refusals_are_raised() -> None:
    async def test() -> None:
        controller = FakeController()
        refusal = pb.ExecuteResponse(error_code=ErrorCode.STALE_BROKER_EPOCH, message="why")
        controller.answer = answers(refusal)
        asking = commands()
        asking.set_controller(active(controller))
        with pytest.raises(ProtocolError, match="why") as error:
            await asking.execute(metadata_pb2.Command(), 500, wait_for_brokers=False)
        assert error.value.code == ErrorCode.STALE_BROKER_EPOCH

    asyncio.run(test())


def test_without_a_controller_the_time_runs_out() -> None:
    async def test() -> None:
        asking = commands()
        for controller in (None, FakeController(up=False)):
            if controller is not None:
                asking.set_controller(active(controller))
            with pytest.raises(ProtocolError, match="no active controller") as error:
                await asking.execute(metadata_pb2.Command(), 20, wait_for_brokers=False)
            assert error.value.code == ErrorCode.REQUEST_TIMED_OUT

    asyncio.run(test())


def test_who_waits_for_a_lost_controller_asks_the_next_one() -> None:
    async def test() -> None:
        old, new = FakeController(1), FakeController(2, epoch=2)
        old.silent.set()
        new.answer = answers(DONE)
        asking = commands()
        asking.set_controller(active(old))
        asked = asyncio.ensure_future(
            asking.execute(metadata_pb2.Command(), 5_000, wait_for_brokers=False)
        )
        while not old.requests:  # noqa: ASYNC110
            await asyncio.sleep(0)
        asking.set_controller(None)
        await asyncio.sleep(0.005)
        assert not asked.done()
        asking.set_controller(active(new))
        answer = await asked
        assert answer.repeated
        assert new.requests[0].command.controller_epoch == 2

    asyncio.run(test())
