"""Whether leaders that a client is about to be told of are alive: they are dialed.

A client whose leader dies asks for metadata within a millisecond, earlier than any broker has seen
the death and long before the controller has fenced. Told of the dead leader once more, librdkafka
asks again only at its next look at all topics, up to a second later. So a Metadata answer names
only leaders whose kernel did not refuse a connection just now. A refusal is proof, as it is for the
controller (controller/fencing.py); silence and a slow answer prove nothing. The answer then waits a
little for the fence, so that it can name the new leader.

Metadata is asked for seldom; under a storm of requests each broker is dialed once in `FRESH_MS`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Final

from ottla.core.errors import ProtocolError

if TYPE_CHECKING:
    from broker.control.metadata_cache import MetadataCache
    from broker.handlers.departures import Departures
    from controller.fencing import Refuses
    from ottla.core.clock import Clock

FRESH_MS: Final = 20
"""A check counts for so long."""
DIAL_MS_MAX: Final = 50
"""How long an answer waits for a host that is silent."""
FENCE_MS_MAX: Final = 100
"""How long answers wait for the fence of a broker, from when it was found dead."""


class PeerCheck:
    """See the module. `refuses` takes at most `DIAL_MS_MAX`; what it finds is noted in
    `departures`."""

    __slots__ = (
        "_checked_ms",
        "_clock",
        "_departures",
        "_found_ms",
        "_metadata",
        "_node_id",
        "_refuses",
    )

    def __init__(
        self,
        node_id: int,
        metadata: MetadataCache,
        departures: Departures,
        refuses: Refuses,
        clock: Clock,
    ) -> None:
        self._node_id = node_id
        self._metadata = metadata
        self._departures = departures
        self._refuses = refuses
        self._clock = clock
        self._checked_ms: dict[int, int] = {}
        """When each broker's last dial was over."""
        self._found_ms: dict[int, int] = {}
        """When each was first found dead; entries of those who are not any more do no harm."""

    def check(self, broker_ids: Iterable[int]) -> Coroutine[object, object, None] | None:
        """Something to wait for before these are told of as leaders; None when all is known."""
        now_ms = self._clock.now_ms()
        state = self._metadata.state
        dead = self._departures.dead(state, now_ms)
        asked = set(broker_ids)
        due = [
            broker_id
            for broker_id in sorted(asked - dead)
            if broker_id != self._node_id
            and now_ms - self._checked_ms.get(broker_id, -FRESH_MS) >= FRESH_MS
            and (broker := state.brokers.get(broker_id)) is not None
            and not broker.fenced
        ]
        if due or self._wait_ms(asked & dead):
            return self._check(asked, due)
        return None

    async def _check(self, asked: set[int], due: list[int]) -> None:
        async with asyncio.TaskGroup() as group:
            for broker_id in due:
                group.create_task(self._dial(broker_id))
        metadata = self._metadata
        with contextlib.suppress(ProtocolError):  # REQUEST_TIMED_OUT: without the fence, then
            while wait_ms := self._wait_ms(asked & self._dead()):
                await metadata.wait_offset(metadata.offset + 1, wait_ms)

    def _dead(self) -> frozenset[int]:
        return self._departures.dead(self._metadata.state, self._clock.now_ms())

    def _wait_ms(self, dead: Iterable[int]) -> int:
        """How long the fences of these may still be waited for."""
        now_ms = self._clock.now_ms()
        found = (self._found_ms.get(broker_id, now_ms - FENCE_MS_MAX) for broker_id in dead)
        return max((max(0, at_ms + FENCE_MS_MAX - now_ms) for at_ms in found), default=0)

    async def _dial(self, broker_id: int) -> None:
        broker = self._metadata.state.brokers.get(broker_id)
        if broker is None:
            return
        refused = await self._refuses(broker.internal_host, broker.internal_port)
        now_ms = self._clock.now_ms()
        self._checked_ms[broker_id] = now_ms
        if refused:
            self._departures.note_dead(broker_id, broker.broker_epoch, now_ms)
            self._found_ms[broker_id] = now_ms
