from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace
from typing import Any, cast

import grpc
import grpc.aio
import pytest

from broker.control.commands import Commands
from broker.control.locator import ActiveController
from broker.control.settings import ControlSettings
from broker.control.voters import VoterAdmin
from controller.generated import control_pb2 as pb
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError

LOST = grpc.aio.AioRpcError(
    grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "gone"
)


class Scripted:
    """A controller that answers in this order; what it was asked."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    async def call(self, request: Any, timeout: float) -> Any:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def admin(script: Scripted) -> VoterAdmin:
    clock = ManualClock()
    settings = ControlSettings((), retry_ms_min=0, retry_ms_max=0)
    commands = Commands("cluster", settings, clock, random.Random(1))
    stub = SimpleNamespace(
        DescribeQuorum=script.call, AddVoter=script.call, RemoveVoter=script.call
    )
    commands.set_controller(ActiveController(1, 3, "a", cast(Any, stub), asyncio.Event()))
    return VoterAdmin(commands, "cluster", clock)


def changed(code: ErrorCode = ErrorCode.NONE) -> pb.ChangeVotersResponse:
    return pb.ChangeVotersResponse(error_code=code, message="told" if code else "")


def run(script: Scripted, kind: str) -> Any:
    async def story() -> Any:
        voters = admin(script)
        match kind:
            case "add":
                return await voters.add(4, b"d" * 16, ("h", 5), ("i", 6), 100)
            case "remove":
                return await voters.remove(4, None, 100)
            case _:
                return await voters.describe(100)

    return asyncio.run(story())


def test_what_is_asked() -> None:
    script = Scripted(changed(), changed(), pb.DescribeQuorumResponse(leader_id=7))
    run(script, "add")
    run(script, "remove")
    assert run(script, "describe").leader_id == 7
    added, removed, described = script.asked
    assert (added.node.node_id, added.node.internal.port, added.timeout_ms) == (4, 6, 100)
    assert (removed.node_id, removed.directory_id) == (4, b"")
    assert {one.cluster_id for one in (added, removed, described)} == {"cluster"}


@pytest.mark.parametrize("kind", ["add", "remove", "describe"])
def test_another_controller_is_asked(kind: str) -> None:
    answer = pb.DescribeQuorumResponse if kind == "describe" else pb.ChangeVotersResponse
    script = Scripted(answer(error_code=ErrorCode.NOT_CONTROLLER), LOST, answer())
    run(script, kind)
    assert len(script.asked) == 3


@pytest.mark.parametrize(
    ("kind", "code"),
    [("add", ErrorCode.DUPLICATE_VOTER), ("remove", ErrorCode.VOTER_NOT_FOUND)],
)
def test_only_a_repeated_change_may_be_there_already(kind: str, code: ErrorCode) -> None:
    run(Scripted(LOST, changed(code)), kind)
    with pytest.raises(ProtocolError, match="told") as refused:
        run(Scripted(changed(code)), kind)
    assert refused.value.code == code
