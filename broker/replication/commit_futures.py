"""The machine's waiters as futures: who awaits that an append is committed, or deleted records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from broker.replication.partition_machine import PartitionMachine
from ottla.core.errors import ErrorCode, ProtocolError


class CommitFutures:
    """One future for every waiter of the machine; a cancelled one is taken out of it."""

    __slots__ = ("_futures", "_machine")

    def __init__(self, machine: PartitionMachine) -> None:
        self._machine = machine
        self._futures: dict[int, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._futures)

    def wait(self, next_offset: int, leader_epoch: int) -> asyncio.Future[None]:
        """Done or failed already, or when `release` or `fail` name its waiter."""
        return self._future(self._machine.wait, next_offset, leader_epoch)

    def wait_deleted(self, before_offset: int, leader_epoch: int) -> asyncio.Future[None]:
        """The same for the low watermark."""
        return self._future(self._machine.wait_deleted, before_offset, leader_epoch)

    def _future(
        self, wait: Callable[[int, int], int | None], offset: int, leader_epoch: int
    ) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            waiter = wait(offset, leader_epoch)
        except ProtocolError as error:
            future.set_exception(error)
            return future
        if waiter is None:
            future.set_result(None)
            return future
        self._futures[waiter] = future

        def given_up(done: asyncio.Future[None]) -> None:
            if done.cancelled() and self._futures.pop(waiter, None) is not None:
                self._machine.forget(waiter)

        future.add_done_callback(given_up)
        return future

    def release(self, waiters: tuple[int, ...]) -> None:
        for waiter in waiters:
            future = self._futures.pop(waiter, None)
            if future is not None and not future.done():
                future.set_result(None)

    def fail(self, waiters: tuple[int, ...], code: ErrorCode) -> None:
        for waiter in waiters:
            future = self._futures.pop(waiter, None)
            if future is not None and not future.done():
                future.set_exception(ProtocolError(code))
