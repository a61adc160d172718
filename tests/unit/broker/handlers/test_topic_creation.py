from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.handlers import topic_creation
from broker.handlers.topic_creation import TopicCreation
from ottla.core.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def created(topics: Any) -> Any:
    return [SimpleNamespace(name=t.name, code=ErrorCode.NONE, message=None) for t in topics]


def test_clients_that_want_the_same_topic_share_one_creation(world: World) -> None:
    async def test() -> None:
        world.controller.answer = created
        world.controller.gate = asyncio.Event()
        creation = TopicCreation()
        controller = cast(Any, world.controller)
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(creation.create(controller, ["t"])) for _ in range(5)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
            world.controller.gate.set()
        assert [task.result() for task in waiting] == [{}] * 5
        assert len(world.controller.calls) == 1
        assert world.controller.calls[0][1][0].partition_count == -1
        await creation.create(controller, ["t"])
        assert len(world.controller.calls) == 2

    run(test())


def test_a_failed_creation_is_told_and_does_not_stay(world: World) -> None:
    async def test() -> None:
        creation = TopicCreation()
        world.controller.error = ProtocolError(ErrorCode.NOT_CONTROLLER)
        codes = await creation.create(cast(Any, world.controller), ["t", "a/b"])
        assert codes == {
            "t": ErrorCode.LEADER_NOT_AVAILABLE,
            "a/b": ErrorCode.INVALID_TOPIC_EXCEPTION,
        }
        world.controller.error = None
        world.controller.answer = created
        assert await creation.create(cast(Any, world.controller), ["t"]) == {}

    run(test())


def test_creations_at_once_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_creation, "NAMES_MAX", 2)
    world.controller.answer = created

    async def test() -> None:
        codes = await TopicCreation().create(cast(Any, world.controller), ["a", "b", "c"])
        assert codes == {"c": ErrorCode.LEADER_NOT_AVAILABLE}

    run(test())
