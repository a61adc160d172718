from __future__ import annotations

import asyncio

import pytest

from controller.tasks import single_error


async def fail(error: Exception) -> None:
    raise error


def test_one_cause_stays_itself_however_deep() -> None:
    async def test() -> None:
        with single_error():
            async with asyncio.TaskGroup() as outer:

                async def inner() -> None:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(fail(KeyError("x")))

                outer.create_task(inner())

    with pytest.raises(KeyError):
        asyncio.run(test())


def test_an_error_that_was_also_awaited_counts_once() -> None:
    async def test() -> None:
        with single_error():
            async with asyncio.TaskGroup() as group:
                await group.create_task(fail(KeyError("x")))

    with pytest.raises(KeyError):
        asyncio.run(test())


def test_several_causes_stay_a_group() -> None:
    with pytest.raises(ExceptionGroup), single_error():
        raise ExceptionGroup("two", [KeyError("x"), ValueError("y")])
