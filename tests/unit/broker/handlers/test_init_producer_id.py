from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.handlers import init_producer_id
from broker.transactions.requests import ProducerIdentity
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.init_producer_id_request import InitProducerIdRequest

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def call(world: World, version: int = 4, **fields: Any) -> tuple[int, int, int]:
    answer = init_producer_id.handle(
        world.services,
        world.context(ApiKey.INIT_PRODUCER_ID, version),
        InitProducerIdRequest(**({"transactional_id": None} | fields)),
    )
    if asyncio.iscoroutine(answer):
        answer = asyncio.run(answer)
    answer.encode(version)
    return answer.error_code, answer.producer_id, answer.producer_epoch


@pytest.mark.parametrize("version", [0, 2, 5])
def test_every_producer_gets_an_id_of_its_own(world: World, version: int) -> None:
    world.controller.answer = lambda _: (1_000, 1_000)
    assert [call(world, version) for _ in range(3)] == [(0, 1_000 + i, 0) for i in range(3)]
    assert len(world.controller.calls) == 1


def test_an_idempotent_producer_with_a_former_id_gets_a_new_one(world: World) -> None:
    world.controller.answer = lambda _: (1_000, 1_000)
    assert call(world, producer_id=5, producer_epoch=3) == (0, 1_000, 0)


@pytest.mark.parametrize(("version", "fenced"), [(3, 47), (4, 90)])
def test_a_transactional_producer_is_the_coordinators_business(
    world: World, version: int, fenced: int
) -> None:
    asked: list[tuple[object, ...]] = []

    async def init(*arguments: object) -> ProducerIdentity:
        asked.append(arguments)
        if len(asked) == 2:
            raise ProtocolError(ErrorCode.PRODUCER_FENCED)
        return ProducerIdentity(7, 3)

    world.services.transactions = cast(Any, SimpleNamespace(init_producer_id=init))
    fields = {"transactional_id": "tx", "transaction_timeout_ms": 9}
    assert call(world, version, **fields, producer_id=7, producer_epoch=2) == (0, 7, 3)
    assert call(world, version, **fields) == (fenced, -1, -1)
    assert asked == [("tx", 9, ProducerIdentity(7, 2)), ("tx", 9, None)]
    assert world.controller.calls == []


def test_a_controller_that_cannot_be_asked_is_a_reason_to_try_again(world: World) -> None:
    world.controller.error = ProtocolError(ErrorCode.NOT_CONTROLLER)
    assert call(world) == (ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1, -1)
