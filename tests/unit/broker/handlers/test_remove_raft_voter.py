from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from broker.handlers import remove_raft_voter
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from ottla.protocol.messages.remove_raft_voter_response import RemoveRaftVoterResponse
from tests.unit.broker.handlers.conftest import CLUSTER_ID

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def call(
    world: World, request: RemoveRaftVoterRequest, refusal: ProtocolError | None = None
) -> tuple[RemoveRaftVoterResponse, list[tuple[Any, ...]]]:
    asked: list[tuple[Any, ...]] = []

    async def remove(node_id: int, directory_id: bytes | None, timeout_ms: int) -> None:
        asked.append((node_id, directory_id))
        if refusal is not None:
            raise refusal

    world.services.controller.voters = SimpleNamespace(remove=remove)  # type: ignore[assignment]
    context = world.context(ApiKey.REMOVE_RAFT_VOTER, 0)
    answer = asyncio.run(remove_raft_voter.handle(world.services, context, request))
    return RemoveRaftVoterResponse.decode(answer.encode(0), 0), asked


def test_with_a_directory_or_with_any(world: World) -> None:
    answer, asked = call(world, RemoveRaftVoterRequest(CLUSTER_ID, 3, b"d" * 16))
    assert (answer.error_code, asked) == (0, [(3, b"d" * 16)])
    answer, asked = call(world, RemoveRaftVoterRequest(None, 3, NIL_UUID))
    assert (answer.error_code, asked) == (0, [(3, None)])


def test_refusals(world: World) -> None:
    refusal = ProtocolError(ErrorCode.VOTER_NOT_FOUND, "node 3 is not a voter")
    answer, _ = call(world, RemoveRaftVoterRequest(None, 3, NIL_UUID), refusal)
    assert (answer.error_code, answer.error_message) == (refusal.code, refusal.message)
    answer, asked = call(world, RemoveRaftVoterRequest("other", 3, NIL_UUID))
    assert (answer.error_code, asked) == (ErrorCode.INCONSISTENT_CLUSTER_ID, [])
