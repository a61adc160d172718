"""The controller's image of the cluster on the event loop, with the recent changes as messages.

`offset` is the position in the metadata log of the last command that changed something, so the
offsets that brokers have and the offsets here form one chain, whichever controller told them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from controller.codec import record_message
from controller.generated import metadata_pb2 as pb
from controller.state import BrokerRegistration, BrokerUnregistered, ClusterState, Record
from controller.state_machine import Applied, Event, Restored

HISTORY_BYTES_MAX: Final = 4 << 20
"""Of changes kept for brokers that come back: one further behind gets a snapshot."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one command changed."""

    offset: int
    messages: tuple[pb.Record, ...]
    size: int
    """In bytes, encoded."""


class Signal:
    """Tells all who wait, once; for conditions that are looked at again after each change."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for future in waiters:
            if not future.done():
                future.set_result(None)

    async def wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiters.add(future)
        try:
            await future
        finally:
            self._waiters.discard(future)


class MetadataImage:
    """See the module. Only touched on the event loop."""

    def __init__(self, history_bytes_max: int = HISTORY_BYTES_MAX) -> None:
        self.state = ClusterState()
        self.offset = 0
        self.applied_index = 0
        """Every command up to here is contained, also those that changed nothing."""
        self.changed = Signal()
        self._history: deque[Change] = deque()
        self._history_start = 0
        """Whoever has this offset needs all of the history, and nothing before it."""
        self._history_bytes = 0
        self._history_bytes_max = history_bytes_max
        self._listeners: list[Callable[[BrokerRegistration], None]] = []
        self._removal_listeners: list[Callable[[int], None]] = []

    def add_broker_listener(self, listener: Callable[[BrokerRegistration], None]) -> None:
        """Be told of every changed registration, once all of the change is in the image."""
        self._listeners.append(listener)

    def add_removal_listener(self, listener: Callable[[int], None]) -> None:
        """Be told of every broker that is no longer registered."""
        self._removal_listeners.append(listener)

    def receive(self, event: Event) -> None:
        """What crossed over from the metadata log."""
        match event:
            case Applied(index, records):
                self.applied_index = index
                if records:
                    self._apply(index, records)
            case Restored(offset, records):
                self.state = ClusterState()
                self._replay(records)
                self._forget_history(offset)
                self.applied_index = max(self.applied_index, offset)
            case _:
                assert_never(event)
        self.changed.fire()

    def _apply(self, index: int, records: tuple[Record, ...]) -> None:
        self.offset = index
        messages = tuple(record_message(record) for record in records)
        size = sum(message.ByteSize() for message in messages)
        self._history.append(Change(index, messages, size))
        self._history_bytes += size
        while self._history_bytes > self._history_bytes_max:
            oldest = self._history.popleft()
            self._history_bytes -= oldest.size
            self._history_start = oldest.offset
        self._replay(records)

    def _replay(self, records: tuple[Record, ...]) -> None:
        for record in records:
            self.state.replay(record)
        for record in records:
            if isinstance(record, BrokerRegistration):
                for listener in self._listeners:
                    listener(record)
            elif isinstance(record, BrokerUnregistered):
                for removed in self._removal_listeners:
                    removed(record.broker_id)

    def _forget_history(self, offset: int) -> None:
        self._history.clear()
        self._history_bytes = 0
        self._history_start = offset
        self.offset = offset

    def changes_since(self, offset: int) -> list[Change] | None:
        """What came after `offset`, oldest first; None when that is no longer known."""
        if offset >= self.offset:
            return []
        if offset < self._history_start:
            return None
        newer: deque[Change] = deque()
        for change in reversed(self._history):
            if change.offset <= offset:
                break
            newer.appendleft(change)
        return list(newer)

    async def wait_index(self, index: int) -> None:
        """Until the command at `index` is in the image."""
        while self.applied_index < index:
            await self.changed.wait()

    async def wait_offset(self, offset: int) -> None:
        while self.offset < offset:
            await self.changed.wait()
