import asyncio
import warnings

import pytest

from ottla.core.tasks import start_in


async def answer() -> int:
    return 42


def test_a_group_that_runs_takes_work() -> None:
    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            task = start_in(group, answer())
            assert task is not None
            assert await task == 42

    asyncio.run(story())


def test_a_group_that_ends_takes_none_and_nothing_is_left_unawaited() -> None:
    """Seen when a node stops: a message of a peer comes between the cancel and the group's end."""
    started: list[object] = []

    async def story() -> None:
        async def late(group: asyncio.TaskGroup) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                started.append(start_in(group, answer()))

        async with asyncio.TaskGroup() as group:
            group.create_task(late(group))
            await asyncio.sleep(0)
            raise OSError("the disk is gone")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ExceptionGroup):
            asyncio.run(story())
    assert started == [None]


def test_without_a_group_work_is_closed() -> None:
    work = answer()
    assert start_in(None, work) is None
    with pytest.raises(RuntimeError, match="cannot reuse"):
        work.send(None)
