"""From a coordinator's future to the answer of an API, at once when it is known already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from broker.handlers.spec import Answer
from ottla.core.errors import ErrorCode, ProtocolError

ResultT = TypeVar("ResultT")


def answer_when_done(
    future: asyncio.Future[ResultT],
    succeed: Callable[[ResultT], Answer],
    fail: Callable[[ErrorCode, str | None], Answer],
) -> Answer:
    """The answer if it is known already, else a future of it.

    Cancelling that future, which a lost connection does, cancels `future` too: the coordinator
    learns that the member is gone.
    """
    if future.done():
        return _convert(future, succeed, fail)
    answer: asyncio.Future[Any] = future.get_loop().create_future()
    answer.add_done_callback(partial(_pass_cancellation, future))
    future.add_done_callback(partial(_pass_result, answer, succeed, fail))
    return answer


def _convert(
    future: asyncio.Future[ResultT],
    succeed: Callable[[ResultT], Answer],
    fail: Callable[[ErrorCode, str | None], Answer],
) -> Answer:
    try:
        result = future.result()
    except ProtocolError as error:
        return fail(error.code, error.message)
    return succeed(result)


def _pass_cancellation(future: asyncio.Future[Any], answer: asyncio.Future[Any]) -> None:
    if answer.cancelled():
        future.cancel()


def _pass_result(
    answer: asyncio.Future[Any],
    succeed: Callable[[Any], Answer],
    fail: Callable[[ErrorCode, str | None], Answer],
    future: asyncio.Future[Any],
) -> None:
    if future.cancelled():
        answer.cancel()
    elif answer.done():
        future.exception()  # retrieved, so that asyncio does not log it
    else:
        try:
            answer.set_result(_convert(future, succeed, fail))
        except Exception as error:
            answer.set_exception(error)
