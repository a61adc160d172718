from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from broker.handlers import add_raft_voter
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.add_raft_voter_request import AddRaftVoterRequest, Listener
from ottla.protocol.messages.add_raft_voter_response import AddRaftVoterResponse
from tests.unit.broker.handlers.conftest import CLUSTER_ID

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

DIRECTORY = b"d" * 16


def call(
    world: World,
    *listeners: Listener,
    refusal: ProtocolError | None = None,
    cluster_id: str | None = CLUSTER_ID,
) -> tuple[AddRaftVoterResponse, list[tuple[Any, ...]]]:
    asked: list[tuple[Any, ...]] = []

    async def add(*arguments: Any) -> None:
        asked.append(arguments)
        if refusal is not None:
            raise refusal

    world.services.controller.voters = SimpleNamespace(add=add)  # type: ignore[assignment]
    request = AddRaftVoterRequest(cluster_id, 50, 4, DIRECTORY, list(listeners))
    context = world.context(ApiKey.ADD_RAFT_VOTER, 1)
    answer = asyncio.run(add_raft_voter.handle(world.services, context, request))
    return AddRaftVoterResponse.decode(answer.encode(1), 1), asked


@pytest.mark.parametrize("cluster_id", [None, CLUSTER_ID])
def test_listeners_are_known_by_name(world: World, cluster_id: str | None) -> None:
    answer, asked = call(
        world, Listener("raft", "h", 5), Listener("INTERNAL", "i", 6), cluster_id=cluster_id
    )
    assert answer.error_code == 0
    assert asked == [(4, DIRECTORY, ("h", 5), ("i", 6), 50)]
    _, asked = call(world, Listener("CONTROLLER", "h", 5))
    assert asked == [(4, DIRECTORY, ("h", 5), None, 50)]


def test_what_cannot_be_asked_is_refused_here(world: World) -> None:
    other, asked = call(world, Listener("RAFT", "h", 5), cluster_id="other")
    assert (other.error_code, asked) == (ErrorCode.INCONSISTENT_CLUSTER_ID, [])
    nameless, asked = call(world, Listener("A", "h", 5), Listener("B", "h", 6))
    assert (nameless.error_code, asked) == (ErrorCode.INVALID_REQUEST, [])
    assert "RAFT" in (nameless.error_message or "")


def test_the_controllers_refusal_is_told(world: World) -> None:
    refusal = ProtocolError(ErrorCode.DUPLICATE_VOTER, "node 4 is already a voter")
    answer, _ = call(world, Listener("RAFT", "h", 5), refusal=refusal)
    assert (answer.error_code, answer.error_message) == (refusal.code, refusal.message)
