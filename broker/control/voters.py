"""Voters of the quorum, as a broker has them described and changed for its clients.

Asked again while no active controller answers. A change whose answer was lost is asked for again
too: "a voter already" and "no voter" are then what was wanted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import grpc.aio

from broker.control.commands import Commands
from broker.control.locator import ActiveController
from controller.generated import control_pb2 as pb
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

Address = tuple[str, int]
Response = TypeVar("Response", pb.DescribeQuorumResponse, pb.ChangeVotersResponse)

_MARGIN_MS: Final = 2_000
"""The controller's own time-out answers better than ours."""


class VoterAdmin:
    """See the module."""

    def __init__(self, commands: Commands, cluster_id: str, clock: Clock) -> None:
        self._commands = commands
        self._cluster_id = cluster_id
        self._clock = clock

    async def describe(self, timeout_ms: int) -> pb.DescribeQuorumResponse:
        """ProtocolError: REQUEST_TIMED_OUT."""

        async def ask(controller: ActiveController, left_ms: int) -> pb.DescribeQuorumResponse:
            request = pb.DescribeQuorumRequest(cluster_id=self._cluster_id, timeout_ms=left_ms)
            return await controller.stub.DescribeQuorum(request, timeout=_seconds(left_ms))

        answer, _ = await self._ask(ask, timeout_ms)
        _check(answer.error_code, answer.message)
        return answer

    async def add(
        self,
        node_id: int,
        directory_id: Uuid,
        raft: Address,
        internal: Address | None,
        timeout_ms: int,
    ) -> None:
        """DUPLICATE_VOTER, INVALID_REQUEST, REQUEST_TIMED_OUT."""
        node = pb.QuorumNode(node_id=node_id, raft=pb.QuorumAddress(host=raft[0], port=raft[1]))
        if internal is not None:
            node.internal.CopyFrom(pb.QuorumAddress(host=internal[0], port=internal[1]))

        async def ask(controller: ActiveController, left_ms: int) -> pb.ChangeVotersResponse:
            request = pb.AddVoterRequest(
                cluster_id=self._cluster_id,
                timeout_ms=left_ms,
                node=node,
                directory_id=directory_id,
            )
            return await controller.stub.AddVoter(request, timeout=_seconds(left_ms))

        answer, repeated = await self._ask(ask, timeout_ms)
        if repeated and answer.error_code == ErrorCode.DUPLICATE_VOTER:
            return
        _check(answer.error_code, answer.message)

    async def remove(self, node_id: int, directory_id: Uuid | None, timeout_ms: int) -> None:
        """VOTER_NOT_FOUND, INVALID_REQUEST, REQUEST_TIMED_OUT."""

        async def ask(controller: ActiveController, left_ms: int) -> pb.ChangeVotersResponse:
            request = pb.RemoveVoterRequest(
                cluster_id=self._cluster_id,
                timeout_ms=left_ms,
                node_id=node_id,
                directory_id=directory_id or b"",
            )
            return await controller.stub.RemoveVoter(request, timeout=_seconds(left_ms))

        answer, repeated = await self._ask(ask, timeout_ms)
        if repeated and answer.error_code == ErrorCode.VOTER_NOT_FOUND:
            return
        _check(answer.error_code, answer.message)

    async def _ask(
        self, ask: Callable[[ActiveController, int], Awaitable[Response]], timeout_ms: int
    ) -> tuple[Response, bool]:
        """The answer, and whether an earlier attempt may have done it already."""
        deadline_ms = self._clock.now_ms() + timeout_ms
        repeated = False
        while True:
            controller = await self._commands.wait_controller(deadline_ms)
            try:
                answer = await ask(controller, max(deadline_ms - self._clock.now_ms(), 1))
            except grpc.aio.AioRpcError:
                repeated = True
            else:
                if answer.error_code != ErrorCode.NOT_CONTROLLER:
                    return answer, repeated
            await asyncio.sleep(self._commands.pause_s())


def _seconds(left_ms: int) -> float:
    return (left_ms + _MARGIN_MS) / 1000


def _check(error_code: int, message: str) -> None:
    if error_code:
        raise ProtocolError(ErrorCode(error_code), message)
