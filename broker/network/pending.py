"""What waits for its answer: slots of a connection, and the tasks of handlers' coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from broker.network.dispatch import Exchange


class Failed:
    """An exception as a task's result: one that left the task would end its whole group."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


async def contained(answer: Coroutine[Any, Any, Any]) -> Any:
    """The result of a handler's coroutine, or Failed."""
    try:
        return await answer
    except Exception as error:
        return Failed(error)


class Slot:
    """A request that waits for its answer, or for the answers before it."""

    __slots__ = ("exchange", "is_done", "is_dropped", "request_bytes", "waiting_for")

    def __init__(self, exchange: Exchange, request_bytes: int) -> None:
        self.exchange = exchange
        self.request_bytes = request_bytes
        self.is_done = False
        self.is_dropped = False
        self.waiting_for: asyncio.Future[Any] | None = None
