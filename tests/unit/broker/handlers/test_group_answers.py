from __future__ import annotations

import asyncio
from typing import Any

import pytest

from broker.handlers.group_answers import answer_when_done
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.in_loop import in_loop, turns


def answer(future: asyncio.Future[int]) -> Any:
    return answer_when_done(future, lambda result: 10 * result, lambda code, text: (code, text))


def new_future() -> asyncio.Future[int]:
    return asyncio.get_running_loop().create_future()


@in_loop
async def test_what_is_known_is_answered_at_once() -> None:
    future = new_future()
    future.set_result(4)
    assert answer(future) == 40
    future = new_future()
    future.set_exception(ProtocolError(ErrorCode.NOT_COORDINATOR, "elsewhere"))
    assert answer(future) == (ErrorCode.NOT_COORDINATOR, "elsewhere")


@in_loop
async def test_what_is_not_known_is_a_future() -> None:
    future = new_future()
    later = answer(future)
    await turns()
    assert not later.done()
    future.set_result(4)
    await turns()
    assert later.result() == 40
    future = new_future()
    later = answer(future)
    future.set_exception(ProtocolError(ErrorCode.NOT_COORDINATOR))
    await turns()
    assert later.result() == (ErrorCode.NOT_COORDINATOR, None)


@in_loop
async def test_a_bug_reaches_the_barrier() -> None:
    future = new_future()
    later = answer(future)
    future.set_exception(KeyError("bug"))
    await turns()
    with pytest.raises(KeyError):
        later.result()


@in_loop
async def test_cancelling_goes_both_ways() -> None:
    future = new_future()
    later = answer(future)
    later.cancel()
    await turns()
    assert future.cancelled()
    future = new_future()
    later = answer(future)
    future.cancel()
    await turns()
    assert later.cancelled()
