from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from broker.handlers import unregister_broker
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.unregister_broker_request import UnregisterBrokerRequest

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (None, 0, None),
        (ProtocolError(ErrorCode.INVALID_REQUEST, "it is alive"), 42, "it is alive"),
    ],
)
def test_the_controllers_answer(
    world: World, error: ProtocolError | None, code: int, message: str | None
) -> None:
    asked: list[int] = []

    async def unregister(broker_id: int, timeout_ms: int) -> None:
        asked.append(broker_id)
        if error is not None:
            raise error

    admin = SimpleNamespace(unregister_broker=unregister)
    world.services.controller = SimpleNamespace(partitions=admin)  # type: ignore[assignment]
    context = world.context(ApiKey.UNREGISTER_BROKER, 0)
    answer = asyncio.run(
        unregister_broker.handle(world.services, context, UnregisterBrokerRequest(3))
    )
    assert (answer.error_code, answer.error_message) == (code, message)
    assert asked == [3]
